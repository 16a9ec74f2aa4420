"""How single values are written in the files: ``3wd``, ``"17:30"``, ``24h``, ``due-0wd 14:00``."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema

MINUTES = 24 * 60
MAX_DAYS = 250  # working days of a year
_WD = re.compile(r"([0-9]{1,3})wd")
_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AT = re.compile(
    r"(?:(?P<anchor>due|breach|pause_end)(?:(?P<offset>[+-][0-9]{1,3})wd)?|(?P<share>[0-9]{1,3})%)"
    r"(?: +(?P<time>[0-9]{1,2}:[0-5][0-9]))?"
)


def read_days(value: object) -> int:
    """Working days: ``3wd``."""
    found = _WD.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) > MAX_DAYS:
        raise ValueError("要写工作日数，例如 3wd")
    return int(found[1])


def read_some_days(value: object) -> int:
    """Working days, at least one."""
    if (days := read_days(value)) < 1:
        raise ValueError("要写至少 1 个工作日，例如 3wd")
    return days


def read_minute(value: object) -> int:
    """Minutes after midnight: ``"17:30"``; ``"24:00"`` is the end of the day."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    minute = int(found[1]) * 60 + int(found[2]) if found else MINUTES + 1
    if minute > MINUTES:
        raise ValueError('要写加引号的时间，例如 "17:30"')
    return minute


def read_seconds(value: object) -> int:
    """A span of time: ``24h``."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("要写时间长度，例如 30s、10m、24h、7d")
    return int(found[1]) * _SECONDS[found[2]]


def read_day(value: object) -> date:
    """A date, quoted or not."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == len("2026-11-01") else "")
    except ValueError:
        raise ValueError("要写日期，例如 2026-11-01") from None


def one_or_many(value: object) -> object:
    """A single word where a list is asked for."""
    return [value] if isinstance(value, str) else value


class At(NamedTuple):
    """When a step is due; ``offset`` in working days, ``share`` of the limit in percent, ``minute`` of the day."""

    key: str
    anchor: Literal["due", "breach", "pause_end", "share"]
    offset: int = 0
    share: int = 0
    minute: int | None = None


def read_at(value: object) -> At:
    """``due-3wd``, ``due-0wd 14:00``, ``breach``, ``breach+2wd``, ``pause_end+1wd``, ``50%``."""
    found = _AT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("要写 due-3wd、due-0wd 14:00、breach、breach+2wd、pause_end 或 50% 这样的时刻")
    anchor: Any = found["anchor"] or "share"
    offset, share = int(found["offset"] or 0), int(found["share"] or 0)
    if anchor == "due" and offset > 0:
        raise ValueError(f"要写成 breach+{offset}wd：到期日之后用 breach 起算")
    if anchor == "breach" and offset < 0:
        raise ValueError(f"要写成 due{offset}wd：到期日之前用 due 起算")
    if abs(offset) > MAX_DAYS:
        raise ValueError(f"最多相隔 {MAX_DAYS} 个工作日")
    if anchor == "share" and not 0 < share <= 100:  # noqa: PLR2004 (per cent)
        raise ValueError("要写时限的 1% 到 100%")
    minute = read_minute(found["time"]) if found["time"] else None
    if minute == MINUTES:
        raise ValueError("的时刻要在 00:00 到 23:59 之间")
    return At(" ".join(found[0].split()), anchor, offset, share, minute)


def _written(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


Days = Annotated[int, BeforeValidator(read_days), _written("[0-9]{1,3}wd", "1wd")]
SomeDays = Annotated[int, BeforeValidator(read_some_days), _written("[0-9]{1,3}wd", "3wd")]
Minute = Annotated[int, BeforeValidator(read_minute), _written("[0-9]{1,2}:[0-5][0-9]", "17:30")]
Seconds = Annotated[int, BeforeValidator(read_seconds), _written("[1-9][0-9]*[smhd]", "24h")]
Day = Annotated[date, BeforeValidator(read_day), WithJsonSchema({"type": "string", "format": "date"})]
StepAt = Annotated[At, BeforeValidator(read_at), WithJsonSchema({"type": "string", "examples": ["due-1wd"]})]

Word = Annotated[str, Field(min_length=1, max_length=200)]
_Words: Any = BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word])
Words = Annotated[list[Word], _Words, Field(min_length=1)]
