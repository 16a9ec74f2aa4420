"""``/a/{token}``: what a message said, and the button that says "seen". Looking changes nothing: scanners look too."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from sla_service.services import acknowledge, words
from sla_service.services.links import LinkError
from sla_service.web.context import web_of
from sla_service.web.pages.render import page
from sla_service.web.problems import Problem

# No login: the link itself, signed and expiring, is the permission, and all it permits is this page.
router = APIRouter(include_in_schema=False)

_EXPIRED: Final = "这个链接已经过期。请打开办件页面，或等下一条提醒里的链接。"
_WRONG: Final = "这个链接不对，请从消息里重新点开，不要手工改动。"


@router.get("/a/{token}")
async def look(request: Request, token: str) -> Response:
    web = web_of(request)
    now = web.clock()
    try:
        told = await web.run(lambda: acknowledge.view(web.app, token, now=now))
    except LinkError as e:
        raise _gone(e) from None
    seen = [words.moment(case.seen_at) if case.seen_at else "" for case in told.cases]
    return page(request, "seen.html", told=told, at_told=words.moment(told.at), cases=list(zip(told.cases, seen)))  # noqa: B905


@router.post("/a/{token}")
async def say(request: Request, token: str) -> Response:
    web = web_of(request)
    now = web.clock()
    try:
        await web.run(lambda: acknowledge.by_link(web.app, token, now=now))
    except LinkError as e:
        raise _gone(e) from None
    # Back to the page, so that a reload does not say it again.
    return Response(status_code=303, headers={"Location": request.url.path})


def _gone(error: LinkError) -> Problem:
    return Problem(410, _EXPIRED) if error.expired else Problem(404, _WRONG)
