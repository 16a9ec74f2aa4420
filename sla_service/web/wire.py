"""CloudEvents over HTTP: which of the content modes a request is in, and the events that are in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from schemas.events import NotJson, parse_json
from sla_service.services.intake import Incoming, read
from sla_service.web.body import Body
from sla_service.web.problems import Problem

MAX_BATCH: Final = 1_000
_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_JSON: Final = re.compile(r"application/(json|[a-z0-9!#$&^_.+-]+\+json)")
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')


class Mode(Enum):
    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"
    EITHER = "either"  # plain JSON: an object is an event, an array a batch


def mode(headers: Headers, body: Body) -> Mode:
    """The content mode (CloudEvents HTTP binding 1.0.2, section 3). Raises Problem 415."""
    if body.unknown_coding:
        detail = f"不支持压缩方式 {body.unknown_coding[:40]}，请用 gzip 或不压缩。"
        raise Problem(415, detail, headers={"Accept-Encoding": "gzip"})
    media, parameters = _content_type(headers.get("content-type", ""))
    if parameters.get("charset", "utf-8") not in _UTF8:
        raise Problem(415, "请用 UTF-8 编码发送（JSON 只有这一种，RFC 8259）。")
    if media == _BATCH:
        return Mode.BATCH
    if media == _STRUCTURED:
        return Mode.STRUCTURED
    if "ce-specversion" in headers or "ce-id" in headers or "ce-type" in headers:
        if not media or _JSON.fullmatch(media):
            return Mode.BINARY
    elif media == "application/json":
        return Mode.EITHER
    seen = f"收到的是 {media[:80]}" if media else "现在没有写"
    raise Problem(415, f"Content-Type 要写 {_STRUCTURED}、{_BATCH} 或 application/json，{seen}。")


def events(mode: Mode, headers: Headers, body: Body, *, now: datetime, source: str) -> tuple[list[Incoming], bool]:
    """The events of a request, each parsed or with what is wrong, and whether it is a batch.

    Raises Unreadable when the body is no JSON at all, and Problem 413 for too many events.
    """
    if body.broken:
        raise Unreadable(body, "正文不是完整的 gzip。")
    if mode is Mode.BINARY:
        return [_binary(headers, body, now, source)], False
    value = _value(body)
    if mode is Mode.BATCH or (mode is Mode.EITHER and isinstance(value, list)):
        if not isinstance(value, list):
            return [Incoming(value, None, "$", "一批事件要是一个 JSON 数组。", source)], False
        if len(value) > MAX_BATCH:
            raise Problem(413, f"一批最多 {MAX_BATCH} 个事件，收到 {len(value)} 个，请分批发送。")
        return [read(item, now=now, source=source) for item in value], True
    return [read(value, now=now, source=source)], False


def foreign(item: Incoming, source: str) -> bool:
    """Does a single event name a source that is not this key's?"""
    named = item.raw.get("source") if isinstance(item.raw, Mapping) else None
    return item.event is None and isinstance(named, str) and named.strip() not in ("", source)


class Unreadable(Exception):  # noqa: N818 (an answer)
    """The body is not JSON; ``kept`` is what is kept of it."""

    def __init__(self, body: Body, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        packed = f"base64:{base64.b64encode(body.content).decode()}"
        self.kept = packed if body.broken else body.content.decode("utf-8", "backslashreplace")


def _value(body: Body) -> Any:
    try:
        return parse_json(body.content)
    except NotJson as e:
        raise Unreadable(body, e.problem) from None


def _binary(headers: Headers, body: Body, now: datetime, source: str) -> Incoming:
    """Attributes from ``ce-`` headers, data from the body (section 3.1)."""
    raw: dict[str, Any] = {}
    wrong: tuple[str, str] | None = None
    for key, value in headers.raw:
        name = key.decode("latin-1").lower()
        if not name.startswith("ce-") or name == "ce-data":
            continue
        name = name[3:]
        try:
            text = _unescaped(value)
        except UnicodeDecodeError:
            text = value.decode("latin-1")
            wrong = wrong or (name, f"请求头 ce-{name} 不是百分号编码的 UTF-8。")
        if name in raw:
            wrong = wrong or (name, f"请求头 ce-{name} 写了两次，请只写一次。")
        raw[name] = text
    if body.content.strip():
        raw["data"] = _value(body)
    if wrong is not None:
        return Incoming(raw, None, *wrong, owner=source)
    return read(raw, now=now, source=source)


def _unescaped(value: bytes) -> str:
    """Section 3.1.3.2: quotes go first, then the percent encoding."""
    value = value.strip()
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = re.sub(rb"\\(.)", rb"\1", quoted[1])
    return unquote_to_bytes(value).decode()


def _content_type(header: str) -> tuple[str, dict[str, str]]:
    media, *rest = header.split(";")
    pairs = (part.partition("=") for part in rest)
    return media.strip().lower(), {k.strip().lower(): v.strip().strip('"').lower() for k, _, v in pairs}
