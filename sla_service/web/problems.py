"""RFC 9457 problem documents: how every request that cannot be answered is answered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

PROBLEM_JSON = "application/problem+json"

#: RFC 9110, section 15: the names that Python 3.11 still has under older ones, too.
TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

#: Seconds after which a sender tries again when the database is away.
RETRY_AFTER = 5


class Problem(Exception):  # noqa: N818 (it is an answer, not a fault)
    """Ends a request with a problem document; ``detail`` is a sentence for whoever sent it."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, headers

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
        }
        if self.field:
            body["field"] = self.field
        return Response(encoded(body), self.status, self.headers, PROBLEM_JSON)


def too_many(seconds: float, detail: str) -> Problem:
    """429, with the seconds after which the next one is taken."""
    return Problem(429, detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def away() -> Problem:
    return Problem(503, "数据库暂时连不上，没有收下，请稍后原样重发。", headers={"Retry-After": str(RETRY_AFTER)})


def busy() -> Problem:
    return Problem(503, "服务正忙，没有收下，请稍后原样重发。", headers={"Retry-After": "1"})


def encoded(value: Any) -> bytes:
    """JSON in UTF-8. A lone surrogate that a sender's id held goes back as the escape that it came as."""
    return _encode(value).encode("utf-8", "backslashreplace")


def answer(value: Any, status: int = 200) -> Response:
    """``value``, of plain JSON types, as an ``application/json`` answer."""
    return Response(encoded(value), status, media_type="application/json")
