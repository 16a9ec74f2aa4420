"""When the steps of a ladder fall: worked out once for all clocks of one shape, since a day's cases share theirs."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from sla_service.domain import clock
from sla_service.domain.calendar import Calendar
from sla_service.domain.case import REPLY_TARGET
from sla_service.domain.clock import Pause, business_date
from sla_service.domain.policy import Anchor, Policy, Step, Target, at_minute
from sla_service.errors import CalendarError


class First(NamedTuple):
    """A step's first occurrence, and the day from which its offset and its repeats are counted."""

    at: datetime
    step: Step
    base: date


class Shape(NamedTuple):
    """All that the times of a running clock's steps depend on."""

    target: Target
    policy: Policy
    calendar: Calendar
    kind: str
    department: str | None
    start_on: date
    limit: int
    pauses: tuple[Pause, ...]
    earliest: date | None  # the due date's bounds, both None while it is paused
    latest: date | None


@lru_cache(maxsize=4096)
def firsts(shape: Shape) -> tuple[First, ...]:
    """The first occurrence of each step that is for this kind and department, in the order of the ladder."""
    found = []
    for step in shape.target.ladder:
        if step.kinds and shape.kind not in step.kinds:
            continue
        if step.departments and shape.department not in step.departments:
            continue
        base = _base(shape, step)
        at = falls_at(shape.policy, shape.calendar, step, base, 0) if base is not None else None
        if base is not None and at is not None:
            found.append(First(at, step, base))
    return tuple(found)


def _base(shape: Shape, step: Step) -> date | None:
    """The day that the step's offset is counted from; None while there is none."""
    if shape.target.name == REPLY_TARGET:
        return shape.start_on
    if step.anchor is Anchor.PAUSE_END:
        pause = shape.pauses[-1] if shape.pauses and shape.pauses[-1].end is None else None
        # one that ran out before is urged on by the breach steps
        return None if pause is None or shape.latest is not None else _pause_end(shape, pause)
    if shape.latest is None:
        return None
    if step.anchor is Anchor.BREACH:
        return shape.latest
    if step.anchor is Anchor.SHARE:
        days = max(1, ceil(round(shape.limit * step.share, 6)))  # 7 % of 100 is 7, not 7.000000000000001
        reached = clock.due(shape.calendar, shape.policy.hours, shape.start_on, days, shape.pauses)
        return reached.earliest if reached else None
    return shape.earliest


def _pause_end(shape: Shape, pause: Pause) -> date:
    """The day on which the pause is to be looked at, the first working day whose opening it has seen."""
    calendar, began = shape.calendar, business_date(pause.begin)
    until = pause.expected_until
    if until is None or until > calendar.nth_before(calendar.last, 1):
        return calendar.nth_after(began, shape.policy.pause_days)
    ends = calendar.on_or_after(max(until, began))
    return ends if shape.policy.hours.open_at(ends) > pause.begin else calendar.nth_after(ends, 1)


def falls_at(policy: Policy, calendar: Calendar, step: Step, base: date, n: int) -> datetime | None:
    """When the ``n``-th repeat of a step falls; None off the end of the calendar, where there is no step."""
    hours, offset = policy.hours, step.offset + n * (step.repeat or 0)
    if step.anchor is Anchor.BREACH and offset == 0:
        close = hours.close_at(base)
        return close if step.minute is None else max(close, at_minute(base, step.minute))
    on = base
    try:
        if offset > 0:
            on = calendar.nth_after(base, offset)
        elif offset < 0:
            on = calendar.nth_before(base, -offset)
    except CalendarError:
        return None
    return at_minute(on, hours.open if step.minute is None else step.minute)
