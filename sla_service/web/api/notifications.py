"""``GET /v1/notifications``: who was told what about the cases of a source, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from schemas.notifications import NotificationsOut
from sla_service.services import messages
from sla_service.services.app import App
from sla_service.services.views import beijing
from sla_service.store import queries, told
from sla_service.store.queries import MessageFilter
from sla_service.web.api.params import BAD_LIMIT, CURSOR, LIMIT, Caller, Text, pack_cursor, unpack_cursor
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import answer

router = APIRouter(prefix="/v1", tags=["notifications"])

_ONE: Final = {
    "id": "17",
    "source": "hall",
    "case": "BBC-2026-0001",
    "target": "resolve",
    "step": "due-1wd",
    "role": "handler",
    "to": "zhangsan",
    "channel": "wecom",
    "state": "accepted",
    "not_before": "2026-11-24T08:30:00+08:00",
    "attempts": 1,
    "last": "accepted",
    "reason": "",
    "due_on": "2026-11-25",
    "planned_at": "2026-11-24T08:30:00+08:00",
    "sent_at": "2026-11-24T08:31:12+08:00",
    "code": "0",
    "provider_id": "msg000001",
    "receipt": None,
    "acknowledged_at": "2026-11-24T08:41:00+08:00",
    "acknowledged_via": "link",
    "text": "11-24 08:31 wecom 承办人张三：BBC-2026-0001 due-1wd（到期日 11-25），服务商已收下（0 msg000001）；"
    "11-24 08:41 知道了（点了链接）",
}
_MORE: Final = (
    "reason",
    "due_on",
    "planned_at",
    "sent_at",
    "code",
    "provider_id",
    "receipt",
    "acknowledged_at",
    "acknowledged_via",
    "text",
)


class NotificationQuery(BaseModel):
    """The query; those that are lists may be written several times."""

    case: Text | None = Field(None, description="办件编号")
    recipient: list[Text] = Field([], description="接收人在通讯录里的编号")
    state: list[Text] = Field(
        [], description="queued、claimed、sending、accepted、delivered、failed、unknown、suppressed"
    )
    limit: int = LIMIT
    cursor: str | None = CURSOR


@router.get(
    "/notifications",
    summary="发出的提醒",
    description="本来源办件的提醒和督办，新的在前；attempts 是发送次数，last 是最近一次的结果。",
    response_model=NotificationsOut,
    responses={
        **example({"notifications": [_ONE], "next": None}),
        **problems(401, 422, 429, 503, _422=BAD_LIMIT),
    },
)
async def get_notifications(request: Request, caller: Caller, query: Annotated[NotificationQuery, Query()]) -> Response:
    wanted = MessageFilter(caller, query.case, tuple(query.recipient), tuple(query.state))
    before = unpack_cursor(query.cursor, int)
    last, limit = (before[0] if before else None), query.limit
    web = web_of(request)
    rows = await web.read(lambda conn: queries.messages(conn, wanted, before=last, limit=limit + 1))
    page = rows[:limit]
    more_of = await web.read(lambda conn: told.details(conn, [row["id"] for row in page]))
    more = pack_cursor(page[-1]["id"]) if len(rows) > limit else None
    return answer({"notifications": [_out(web.app, row, more_of) for row in page], "next": more})


def _out(app: App, row: Mapping[str, Any], more_of: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    detail = messages.record(app, row, more_of.get(row["id"], {}))
    words = (row["outcome"], row["code"], row["outcome_text"]) if row["attempts"] else (row["reason"],)
    return {
        "id": str(row["id"]),
        "source": row["source"],
        "case": row["no"],
        "target": row["target"],
        "step": row["step"],
        "role": row["as_role"] or row["role"],
        "to": row["recipient"],
        "channel": row["channel"],
        "state": row["state"],
        "not_before": beijing(row["not_before"]),
        "attempts": row["attempts"],
        "last": " ".join(dict.fromkeys(word for word in words if word)) or None,
        **{name: detail[name] for name in _MORE},
    }
