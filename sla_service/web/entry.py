"""Who may see pages: whoever is logged in, this machine while there are no accounts, everybody if that was set."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Depends, Request, Response

from sla_service.domain.scope import EVERYTHING, Access
from sla_service.services import accounts
from sla_service.services.accounts import Viewer
from sla_service.web.context import web_of
from sla_service.web.problems import Problem

COOKIE: Final = "sla_session"
#: The field of every form that changes something.
TOKEN: Final = "csrf"  # noqa: S105 (a name, no secret)
_LONGEST_COOKIE: Final = 200
#: Set by proxies: behind one, a request from this machine may be anybody's.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_HERE_ONLY: Final = (
    "页面现在只能在运行服务的机器上打开；要让别人登录查看，请在那台机器上运行 sla user add 名字 --role viewer。"
)
_OPEN: Final = Viewer("", Access.ADMIN, EVERYTHING)


async def viewer(request: Request) -> Viewer:
    """Who looks. Raises Problem: 303 to the login for a browser, 401 for others, 403 where there is no login yet."""
    web = web_of(request)
    found = await logged_in(request)
    if found is None:
        if web.app.settings.open_pages:
            found = _OPEN
        elif await web.run(lambda: accounts.exist(web.app)):
            raise _login_first(request)
        elif is_local(request):
            found = _OPEN
        else:
            raise Problem(403, _HERE_ONLY)
    request.state.viewer = found
    return found


async def administrator(request: Request) -> Viewer:
    """As ``viewer``, for what is only for administrators."""
    found = await viewer(request)
    if found.access is not Access.ADMIN:
        raise Problem(403, "这个页面只给管理员看。")
    return found


async def logged_in(request: Request) -> Viewer | None:
    """Whose session the cookie is; None without one."""
    web, cookie = web_of(request), request.cookies.get(COOKIE, "")
    if not cookie or len(cookie) > _LONGEST_COOKIE:
        return None
    now, by_itself = web.clock(), "auto" in request.query_params  # a page that renews itself is nobody's doing
    return await web.run(lambda: accounts.who(web.app, cookie, now=now, touch=not by_itself))


async def form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises Problem 403 for one that another site's page has sent."""
    if _foreign(request):
        raise Problem(403, "这个请求是从别的网站发来的，没有照办。")
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _foreign(request: Request) -> bool:
    """Whether another site's page made this request, by what browsers tell of it. Programs tell nothing, and pass."""
    site = request.headers.get("sec-fetch-site")  # over https and on this machine; over plain http only the origin
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    public = web_of(request).app.settings.public_url  # a proxy may ask us under another name than the browser
    ours = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    return urlsplit(origin).netloc not in ours


async def checked_form(request: Request, found: Viewer) -> dict[str, str]:
    """As ``form``, of somebody who is logged in. Raises Problem 403 without his session's token."""
    fields = await form(request)
    if not accounts.same_token(found, fields.get(TOKEN, "")):
        raise Problem(403, "页面放得太久了，没有照办，请刷新后再试一次。")
    return fields


def remember(request: Request, response: Response, cookie: str) -> None:
    """Sets the session's cookie; an empty one takes it away. Lax, for links in messages lead here from outside."""
    public = web_of(request).app.settings.public_url or ""
    secure = request.url.scheme == "https" or public.startswith("https:")
    path = request.scope.get("root_path", "") or "/"
    if cookie:
        response.set_cookie(COOKIE, cookie, httponly=True, secure=secure, samesite="lax", path=path)
    else:
        response.delete_cookie(COOKIE, httponly=True, secure=secure, samesite="lax", path=path)


def onward(request: Request, wanted: str) -> str:
    """Where to go after the login: a path of ours, else the first page."""
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    plain = ours and wanted.isprintable() and wanted.isascii() and "\\" not in wanted
    return root(request) + (wanted[1:] if plain else "")


def root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/") + "/"


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


def _login_first(request: Request) -> Problem:
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return Problem(401, "请先登录。")
    raw = (request.scope.get("raw_path") or b"/").decode("ascii", "replace").removeprefix(root(request)[:-1])
    query = request.scope.get("query_string", b"").decode("ascii", "replace")
    wanted = quote(raw + (f"?{query}" if query else ""), safe="")
    return Problem(303, "请先登录。", headers={"Location": f"{root(request)}login?next={wanted}"})


Seer = Annotated[Viewer, Depends(viewer)]
Administrator = Annotated[Viewer, Depends(administrator)]
AdministratorOnly: Final = Depends(administrator)
