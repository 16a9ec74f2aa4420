"""What people put into cells: dates in every spelling, numbers meant as text, text meant as numbers."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sla_service.domain.policy import BEIJING

_DATE = (
    r"(?:(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?"
    r"|(?P<y2>\d{4})(?P<m2>\d\d)(?P<d2>\d\d))"
)
_WEEKDAY = r"(?:\s*[(]?(?:星期|周|礼拜)[一二三四五六日天][)]?)?"
_HALF = r"(?:上午|早上|凌晨|中午|下午|晚上|傍晚|am|pm)"
_TIME = (
    rf"(?P<half>{_HALF})?\s*(?P<H>\d{{1,2}})\s*[:时点]\s*(?:(?P<M>\d{{1,2}})\s*分?)?"
    rf"(?:\s*:?\s*(?P<S>\d{{1,2}})(?:\.\d+)?\s*秒?)?\s*(?P<half2>am|pm)?"
)
_WHEN = re.compile(rf"{_DATE}{_WEEKDAY}(?:[\sT,]*{_TIME}\s*(?P<zone>z|[+-]\d\d:?\d\d)?)?", re.IGNORECASE)
_PACKED = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # 1954 to 2119
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 (a wall clock, its zone is put on later)
_EXACT = 10**15  # Excel keeps fifteen digits of a number
_NOON = 12


class BadCell(ValueError):  # noqa: N818
    """A cell that cannot be what its column says; the text is for whoever wrote it."""


class Moment(NamedTuple):
    """An instant, or a day alone (``at`` is then None): what that means depends on the column."""

    on: date
    at: datetime | None


def text(value: Any) -> str:
    """A cell as text; a number that was typed as a number loses nothing, or is refused."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        if abs(value) >= _EXACT:
            raise BadCell("是 15 位以上的数字，Excel 已经丢了后面几位，请把这一列设为文本格式重新填写")
        return str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    found = str(value).strip()
    if found.startswith("#") and found.rstrip("!?").isupper() and found[1:2].isalpha():
        raise BadCell(f"是 Excel 的错误值 {found}")
    return found


def whole(value: Any) -> int | None:
    """``15`` out of 15, 15.0, "15个工作日"; None for an empty cell."""
    found = unicodedata.normalize("NFKC", text(value))
    if not found:
        return None
    match = re.fullmatch(r"(\d{1,4})\s*(?:个?(?:工作日|日|天))?", found)
    if match is None:
        raise BadCell(f"要写工作日数，例如 15，现在是“{found[:40]}”")
    return int(match[1])


def moment(value: Any, zone: tzinfo) -> Moment | None:
    """What a cell says of time, read in ``zone``; None for an empty one.

    Midnight to the second counts as a day alone: that is how databases and Excel write a day.
    """
    if isinstance(value, bool | timedelta):
        raise BadCell("不是日期")
    if isinstance(value, int | float):
        return _of(_serial(float(value)), zone)
    if isinstance(value, datetime):
        return _of(value, zone)
    if isinstance(value, date):
        return Moment(value, None)
    found = unicodedata.normalize("NFKC", text(value))
    if not found:
        return None
    if _SERIAL.fullmatch(found):
        return _of(_serial(float(found)), zone)
    try:
        return _read(found, zone)
    except ValueError:
        raise BadCell(f"日期不存在或读不懂：“{found[:40]}”，请写成 2026-09-18 或 2026-09-18 10:12") from None


def zone_of(name: str) -> tzinfo:
    """``+08:00`` or ``Asia/Shanghai``. Raises ValueError for anything else."""
    match = _OFFSET.fullmatch(name)
    if match:
        span = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-span if match[1] == "-" else span)
    if name.upper() in ("Z", "UTC"):
        return UTC
    try:
        return BEIJING if name == "Asia/Shanghai" else ZoneInfo(name)
    except (KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(name) from None


def _serial(value: float) -> datetime:
    if not _FIRST_SERIAL <= value < _LAST_SERIAL:
        raise BadCell(f"要写日期，现在是数字 {value:g}")
    return _EXCEL_ZERO + timedelta(seconds=round(value * 86_400))


def _of(at: datetime, zone: tzinfo) -> Moment:
    if not (at.hour or at.minute or at.second) and at.tzinfo is None:
        return Moment(at.date(), None)
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    return Moment(at.astimezone(BEIJING).date(), at.replace(microsecond=0))


def _read(found: str, zone: tzinfo) -> Moment:
    packed = _PACKED.fullmatch(found)
    if packed:
        year, month, day, hour, minute, second = map(int, packed.groups())
        return _of(datetime(year, month, day, hour, minute, second), zone)  # noqa: DTZ001
    match = _WHEN.fullmatch(found)
    if match is None:
        raise ValueError(found)
    on = date(*(int(match[a] or match[b]) for a, b in (("y", "y2"), ("m", "m2"), ("d", "d2"))))
    if match["H"] is None:
        return Moment(on, None)
    hour = _hour(int(match["H"]), (match["half"] or match["half2"] or "").lower())
    wall = datetime(on.year, on.month, on.day, hour, int(match["M"] or 0), int(match["S"] or 0))  # noqa: DTZ001
    if match["zone"]:
        wall = wall.replace(tzinfo=zone_of(match["zone"]))
        return Moment(wall.astimezone(BEIJING).date(), wall)
    return _of(wall, zone)


def _hour(hour: int, half: str) -> int:
    if half in ("下午", "晚上", "傍晚", "pm") or (half == "中午" and hour < _NOON - 1):
        return hour if hour >= _NOON else hour + _NOON
    return 0 if half in ("am", "凌晨") and hour == _NOON else hour
