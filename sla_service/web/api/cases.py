"""``GET /v1/cases`` and what belongs to one case. A key sees the cases of its own source, for it no others exist."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from schemas.replies import CASE_EXAMPLE, CaseOut, CasesOut, Light, State, TimelineOut
from sla_service.errors import NotFoundError
from sla_service.services import explaining
from sla_service.services.explaining import CaseAccountOut
from sla_service.services.views import case_out
from sla_service.store import queries
from sla_service.store.queries import CaseFilter
from sla_service.web.api.params import (
    BAD_LIMIT,
    CURSOR,
    LIMIT,
    Caller,
    CaseNo,
    SourceName,
    Text,
    pack_cursor,
    unpack_cursor,
)
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import answer
from sla_service.web.timeline import timeline

router = APIRouter(prefix="/v1", tags=["cases"])

_CASE: Final = dict(CASE_EXAMPLE)
_EXPLAINED: Final = {
    "source": "hall",
    "no": "BBC-2026-0001",
    "clocks": [
        {
            "target": "resolve",
            "round": 1,
            "started_at": "2026-11-20T10:12:00+08:00",
            "start_on": "2026-11-20",
            "limit": 3,
            "stopped_at": None,
            "due_on": "2026-11-25",
            "due_at": "2026-11-25T17:30:00+08:00",
            "provisional": False,
            "verdict": None,
            "late_days": None,
            "account": [
                {
                    "date": "2026-11-23",
                    "kind": "working",
                    "name": "",
                    "state": "counted",
                    "n": 1,
                    "reason": "",
                    "projected": False,
                    "text": "11月23日（周一）第 1 个工作日",
                },
            ],
            "text": "办结：11月20日（周五）起算，时限 3 个工作日，11月25日（周三）17:30 到期。",
        },
    ],
}
_ENTRY: Final = {
    "at": "2026-11-20T10:12:00+08:00",
    "what": "case.accepted",
    "text": "受理：简单事项，承办 zhangsan，社会事务科",
    "event_id": "e-1",
    "status": "applied",
}
_READ: Final = problems(401, 404, 429, 503)


class CaseQuery(BaseModel):
    """The query of the list; those that are lists may be written several times."""

    state: list[State] = Field([], description="状态")
    light: list[Light] = Field([], description="亮灯")
    kind: list[Text] = Field([], description="分类")
    department: list[Text] = Field([], description="承办科室")
    handler: list[Text] = Field([], description="承办人，按来件的写法")
    matter: list[Text] = Field([], description="事项")
    hall: list[Text] = Field([], description="大厅")
    source: list[Text] = Field([], description="来源；只看得到自己的")
    q: Text = Field("", description="编号、事由或事项里有这些字")
    limit: int = LIMIT
    cursor: str | None = CURSOR

    def wanted(self, caller: str) -> CaseFilter:
        return CaseFilter(
            sources=(caller,) if not self.source or caller in self.source else (),
            halls=tuple(self.hall),
            states=tuple(self.state),
            lights=tuple(self.light),
            kinds=tuple(self.kind),
            departments=tuple(self.department),
            handlers=tuple(self.handler),
            matters=tuple(self.matter),
            q=self.q,
        )


@router.get(
    "/cases",
    summary="办件列表",
    description="按来源和编号排序。next 是下一页的 cursor，最后一页为 null；翻页期间来了新办件，不会重复，也不会漏。",
    response_model=CasesOut,
    responses={**example({"cases": [_CASE], "next": None}), **problems(401, 422, 429, 503, _422=BAD_LIMIT)},
)
async def get_cases(request: Request, caller: Caller, query: Annotated[CaseQuery, Query()]) -> Response:
    web = web_of(request)
    now = web.clock()
    wanted, limit = query.wanted(caller), query.limit
    after = unpack_cursor(query.cursor, str, str)
    behind = (after[0], after[1]) if after else None

    def page(conn: Connection) -> dict[str, Any]:
        rows = queries.cases(conn, wanted, now=now, after=behind, limit=limit + 1)
        shown = [case_out(r, now=now, calendar=web.app.calendar_of(r)) for r in rows[:limit]]
        more = pack_cursor(shown[-1]["source"], shown[-1]["no"]) if len(rows) > limit else None
        return {"cases": shown, "next": more}

    return answer(await web.read(page))


@router.get(
    "/cases/{source}/{no}",
    summary="一个办件",
    response_model=CaseOut,
    responses={**example(_CASE), **_READ},
)
async def get_case(request: Request, caller: Caller, source: SourceName, no: CaseNo) -> Response:
    web = web_of(request)
    _own(caller, source, no)
    row = await web.read(lambda conn: explaining.accepted(conn, source, no))
    return answer(case_out(row, now=web.clock(), calendar=web.app.calendar_of(row)))


@router.get(
    "/cases/{source}/{no}/timeline",
    summary="办件经过",
    description="事件（连同结果）、到期日的变动、超期和发出的提醒，按时间先后。",
    response_model=TimelineOut,
    responses={**example({"case": _CASE, "entries": [_ENTRY]}), **_READ},
)
async def get_timeline(request: Request, caller: Caller, source: SourceName, no: CaseNo) -> Response:
    web = web_of(request)
    _own(caller, source, no)
    now = web.clock()
    found = await web.run(lambda: timeline(web.app, source, no, now=now))
    return answer(found.model_dump(mode="json"))


@router.get(
    "/cases/{source}/{no}/explain",
    summary="到期日怎么算的",
    description="每个计时逐日说明：计入、休息、调休上班、挂起（连同理由）；text 是给人看的一句话。",
    response_model=CaseAccountOut,
    responses={**example(_EXPLAINED), **_READ},
)
async def get_explain(request: Request, caller: Caller, source: SourceName, no: CaseNo) -> Response:
    web = web_of(request)
    _own(caller, source, no)
    now = web.clock()
    found = await web.run(lambda: explaining.explain(web.app, source, no, now=now))
    return answer(found.model_dump(mode="json"))


def _own(caller: str, source: str, no: str) -> None:
    """Another's case is answered like one that does not exist."""
    if caller != source:
        raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
