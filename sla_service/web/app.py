"""The web application: ``uvicorn sla_service.web.app:create_app --factory``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from schemas.version import CONTRACT
from sla_service import systime
from sla_service.bootstrap import build
from sla_service.errors import CalendarError, NotFoundError, SlaError, UsageError
from sla_service.services.app import App
from sla_service.web import openapi
from sla_service.web.api import (
    acks,
    callbacks,
    cases,
    events,
    feeds,
    metrics,
    notifications,
    params,
    public,
    stats,
    webhook,
)
from sla_service.web.border import Border
from sla_service.web.context import Web
from sla_service.web.pages import case, docs, login, overview, refusal, sandbox, seen, static, templates
from sla_service.web.problems import Problem

_DESCRIPTION = """政务服务办件时限：事件进来，到期日、亮灯和提醒出去。

日期是北京时间的日期，时间都带时区，时限按工作日算。密钥放在请求头 `Authorization: Bearer 密钥` 里，由
`sla source add 来源` 发放；一个密钥只看得到自己来源的办件。出错时回答 `application/problem+json`（RFC 9457），
`detail` 是一句话的说明。"""
_TAGS = [
    {"name": "events", "description": "收事件"},
    {"name": "cases", "description": "办件"},
    {"name": "notifications", "description": "提醒"},
    {"name": "webhook", "description": "告诉业务系统：到期日变动、提醒、超期、办结（docs/webhooks.md）"},
    {"name": "calendar", "description": "日历和到期日"},
    {"name": "health", "description": "运行状况"},
]


def create_app(app: App | None = None, *, clock: Callable[[], datetime] = systime.now) -> FastAPI:
    """The ASGI application around ``app``; without one it is built from the settings of this process.

    ``clock`` gives the present instant, read once per request.
    """
    built = app or _build()
    web = Web(built, clock)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(web.close)
        if app is None:
            built.db.dispose()

    api = _routes(life)
    api.state.web = web
    return api


def contract() -> dict[str, Any]:
    """The OpenAPI document, which follows from the routes alone: no database is needed for it."""
    return openapi.document(_routes(None))


def _routes(life: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    api = FastAPI(
        title="sla-service",
        version=CONTRACT,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
    )
    api.openapi = lambda: openapi.document(api)  # type: ignore[method-assign]
    apis = (events, cases, acks, notifications, webhook, callbacks, public, stats, feeds, metrics)
    for part in (*apis, login, overview, case, sandbox, templates, seen, docs, static):
        api.include_router(part.router)
    handlers: dict[type[Exception], Any] = {
        Problem: _problem,
        SlaError: _service_error,
        RequestValidationError: _bad_parameter,
        HTTPException: _not_there,
    }
    for error, handler in handlers.items():
        api.add_exception_handler(error, handler)
    api.add_middleware(Border)
    return api


def _build() -> App:
    """For ``--factory``: a wrong setting ends the start with its sentence, not with a traceback."""
    try:
        return build()
    except SlaError as e:
        raise SystemExit(str(e)) from None


async def _problem(request: Request, error: Problem) -> Response:
    return refusal.respond(request, error)


async def _service_error(request: Request, error: SlaError) -> Response:
    """What a service said about what it was asked; anything else is a fault of ours."""
    if isinstance(error, NotFoundError):
        return refusal.respond(request, Problem(404, str(error)))
    if isinstance(error, UsageError | CalendarError):
        return refusal.respond(request, Problem(422, str(error)))
    raise error


async def _bad_parameter(request: Request, error: RequestValidationError) -> Response:
    return refusal.respond(request, params.refused(error))


async def _not_there(request: Request, error: HTTPException) -> Response:
    """No such path, or not with this method."""
    words = {
        400: params.NOT_JSON,
        404: "没有这个地址，可用的见 /docs。",
        405: f"这个地址不接受 {request.method}，见 /docs。",
    }
    detail = words.get(error.status_code, str(error.detail))
    return refusal.respond(request, Problem(error.status_code, detail, headers=error.headers))
