"""A ladder laid out in working days: for each target and kind, who is told on which day.

Worked out by the ladder itself, over weeks without any holiday, for a case that was accepted just after opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from sla_service.domain import clock as clocks
from sla_service.domain.calendar import Calendar, Year, YearStatus
from sla_service.domain.case import Clock
from sla_service.domain.ladder import Ladder, window
from sla_service.domain.policy import BEIJING, Anchor, Policy, Step, Target

_START = date(2001, 1, 1)  # a Monday; any would do
_YEARS = 12
_LATEST = 250  # working days after the breach that are looked at


@dataclass(frozen=True, slots=True)
class Moment:
    """A step. ``day`` counts working days from the receipt (the limit is the due date), ``minute`` those of the day.

    ``goes_day`` and ``goes_minute`` are when it goes out: what falls outside the sending hours waits for the opening.
    """

    day: int
    minute: int
    step: Step
    goes_day: int
    goes_minute: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """One target for one kind. ``never``: steps that lie before the receipt; ``on_pause``: those of a paused clock."""

    target: str
    kind: str
    limit: int
    yellow: int | None
    moments: tuple[Moment, ...]
    never: tuple[Step, ...] = ()
    on_pause: tuple[Step, ...] = ()

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for kinds that are told alike."""
        return self.target, self.limit, self.yellow, self.moments, self.never, self.on_pause


def timelines(policy: Policy) -> list[Timeline]:
    """Every target that is on, for each kind, in the policy's order."""
    return [_timeline(policy, target, kind) for target in policy.targets for kind in target.limits]


def _timeline(policy: Policy, target: Target, kind: str) -> Timeline:
    limit, calendar = target.limits[kind], _plain_weeks()
    began = policy.hours.open_at(_START) + timedelta(minutes=1)
    due = clocks.due(calendar, policy.hours, _START, limit, ())
    clock = Clock(target.name, 1, began, _START, limit, due=due)
    departments: set[str | None] = {None, *(d for step in target.ladder for d in step.departments)}
    steps: dict[tuple[datetime, Step], None] = {}
    for department in sorted(departments, key=str):
        ladder = Ladder(clock, target, policy, calendar, kind, department)
        upto = policy.hours.open_at(calendar.nth_after(due.on if due else _START, _LATEST))
        steps |= {(one.at, one.step): None for one in ladder.planned(began, upto) if one.n == 0}
    moments = sorted(_moments(policy, steps), key=lambda m: (m.day, m.minute))
    mine = [step for step in target.ladder if not step.kinds or kind in step.kinds]
    pausing = tuple(step for step in mine if step.anchor is Anchor.PAUSE_END)
    told = {step for _, step in steps}
    never = tuple(step for step in mine if step not in told and step not in pausing)
    return Timeline(target.name, kind, limit, target.yellow.get(kind), tuple(moments), never, pausing)


def _moments(policy: Policy, steps: dict[tuple[datetime, Step], None]) -> Iterator[Moment]:
    for at, step in steps:
        goes = window(at, policy, _plain_weeks(), step)
        yield Moment(*_place(at), step, *_place(goes))


def _place(at: datetime) -> tuple[int, int]:
    """Working days since the receipt, and minutes of the day."""
    local = at.astimezone(BEIJING)
    day, minute = local.date(), local.hour * 60 + local.minute
    if minute == 0 and day > _START:  # a hall that closes at midnight: 24:00 of the day before
        day, minute = day - timedelta(days=1), 24 * 60
    return _plain_weeks().between(_START, day), minute


@cache
def _plain_weeks() -> Calendar:
    years = {_START.year + n: Year(YearStatus.PUBLISHED) for n in range(_YEARS)}
    last = date(_START.year + _YEARS - 1, 12, 31)
    return Calendar(version="plain weeks", first=_START, last=last, years=years)
