"""``POST /v1/cases/{source}/{no}/ack``: somebody has seen what he was told; his own system says so."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sla_service.errors import NotFoundError, UsageError
from sla_service.services import acknowledge
from sla_service.web.api.params import Caller, CaseNo, SourceName, Text
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import Problem, answer

router = APIRouter(prefix="/v1", tags=["cases"])

_ACKS: Final[dict[str, Any]] = {
    "source": "hall",
    "no": "BBC-2026-0001",
    "by": {"id": "zhangsan", "name": "张三"},
    "acknowledged": [
        {"target": "resolve", "round": 1, "step": "due-1wd", "via": "api", "at": "2026-11-24T08:41:00+08:00"}
    ],
}


class AckIn(BaseModel):
    """Who has seen it."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"by": "zhangsan"}]})

    by: Annotated[Text, StringConstraints(min_length=1)] = Field(description="通讯录里的编号、别名或姓名")


class AckedOut(BaseModel):
    """One step that was seen."""

    target: str
    round: int
    step: str
    via: str = Field(description="link 消息里的链接、card 企业微信卡片、api 本接口、page 页面")
    at: str


class AcksOut(BaseModel):
    """All that this person has seen of what he was told about the case."""

    source: str
    no: str
    by: dict[str, str]
    acknowledged: list[AckedOut]


@router.post(
    "/cases/{source}/{no}/ack",
    summary="知道了",
    description="收到提醒的人确认已知晓：这一步还没发出的不再发，约定“到知晓为止”的不再重复；后面的步骤照常。"
    "可以重复调用，第一次的时间为准。",
    response_model=AcksOut,
    responses={
        **example(_ACKS),
        **problems(400, 401, 404, 422, 429, 503, _422="by 要写通讯录里的一个人（编号、别名或姓名），'nobody' 不是。"),
    },
)
async def post_ack(request: Request, caller: Caller, source: SourceName, no: CaseNo, body: AckIn) -> Response:
    web = web_of(request)
    now = web.clock()
    if caller != source:
        raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
    try:
        found = await web.run(lambda: acknowledge.by_person(web.app, source, no, body.by, now=now))
    except UsageError as e:
        raise Problem(422, str(e), field="by") from None
    return answer(found)
