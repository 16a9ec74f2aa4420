"""``/login``, ``/logout`` and ``/account``: in, out, and a new password."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from sla_service.errors import UsageError
from sla_service.services import accounts
from sla_service.services.accounts import LoginError, Viewer
from sla_service.web.api.params import Text
from sla_service.web.context import address_of, web_of
from sla_service.web.entry import Seer, checked_form, form, logged_in, onward, remember, root
from sla_service.web.pages.render import page
from sla_service.web.problems import Problem, too_many

router = APIRouter(include_in_schema=False)

_ROLES: Final = {"viewer": "查看", "staff": "承办人", "leader": "领导", "admin": "管理员"}
_FOR_ALL: Final = "这里不用登录，没有账号可改。"


@router.get("/login")
async def login(request: Request, next_: Annotated[Text, Query(alias="next")] = "") -> Response:
    if await logged_in(request) is not None:
        return _to(onward(request, next_))
    web = web_of(request)
    if not await web.run(lambda: accounts.exist(web.app)):
        raise Problem(404, "还没有账号，请在运行服务的机器上用 sla user add 名字 --role viewer 添加。")
    return page(request, "login.html", next=next_, name="", wrong="")


@router.post("/login")
async def enter(request: Request) -> Response:
    web, fields = web_of(request), await form(request)
    wait = web.logins.take(address_of(request))
    if wait:
        raise too_many(wait, "这个地址登录得太频繁，请稍后再试。")
    name, password, wanted, now = (
        fields.get("name", "").strip(),
        fields.get("password", ""),
        fields.get("next", ""),
        web.clock(),
    )
    try:
        async with web.hashing:
            cookie = await web.run(lambda: accounts.login(web.app, name, password, now=now))
    except LoginError as e:
        return page(request, "login.html", status=401, next=wanted, name=name, wrong=str(e))
    response = _to(onward(request, wanted))
    remember(request, response, cookie)
    return response


@router.post("/logout")
async def leave(request: Request, viewer: Seer) -> Response:
    await checked_form(request, viewer)
    web = web_of(request)
    now = web.clock()
    await web.run(lambda: accounts.logout(web.app, viewer, now=now))
    response = _to(root(request) + "login")
    remember(request, response, "")
    return response


@router.get("/account")
async def account(request: Request, viewer: Seer) -> Response:
    if not viewer.name:
        raise Problem(404, _FOR_ALL)
    return _account(request, viewer)


@router.post("/account")
async def change(request: Request, viewer: Seer) -> Response:
    if not viewer.name:
        raise Problem(404, _FOR_ALL)
    fields, web = await checked_form(request, viewer), web_of(request)
    old, new, now = fields.get("old", ""), fields.get("new", ""), web.clock()
    if new != fields.get("again", ""):
        return _account(request, viewer, wrong="两次输入的新密码不一样，没有更改。", status=422)
    try:
        async with web.hashing:
            await web.run(lambda: accounts.change_password(web.app, viewer, old, new, now=now))
    except LoginError as e:
        return _account(request, viewer, wrong=str(e), status=401)
    except UsageError as e:
        return _account(request, viewer, wrong=str(e), status=422)
    return _account(request, viewer, done="密码已更改，别处的登录都已退出。")


def _account(request: Request, viewer: Viewer, *, wrong: str = "", done: str = "", status: int = 200) -> Response:
    role = _ROLES[viewer.access.value]
    return page(request, "account.html", status=status, role=role, wrong=wrong, done=done, least=accounts.LEAST)


def _to(path: str) -> Response:
    return Response(status_code=303, headers={"Location": path})
