"""One clock: how many working days are used, when they run out, and the day-by-day account of it.

A working day is used up if and only if the clock runs at that day's close of business, so a clock is never ticked:
its due date follows from the start, the limit and the whole history of pauses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from sla_service.domain.calendar import Calendar, DayKind
from sla_service.domain.policy import BEIJING, Hours

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """``[begin, end)``; ``end`` is None while it lasts."""

    begin: datetime
    end: datetime | None = None
    reason: str = ""
    expected_until: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When a clock runs out. ``at`` is the close of business of ``on``.

    ``provisional`` is true when a projected day was counted; ``earliest`` and ``latest`` are then the dates that a
    notice may still make of it (reminders go by the earliest, breach by the latest), else both equal ``on``.
    """

    on: date
    at: datetime
    provisional: bool
    earliest: date
    latest: date
    latest_at: datetime


def business_date(at: datetime) -> date:
    return at.astimezone(BEIJING).date()


def last_closed(at: datetime, hours: Hours) -> date:
    """The last day whose close of business lies strictly before ``at``."""
    day = business_date(at)
    while hours.close_at(day) >= at:  # twice for a hall that closes at 24:00, when ``at`` is that very midnight
        day -= ONE_DAY
    return day


def count_out(calendar: Calendar, hours: Hours, start: date, limit: int, pauses: Sequence[Pause]) -> date | None:
    """The day on which the last of ``limit`` working days after ``start`` is used up; None while paused before that.

    Pauses that begin after the clock has run out change nothing (rules: it keeps its due date).
    """
    position, left = start, limit
    for pause in pauses:
        due = calendar.nth_after(position, left)
        if hours.close_at(due) < pause.begin:
            return due
        before = max(position, last_closed(pause.begin, hours))
        left -= calendar.between(position, before)
        if pause.end is None:
            return None
        position = max(before, last_closed(pause.end, hours))
    return calendar.nth_after(position, left)


def used(calendar: Calendar, hours: Hours, start: date, pauses: Sequence[Pause], upto: date) -> int:
    """Working days used up from ``start`` (not counted) to ``upto`` (counted, if it has closed or is to be)."""
    if upto <= start:
        return 0
    total, position = 0, start
    for pause in pauses:
        before = min(upto, max(position, last_closed(pause.begin, hours)))
        total += calendar.between(position, before)
        if pause.end is None:
            return total
        position = max(before, last_closed(pause.end, hours))
        if position >= upto:
            return total
    return total + calendar.between(position, upto)


@lru_cache(maxsize=8192)
def _bounds(
    calendar: Calendar, hours: Hours, start: date, limit: int, pauses: tuple[Pause, ...], due: date
) -> tuple[date, date] | None:
    """Earliest and latest due date over what notices may still say; None if one of them has the clock paused.

    A pause that began after ``due`` may lie before the due date of a later scenario, so the scenarios have to reach
    to its end.
    """
    reach = max([due, *(business_date(p.end) for p in pauses if p.end is not None)])
    dates = {due}
    for variant in calendar.variants(start, reach):
        other = count_out(variant, hours, start, limit, pauses)
        if other is None:
            return None
        dates.add(other)
    return min(dates), max(dates)


@lru_cache(maxsize=8192)
def due(calendar: Calendar, hours: Hours, start: date, limit: int, pauses: tuple[Pause, ...] = ()) -> Due | None:
    """The due date of a clock that started on ``start`` with ``limit`` working days; None while it is paused.

    Paused counts in doubt: a clock that was paused between its earliest and its latest possible due date has run out
    only if the notice says so, and until then nobody may be told of a breach.

    Cached, since the cases of one day, kind and limit share theirs.
    """
    on = count_out(calendar, hours, start, limit, pauses)
    if on is None:
        return None
    at = hours.close_at(on)
    if not calendar.projected_between(start, on):
        return Due(on, at, provisional=False, earliest=on, latest=on, latest_at=at)
    bounds = _bounds(calendar, hours, start, limit, pauses, on)
    if bounds is None:
        return None
    earliest, latest = bounds
    return Due(on, at, provisional=True, earliest=earliest, latest=latest, latest_at=hours.close_at(latest))


AccountState = Literal["start", "counted", "off", "paused", "due"]


@dataclass(frozen=True, slots=True)
class AccountDay:
    """One line of the account. ``n`` is the working day's number where it counted."""

    on: date
    kind: DayKind
    name: str
    state: AccountState
    n: int | None
    reason: str = ""
    projected: bool = False


def account(
    calendar: Calendar, hours: Hours, start: date, limit: int, pauses: Sequence[Pause], upto: date
) -> Iterator[AccountDay]:
    """Every day from the start to the due date (or ``upto`` while paused), and whether it counted and why."""
    day = calendar.day(start)
    yield AccountDay(start, day.kind, day.name, "start", None, projected=day.projected)
    n, current = 0, start
    while n < limit and current < upto:
        current += ONE_DAY
        day = calendar.day(current)
        if not calendar.is_working(current):
            yield AccountDay(current, day.kind, day.name, "off", None, projected=day.projected)
            continue
        close = hours.close_at(current)
        paused = next((p for p in pauses if p.begin <= close and (p.end is None or close < p.end)), None)
        if paused is not None:
            yield AccountDay(current, day.kind, day.name, "paused", None, paused.reason, day.projected)
            continue
        n += 1
        yield AccountDay(current, day.kind, day.name, "due" if n == limit else "counted", n, projected=day.projected)
