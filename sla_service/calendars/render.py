"""A year as twelve months of text, for a terminal of eighty columns and for pages; told apart without colour."""

from __future__ import annotations

import unicodedata
from calendar import monthrange
from datetime import date
from itertools import zip_longest
from typing import Final, NamedTuple

from sla_service.domain.calendar import Calendar, Day, DayKind, YearStatus

MARKS: Final = {DayKind.HOLIDAY: "休", DayKind.MAKEUP: "班"}
STATUS_WORDS: Final = {
    YearStatus.PUBLISHED: "已公布",
    YearStatus.AMENDED: "已公布，年内有调整",
    YearStatus.PROJECTED: "暂定，通知尚未公布",
    YearStatus.UNKNOWN: "未知，仅按周末计算",
}

_WEEKDAYS: Final = "一二三四五六日"
_CELL: Final = 5  # day, mark, gap: " 1休 "
_MONTH: Final = 7 * _CELL - 1
_GAP: Final = "  "


class Month(NamedTuple):
    """One month: its weeks from Monday to Sunday (``None`` outside the month) and its working days."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]
    working: int


def months(calendar: Calendar, year: int) -> tuple[Month, ...]:
    """The twelve months of ``year`` as plain values."""
    return tuple(_month(calendar, date(year, month, 1)) for month in range(1, 13))


def render_year(calendar: Calendar, year: int, *, columns: int = 2) -> str:
    """The year as text: 休 beside days off, 班 beside make-up days, ``columns`` months side by side."""
    drawn = [_draw(month) for month in months(calendar, year)]
    rows = [drawn[i : i + columns] for i in range(0, len(drawn), columns)]
    total = sum(month.working for month in months(calendar, year))
    head = f"{year} 年 {STATUS_WORDS[calendar.status(year)]}，共 {total} 个工作日（休 = 放假，班 = 调休上班）"
    lines = [head]
    for row in rows:
        lines.append("")
        beside = zip_longest(*row, fillvalue="")
        lines.extend(_GAP.join(pad(piece, _MONTH) for piece in pieces).rstrip() for pieces in beside)
    return "\n".join(lines) + "\n"


def width(text: str) -> int:
    """Columns that a terminal uses for ``text``: two for a Chinese character or full-width mark."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def pad(text: str, columns: int) -> str:
    """``text`` filled with spaces to a width in columns."""
    return text + " " * max(columns - width(text), 0)


def _month(calendar: Calendar, first: date) -> Month:
    length = monthrange(first.year, first.month)[1]
    days: list[Day | None] = [None] * first.weekday()
    days.extend(calendar.days(first, first.replace(day=length)))
    days.extend([None] * (-len(days) % 7))
    weeks = tuple(tuple(days[i : i + 7]) for i in range(0, len(days), 7))
    return Month(first, weeks, sum(day.kind.counts for day in days if day is not None))


def _draw(month: Month) -> list[str]:
    title = f"{month.first.month} 月（{month.working} 个工作日）"
    names = "".join(pad(f" {name}", _CELL) for name in _WEEKDAYS)
    return [title, names.rstrip(), *("".join(map(_cell, week)).rstrip() for week in month.weeks)]


def _cell(day: Day | None) -> str:
    if day is None:
        return " " * _CELL
    return pad(f"{day.on.day:>2}{MARKS.get(day.kind, '')}", _CELL)
