"""What routes are given: whose key it is, names out of paths, and bad parameters as one sentence."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import Field, StringConstraints

from schemas.words import shown
from sla_service.web.border import in_segment
from sla_service.web.context import address_of, web_of
from sla_service.web.problems import Problem

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="来源的密钥（sla source add 时显示一次）")
#: For routes that take a signature (Standard Webhooks) in place of the key.
SIGNED: Final[list[dict[str, list[str]]]] = [{"key": []}, {"signature": []}]
SIGNATURE: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "in": where,
        "required": False,
        "schema": {"type": "string"},
        "description": words,
    }
    for name, where, words in (
        ("webhook-id", "header", "用签名代替密钥时：本次发送的编号，不能有句点"),
        ("webhook-timestamp", "header", "用签名代替密钥时：发送时的 Unix 秒数，与本机相差不超过 5 分钟"),
        ("source", "query", "用签名代替密钥时：来源；不写则看正文里（第一个）事件的 source"),
    )
]


async def _caller(request: Request, _key: Annotated[Any, Depends(_BEARER)]) -> str:
    web = web_of(request)
    given = request.headers.get("authorization")
    return await web.keys.source(given, address_of(request), web.clock())


#: The source whose key the request carries.
Caller = Annotated[str, Depends(_caller)]


def _name(value: str) -> str:
    name = in_segment(value)
    if not storable(name):
        raise Problem(404, "路径里的名称不能有 U+0000。")
    return name


async def _source(source: Annotated[str, Path(description="来源", examples=["hall"])]) -> str:
    return _name(source)


async def _no(
    no: Annotated[str, Path(description="办件编号，百分号编码（/ 写成 %2F）", examples=["BBC-2026-0001"])],
) -> str:
    return _name(no)


SourceName = Annotated[str, Depends(_source)]
CaseNo = Annotated[str, Depends(_no)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
LIMIT: Final = Field(100, ge=1, le=500, description="每页多少条")
CURSOR: Final = Field(None, max_length=1000, description="上一页回答里的 next")
NOT_JSON: Final = "正文不是 JSON（UTF-8）。"
BAD_LIMIT: Final = "limit 不能大于 500，收到的是 501。"


def pack_cursor(*parts: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, ensure_ascii=False).encode()).decode().rstrip("=")


def unpack_cursor(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The parts of a cursor that ``pack_cursor`` made; None for none. Raises Problem."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    fits = isinstance(parts, list) and len(parts) == len(kinds) and all(map(_is, parts, kinds))
    if not fits:
        raise Problem(422, "cursor 不是上一页回答里的 next，请原样带回。", field="cursor")
    return list(parts)


def _is(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int and abs(value) < 1 << 63
    return isinstance(value, str) and kind is str and storable(value)


def storable(text: str) -> bool:
    """Can a database be asked for it? U+0000 and lone surrogates are refused before it is."""
    return _UNSTORABLE.search(text) is None


_ASK: Final[Mapping[str, str]] = {
    "missing": "必填",
    "int_parsing": "要是整数",
    "int_from_float": "要是整数",
    "int_parsing_size": "是过大的数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "string_too_long": "最长 {max_length} 个字符",
    "string_pattern_mismatch": "里有不能用的字符",
    "literal_error": "只能是 {expected}",
}


def refused(error: RequestValidationError) -> Problem:
    """422, one sentence about the first parameter that does not do; 400 for a body that is no JSON."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return Problem(400, NOT_JSON)
    name = str(first["loc"][1]) if len(first["loc"]) > 1 else str(first["loc"][-1])
    ask = _ASK.get(first["type"], "不是要求的形式").format_map({"expected": "", **first.get("ctx", {})})
    seen = "" if first["type"] == "missing" else f"，收到的是 {shown(first['input'])}"
    return Problem(422, f"{name} {ask.replace(' or ', ' 或 ').replace(', ', '、')}{seen}。", field=name)
