"""``GET /feeds/{token}.ics``: a person's deadlines as a calendar feed."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sla_service.services import feeds
from sla_service.services.links import LinkError
from sla_service.web.context import web_of
from sla_service.web.openapi import problems
from sla_service.web.problems import Problem

# No key: the link itself, signed and expiring, is the permission, and all it permits is this feed.
router = APIRouter(tags=["cases"])

_WRONG = "这个订阅地址不对或已过期，请管理员用 sla user feed 再给一个。"


@router.get(
    "/feeds/{token}.ics",
    summary="一个人的到期日，日历订阅",
    description="iCalendar（RFC 5545）。地址由 `sla user feed 谁` 给出，签名、有期限；一件一个全天事件。",
    response_class=Response,
    responses={
        200: {"description": "日历", "content": {"text/calendar": {"schema": {"type": "string"}}}},
        **problems(404, 503, _404=_WRONG),
    },
)
async def get_feed(request: Request, token: str) -> Response:
    web = web_of(request)
    now = web.clock()
    try:
        text = await web.run(lambda: feeds.feed(web.app, token, now=now))
    except LinkError:
        raise Problem(404, _WRONG) from None
    return Response(text, media_type="text/calendar; charset=utf-8")
