"""``/templates``: the words of every kind of message, filled with sample cases, with their length on each channel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sla_service.delivery.wording import Lang
from sla_service.services import previews, words
from sla_service.web.api.params import Text
from sla_service.web.context import web_of
from sla_service.web.entry import AdministratorOnly
from sla_service.web.pages.render import page

router = APIRouter(include_in_schema=False, dependencies=[AdministratorOnly])

_DIGESTS = {"staff": "承办人汇总", "leader": "领导每日汇总", "weekly": "领导每周汇总", "committee": "联合党委汇总"}


@router.get("/templates")
async def templates(
    request: Request,
    step: Annotated[Text, Query()] = "due-1wd",
    many: Annotated[bool, Query()] = False,
    digest: Annotated[previews.Digest | None, Query()] = None,
    lang: Annotated[Lang | None, Query()] = None,
) -> Response:
    app = web_of(request).app
    spoken = lang or app.settings.lang
    wanted = previews.Wanted(step, many, digest, None, spoken)
    steps = [*previews.steps(app.config), *previews.WORDS]
    return page(
        request,
        "templates.html",
        found=previews.previews(app.config, wanted),
        wanted=wanted,
        steps=[(one, words.step(one)) for one in steps],
        digests=_DIGESTS,
    )
