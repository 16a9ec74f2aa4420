"""A case out of its events, each clock under the calendar that it is counted by.

A running clock goes by the calendar in force for the case's department; one that has stopped keeps the version that
its verdict was found under, and so does a closed case. Fold and versions together give the same clocks whatever came
in between, and whoever asks: intake, the account of a case, the doctor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case, Clock, State
from sla_service.domain.events import Event
from sla_service.domain.fold import fold
from sla_service.domain.policy import Policy

Row = Mapping[str, Any]
ClockKey = tuple[str, int]  # target, round


@dataclass(frozen=True, slots=True)
class Refolded:
    """The case with its policy. ``calendar`` is what it stands under, ``in_force`` what running clocks go by."""

    case: Case
    policy: Policy
    calendar: Calendar
    in_force: Calendar
    others: Mapping[ClockKey, Calendar] = field(default_factory=dict)  # of clocks that go by another one

    def counted_by(self, clock: Clock) -> Calendar:
        """The calendar of one of the case's clocks."""
        return self.others.get((clock.target, clock.round), self.calendar)


def refolded(
    events: Sequence[Event],
    row: Row,
    clocks: Mapping[ClockKey, Row],
    policy: Policy,
    *,
    kept: Callable[[str | None], Calendar],
    in_force: Callable[[str, str | None], Calendar],
) -> Refolded:
    """Folds the events of the case that ``row`` and ``clocks`` hold as it was (both may be of a case yet to come).

    ``kept`` gives a calendar by version, ``in_force`` the one of a department of a hall. Which department has the
    case is known once it is folded, whatever the calendar: where that one counts by another calendar, the case is
    folded once more. So is one that was reopened: it is judged anew under today's.
    """

    def under(calendar: Calendar) -> Case:
        return fold(events, policy, calendar, source=row["source"], no=row["no"])

    closed = row["state"] == State.CLOSED
    used = kept(row["calendar_version"]) if closed else in_force(row["hall"], row["department"])
    case = under(used)
    current = in_force(row["hall"], case.department)
    if current.version != used.version and not (closed and case.state is State.CLOSED):
        case, used = under(current), current
    others = _others(case, clocks, used, current, kept)
    if not others:
        return Refolded(case, policy, used, current)
    by_version = {used.version: case}
    for calendar in others.values():
        if calendar.version not in by_version:
            by_version[calendar.version] = under(calendar)
    chosen = tuple(_same(c, by_version[others[_key(c)].version]) if _key(c) in others else c for c in case.clocks)
    return Refolded(replace(case, clocks=chosen), policy, used, current, others)


def _others(
    case: Case, clocks: Mapping[ClockKey, Row], used: Calendar, current: Calendar, kept: Callable[[str], Calendar]
) -> dict[ClockKey, Calendar]:
    """The clocks that are not counted by ``used``: most cases have none."""
    found = {}
    for clock in case.clocks:
        if clock.running:
            if clock.due is not None and current.version != used.version:  # it runs on after the case was closed
                found[_key(clock)] = current
            continue
        row = clocks.get(_key(clock))
        version = None if row is None else row["counted_by"] if row["stopped_at"] is not None else current.version
        if version is not None and version != used.version:
            found[_key(clock)] = current if version == current.version else kept(version)
    return found


def _key(clock: Clock) -> ClockKey:
    return clock.target, clock.round


def _same(clock: Clock, case: Case) -> Clock:
    return next(one for one in case.clocks if _key(one) == _key(clock))
