"""The outermost layer of ASGI: paths with encoded slashes, HEAD, headers for every answer, and the one place where an
error that nobody foresaw becomes an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sla_service.store.engine import unavailable
from sla_service.web.problems import Problem, away

log = logging.getLogger(__name__)

#: Routes that read large bodies do so piece by piece, after a look at the key. All others take a form's worth.
_LARGE: Final = ("/v1/events", "/v1/receipts/", "/v1/callbacks/")
_SMALL: Final = 1 << 16

_HEADERS: Final[Mapping[bytes, bytes]] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",  # with none at all, browsers hide the origin of our own forms from us, too
    b"cache-control": b"no-store",
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'"
    ),
}


class Border:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head:
            scope = {**scope, "method": "GET"}
        raw = scope.get("raw_path") or b""
        if b"%" in raw:
            scope = {**scope, "path": segments(raw)}
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = message.get("headers", [])
                names = {name for name, _ in given}
                message = {**message, "headers": [*given, *((n, v) for n, v in _HEADERS.items() if n not in names)]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        read = receive if scope["path"].startswith(_LARGE) else _bounded(receive)
        try:
            await self.app(scope, read, answer)
        except ClientDisconnect:
            return
        except Exception as e:
            if started:
                raise
            await _answer_for(e).response()(scope, receive, answer)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def read() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > _SMALL:
            raise HTTPException(413, f"请求正文超过 {_SMALL} 字节。")
        return message

    return read


def _answer_for(error: Exception) -> Problem:
    if isinstance(error, TimeoutError) or unavailable(error):
        log.warning("database away: %s", type(error).__name__)
        return away()
    log.error("unforeseen", exc_info=error)
    return Problem(500, "服务内部出错，已记入日志，请原样重发；仍不行请联系管理员。")


def segments(raw: bytes) -> str:
    """A path in which ``%2F`` does not end a segment: slashes and percent signs inside segments stay encoded.

    ``in_segment`` takes them back. What is not UTF-8 becomes U+FFFD, which no name holds.
    """
    parts = (unquote_to_bytes(part).decode("utf-8", "replace") for part in raw.split(b"/"))
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def in_segment(parameter: str) -> str:
    """A path parameter as it was meant."""
    return parameter.replace("%2F", "/").replace("%25", "%")
