"""Refusals: a problem document for systems, a page of one sentence for people; and who may see pages at all."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final

from fastapi import Depends, Request, Response

from sla_service.web.context import web_of
from sla_service.web.pages.render import page
from sla_service.web.problems import Problem

#: Set by proxies: behind one, a request from this machine may be anybody's.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_TITLES: Final = {403: "只能在本机打开", 404: "没有找到", 422: "看不懂这个请求", 503: "暂时打不开"}


def respond(request: Request, problem: Problem) -> Response:
    """A page where a browser asks for one, else the problem document."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
    if not wants_page:
        return problem.response()
    title = _TITLES.get(problem.status, "出错了")
    made = page(request, "refusal.html", status=problem.status, title=title, detail=problem.detail)
    made.headers.update(problem.headers or {})
    return made


async def _loopback_only(request: Request) -> None:
    """Pages have no login yet. Raises Problem 403 for anybody but this machine, unless the pages are opened."""
    if web_of(request).app.settings.open_pages or is_local(request):
        return
    raise Problem(403, "页面只能在运行服务的机器上打开；要让别的机器也能看，请设置 SLA_OPEN_PAGES=1 后重启。")


LocalOnly: Final = Depends(_loopback_only)
Local = Annotated[None, LocalOnly]


def is_local(request: Request) -> bool:
    """From this machine, by a name of this machine: a foreign site's name that leads here does not count."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    host = request.headers.get("host", "").rpartition("@")[2]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return _loopback(request.client.host) and (name == "localhost" or _loopback(name))


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
