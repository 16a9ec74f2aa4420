"""What is wrong with an event's ``data``, as one Chinese sentence that names the field and what to send."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from schemas.words import shown

_INFINITY = float("inf")
_SURROGATE = re.compile("[\ud800-\udfff]")

#: pydantic's error type -> what to send.
_ASK = {
    "string_type": "要是字符串",
    "string_too_long": "最长 {max_length} 个字符",
    "string_pattern_mismatch": "不能是空白",
    "int_type": "要是整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "bool_type": "要是 true 或 false",
    "when": "要写带时区的时间（2026-11-20T10:12:00+08:00）或日期（2026-11-20）",
    "model_type": "要是一个对象",
}

#: Fields whose values are people's own words or personal data: never repeated in answers and logs.
_ECHOED = frozenset(
    (
        *("kind", "outcome", "to", "reason", "limit_days", "count", "satisfied"),
        *("until", "expected_until", "applicant_informed_at", "replied_at", "wanted_by"),
    ),
)


def data_problem(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """(JSON path, sentence) of the first thing that is wrong with a ``model``'s data."""
    first = error.errors(include_url=False)[0]
    loc, kind = first["loc"], first["type"]
    if loc[:1] == ("labels",):
        return "data.labels", "data.labels 要是字符串的列表（最多 50 个，每个最长 100 个字符）。"
    if kind == "one_of":
        return "data", f"data 里 {first['ctx']['names']} 至少要写一个。"
    path = "data" + "".join(f".{part}" for part in loc)
    if kind == "missing":
        return path, f"{path} 必填，{_expected(model, str(loc[0]))}。"
    ask = _ASK.get(kind, "不是要求的形式").format_map({"choices": "", **first.get("ctx", {})})
    if kind == "literal_error":
        ask = _expected(model, str(loc[0]))
    if len(loc) > 1 or loc[0] not in _ECHOED or kind == "string_too_long":
        return path, f"{path} {ask}。"
    return path, f"{path} {ask}，收到的是 {shown(first['input'])}。"


def _expected(model: type[BaseModel], name: str) -> str:
    """What a field takes: the words to choose from, or just text."""
    annotation = model.model_fields[name].annotation
    for choice in (annotation, *get_args(annotation)):
        if get_origin(choice) is Literal:
            words = get_args(choice)
            return f"要写 {'、'.join(words[:-1])} 或 {words[-1]}"
    return "要写文字"


def unfit(value: Any, path: str) -> tuple[str, str] | None:
    """Where in ``value`` something stands that no database keeps, and the sentence; None if nowhere."""
    if isinstance(value, dict):
        return next(filter(None, (_unfit_entry(k, v, path) for k, v in value.items())), None)
    if isinstance(value, list):
        return next(filter(None, (unfit(inner, f"{path}[{i}]") for i, inner in enumerate(value))), None)
    if isinstance(value, str):
        if "\x00" in value:
            return path, f"{path} 里有 U+0000 字符，请去掉。"
        if _SURROGATE.search(value):
            return path, f"{path} 里有不成对的 UTF-16 代理字符，请按完整的 Unicode 字符发送。"
    elif not (value is None or isinstance(value, int) or (isinstance(value, float) and abs(value) < _INFINITY)):
        return path, f"{path} 不是 JSON 能表示的值。"
    return None


def _unfit_entry(key: object, inner: Any, path: str) -> tuple[str, str] | None:
    if not isinstance(key, str):
        return path, f"{path} 的字段名要是字符串。"
    return unfit(key, f"{path} 的字段名") or unfit(inner, f"{path}.{shown(key, 40, quote=False)}")
