"""What is wrong in a file, in the words of those who write it: where, what may stand there, what stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.words import near, shown

Loc = tuple[str | int, ...]
_SECRET = frozenset({"url"})  # passwords stand in channels' URLs


def plain_loc(loc: Loc, data: Any) -> Loc:
    """Without the parts that pydantic adds for branches of unions."""
    plain: list[str | int] = []
    for part in loc:
        inside = (isinstance(data, dict) and (part in data or part == loc[-1])) or (
            isinstance(data, list) and isinstance(part, int)
        )
        if inside:
            plain.append(part)
            data = data.get(part) if isinstance(data, dict) else data[part] if part < len(data) else None  # type: ignore[operator]
    return tuple(plain)


def sentence(model: type[BaseModel], loc: Loc, error: Any, value: str | None) -> str:
    """One of pydantic's errors on ``model`` at ``loc``; ``value`` is what stands there in the file."""
    kind = error["type"]
    parent, name = loc[:-1], loc[-1] if loc else ""
    inside = f"{where(parent)} 里" if parent else ""
    if kind == "missing":
        return f"{inside}缺少 {name}。"
    if kind == "extra_forbidden":
        names = _names(model, parent)
        guess = near(str(name), names)
        hint = f"，是不是 {guess}？" if guess else f"，可以写的有 {'、'.join(names)}。"
        return f"{inside}不认识 {shown(str(name))}{hint}"
    seen = f"，现在是 {shown(value)}。" if value is not None and name not in _SECRET else "。"
    if kind == "string_type" and isinstance(error["input"], int | float | date):
        return f'{where(loc)} 要加引号，写成 "{value}"。'
    return f"{where(loc)} {_ask(kind, error.get('ctx', {}))}{seen}" if loc else f"{_ask(kind, error.get('ctx', {}))}。"


def _ask(kind: str, context: Any) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", context["expected"])
        return f"要写 {'、'.join(words[:-1])} 或 {words[-1]}" if len(words) > 1 else f"要写 {words[0]}"
    plain = {
        "string_type": "要写文字",
        "string_too_short": "不能是空的",
        "string_too_long": "最长 {max_length} 个字符",
        "string_pattern_mismatch": "写法不对",
        "int_type": "要写整数",
        "bool_type": "要写 true 或 false",
        "greater_than_equal": "不能小于 {ge}",
        "less_than_equal": "不能大于 {le}",
        "list_type": "要写成列表，例如 [甲, 乙]",
        "too_short": "不能是空的",
        "dict_type": "要写成“名称: 值”的形式",
        "model_type": "要写成“名称: 值”的形式",
    }
    return plain.get(kind, "写法不对").format_map(context)


def where(loc: Loc) -> str:
    """``targets.resolve.ladder 第 4 项的 at``"""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f" 第 {part + 1} 项"
        else:
            text += ("的 " if text.endswith("项") else "." if text else "") + part
    return text.strip()


def _names(model: type[BaseModel], loc: Loc) -> list[str]:
    """What may be written at ``loc``."""
    found: Any = model
    for part in loc:
        found = _step(found, part)
    if get_origin(found) is list:  # a single entry may be written without the list
        found = get_args(found)[0]
    models = [m for m in _branches(found) if isinstance(m, type) and issubclass(m, BaseModel)]
    return [f.alias or name for m in models for name, f in m.model_fields.items()]


def _step(annotation: Any, part: str | int) -> Any:
    for one in _branches(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            fields = {f.alias or name: f.annotation for name, f in one.model_fields.items()}
            if part in fields:
                return fields[str(part)]
        elif get_origin(one) is list and isinstance(part, int):
            return get_args(one)[0]
        elif get_origin(one) is dict and isinstance(part, str):
            return get_args(one)[1]
    return None


def _branches(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without what pydantic hangs on it."""
    if hasattr(annotation, "__metadata__"):
        yield from _branches(get_args(annotation)[0])
    elif get_origin(annotation) is Union or isinstance(annotation, UnionType):
        for one in get_args(annotation):
            yield from _branches(one)
    elif get_origin(annotation) is not Literal:
        yield annotation
