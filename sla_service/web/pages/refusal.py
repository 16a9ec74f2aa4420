"""Refusals: a problem document for systems, a page of one sentence for people."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from sla_service.web.entry import AdministratorOnly
from sla_service.web.pages.render import page
from sla_service.web.problems import Problem

_TITLES: Final = {303: "请先登录", 403: "不能打开", 404: "没有找到", 422: "看不懂这个请求", 503: "暂时打不开"}


def respond(request: Request, problem: Problem) -> Response:
    """A page where a browser asks for one, else the problem document."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
    if not wants_page:
        return problem.response()
    title = _TITLES.get(problem.status, "出错了")
    made = page(request, "refusal.html", status=problem.status, title=title, detail=problem.detail)
    made.headers.update(problem.headers or {})
    return made


LocalOnly: Final = AdministratorOnly
