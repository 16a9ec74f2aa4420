"""A case is the fold of its events: the values it gives, and the table of what is allowed when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sla_service.domain import clock as clocks
from sla_service.domain.calendar import Calendar
from sla_service.domain.clock import Due, Pause
from sla_service.domain.findings import Finding
from sla_service.domain.policy import MAIN_TARGET, Hours


class State(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"


class Verdict(StrEnum):
    MET = "met"
    BREACHED = "breached"


class Status(StrEnum):
    """What became of an event in its case."""

    APPLIED = "applied"
    WAITING = "waiting"
    REJECTED = "rejected"
    VOIDED = "voided"


_OPEN = frozenset({State.RUNNING, State.PAUSED})
_ANY = frozenset(State)

#: In which states an event is taken. Acceptance and voiding stand outside the table: they make and unmake the case.
ALLOWED: Mapping[str, frozenset[State]] = {
    "case.classified": _OPEN,
    "case.assigned": _ANY,  # a closed case may still owe an answer, so it may still change hands
    "case.signed": _OPEN,
    "case.extended": _OPEN,
    "case.escalated": _OPEN,
    "case.paused": frozenset({State.RUNNING}),
    "case.resumed": frozenset({State.PAUSED}),
    "case.reset": _OPEN,  # what was missing has come: a paused case runs again
    "case.urged": _OPEN,
    "case.progressed": _OPEN,
    "case.closed": _OPEN,
    "case.replied": _ANY,
    "case.reopened": frozenset({State.CLOSED}),
    "case.followed_up": frozenset({State.CLOSED}),
    "case.merged": _ANY,  # links cases for study, stops nothing
}

STATE_WORDS: Mapping[State, str] = {State.RUNNING: "办理中", State.PAUSED: "已挂起", State.CLOSED: "已办结"}


@dataclass(frozen=True, slots=True)
class Clock:
    """One target of one round. ``limit`` is in working days counted after ``start_on``.

    ``due`` is None while the clock is paused. ``verdict`` and ``late_days`` (working days) stand once it stopped.
    """

    target: str
    round: int
    started_at: datetime
    start_on: date
    limit: int
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None
    due: Due | None = None
    verdict: Verdict | None = None
    late_days: int | None = None

    @property
    def running(self) -> bool:
        return self.stopped_at is None

    @property
    def open_pause(self) -> Pause | None:
        return self.pauses[-1] if self.pauses and self.pauses[-1].end is None else None

    def ran_out(self, at: datetime) -> bool:
        """Has it run out before ``at``? A provisional date only at its latest."""
        return self.due is not None and at > self.due.latest_at

    def account(self, calendar: Calendar, hours: Hours, *, today: date) -> list[clocks.AccountDay]:
        """The day-by-day account up to the due date, or up to ``today`` while it is paused."""
        upto = self.due.on if self.due else max(today, self.start_on)
        return list(clocks.account(calendar, hours, self.start_on, self.limit, self.pauses, upto))


#: The clock of a closed case that still owes its applicant an answer.
REPLY_TARGET = "reply"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who held the case from ``since`` on, until the next one."""

    since: datetime
    handler: str | None
    department: str | None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A word to be passed on in the next send window: urged (催办) or escalated (上报)."""

    event_id: str
    type: str
    at: datetime
    to: str
    by: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What the events of one case add up to."""

    source: str
    no: str
    accepted_at: datetime | None = None
    state: State = State.RUNNING
    kind: str | None = None
    title: str = ""
    matter: str | None = None
    department: str | None = None
    handler: str | None = None
    outcome: str | None = None
    closed_at: datetime | None = None
    replied_at: datetime | None = None
    round: int = 1
    clocks: tuple[Clock, ...] = ()
    holders: tuple[Holder, ...] = ()
    calls: tuple[Call, ...] = ()
    acknowledged: tuple[tuple[datetime, str], ...] = ()
    merged_into: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    statuses: Mapping[str, tuple[Status, str]] = field(default_factory=dict)  # event id -> status, problem
    data: Mapping[str, Any] = field(default_factory=dict)  # what the acceptance said besides

    @property
    def accepted(self) -> bool:
        return self.accepted_at is not None

    @property
    def main(self) -> Clock | None:
        """The clock of ``resolve`` in the current round."""
        for clock in reversed(self.clocks):
            if clock.target == MAIN_TARGET:
                return clock
        return None

    def holder_at(self, at: datetime) -> Holder | None:
        """Who held the case at ``at``; a breach counts for the holder at the due instant."""
        held = [h for h in self.holders if h.since <= at]
        return held[-1] if held else (self.holders[0] if self.holders else None)
