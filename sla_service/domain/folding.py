"""A case while it is being added up: its clocks, its findings, and the sum at the end. Used by the fold alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import ALLOWED, REPLY_TARGET, Call, Case, Clock, Holder, State, Status
from sla_service.domain.clock import Pause, business_date
from sla_service.domain.events import Event
from sla_service.domain.findings import KIND_WORDS, Finding, finding
from sla_service.domain.policy import MAIN_TARGET, Kind, Policy, Target
from sla_service.domain.running import Running, start_day


def named(value: object) -> str | None:
    """A name out of an event's data, None for an empty or blank one."""
    return value.strip() or None if isinstance(value, str) else None


class Folding:
    """One case between two events. What the events do to it stands in ``effects``."""

    def __init__(self, accepted: Event, policy: Policy, calendar: Calendar) -> None:
        self.policy, self.calendar = policy, calendar
        self.accepted = accepted
        data = accepted.data
        self.state = State.RUNNING
        self.kind: str | None = data.get("kind")
        self.department = named(data.get("department"))
        self.handler = named(data.get("handler"))
        self.holders = [Holder(accepted.time, self.handler, self.department, accepted.id)]
        self.stated: int | None = None  # the definite limit of a special case
        self.informed = False
        self.granted: int | None = None  # the limit of an extension, which has its own cap
        self.extended = False
        self.round = 1
        self.outcome: str | None = None
        self.closed_at: datetime | None = None
        self.replied_at: datetime | None = None
        self.pending_transfer: Event | None = None
        self.open_pause: Pause | None = None
        self.findings: list[Finding] = []
        self.calls: list[Call] = []
        self.acknowledged: list[tuple[datetime, str]] = []
        self.merged: list[str] = []
        self.running: dict[str, Running] = {}
        self.stopped: list[Clock] = []
        self.state_special(data)
        main = policy.target(MAIN_TARGET)
        if main is not None:
            self.running[MAIN_TARGET] = self.start(main, 1, accepted.time)
        self.start_others(accepted.type, accepted.time)

    def find(self, code: str, at: datetime, event: Event, **words: object) -> None:
        self.findings.append(finding(code, at, event.id, event=event.id, **words))

    # -- limits ---------------------------------------------------------------------------------------------

    def limit_of(self, target: Target) -> int:
        """Working days that ``target`` has for the kind; special ones only with a stated limit and the word given."""
        kind = self.kind or self.policy.unclassified_as
        if kind == Kind.SPECIAL and target.name == MAIN_TARGET:
            if self.stated is not None and self.special_complete:
                return self.stated
            return target.limits[Kind.COMPLEX]
        return target.limits[kind]

    def state_special(self, data: Mapping[str, Any]) -> None:
        """Takes over what an acceptance or a classification says for a special case."""
        if self.kind != Kind.SPECIAL:
            return
        if data.get("limit_days") is not None:
            self.stated = int(data["limit_days"])
        if data.get("applicant_informed_at"):
            self.informed = True

    @property
    def over_cap(self) -> bool:
        """Beyond the cap only an extension may go, and that one has been held against its own."""
        return self.stated is not None and self.stated > self.policy.cap_days and self.stated != self.granted

    @property
    def special_complete(self) -> bool:
        return self.informed and self.stated is not None and not self.over_cap

    # -- clocks ---------------------------------------------------------------------------------------------

    @property
    def main(self) -> Running | None:
        return self.running.get(MAIN_TARGET)

    def main_ran_out(self, at: datetime) -> bool:
        return self.main is not None and self.main.ran_out(at)

    def start(self, target: Target, number: int, at: datetime) -> Running:
        start = start_day(self.policy, self.calendar, at)
        pauses = [self.open_pause] if self.open_pause else []  # what starts in a paused case waits with it
        return Running(self.policy, self.calendar, target, number, at, start, self.limit_of(target), pauses)

    def start_others(self, event_type: str, at: datetime) -> None:
        """Starts the targets beside ``resolve`` that this type of event starts."""
        for target in self.policy.targets:
            if target.name == MAIN_TARGET or event_type not in target.starts:
                continue
            if self.state is State.CLOSED and not outlives_closing(target):
                continue
            if target.name in self.running:
                self.stop(target.name, at, kept=False)  # a new holder signs anew
            past = sum(c.target == target.name for c in self.stopped)
            self.running[target.name] = self.start(target, past + 1, at)

    def stop_others(self, event_type: str, at: datetime) -> None:
        """Stops the targets beside ``resolve`` that this type of event stops."""
        for name, clock in list(self.running.items()):
            if name != MAIN_TARGET and event_type in clock.target.stops:
                self.stop(name, at)

    def stop(self, name: str, at: datetime, *, kept: bool = True) -> None:
        self.stopped.append(self.running.pop(name).stop(at, kept=kept))

    # -- the sum --------------------------------------------------------------------------------------------

    @property
    def owes_reply(self) -> bool:
        return self.state is State.CLOSED and self.outcome != "withdrawn" and self.replied_at is None

    def case(self, statuses: Mapping[str, tuple[Status, str]]) -> Case:
        data = self.accepted.data
        open_clocks = [c.snapshot() for c in self.running.values()]
        if self.owes_reply and self.closed_at is not None:
            open_clocks.append(Clock(REPLY_TARGET, self.round, self.closed_at, business_date(self.closed_at), 0))
        return Case(
            source=self.accepted.source,
            no=self.accepted.subject,
            accepted_at=self.accepted.time,
            state=self.state,
            kind=self.kind or self.policy.unclassified_as,
            title=str(data.get("title") or ""),
            matter=data.get("matter"),
            department=self.department,
            handler=self.handler,
            outcome=self.outcome,
            closed_at=self.closed_at,
            replied_at=self.replied_at,
            round=self.round,
            clocks=tuple(self.stopped + open_clocks),
            holders=tuple(self.holders),
            calls=tuple(self.calls),
            acknowledged=tuple(self.acknowledged),
            merged_into=tuple(self.merged),
            findings=tuple(self.findings + self._open_findings()),
            statuses=statuses,
            data=data,
        )

    def _open_findings(self) -> list[Finding]:
        """Findings that stand only until somebody does what they ask."""
        at, event_id, found = self.accepted.time, self.accepted.id, []
        if self.kind is None:
            kind = KIND_WORDS[self.policy.unclassified_as]
            found.append(finding("unclassified", at, event_id, kind=kind))
        if self.kind == Kind.SPECIAL and not self.special_complete:
            code = "limit_over_cap" if self.over_cap else "special_incomplete"
            found.append(finding(code, at, event_id, limit=self.stated, cap=self.policy.cap_days))
        if self.pending_transfer is not None:
            since = max(at, self.pending_transfer.time)
            found.append(finding("transferred_unanswered", since, self.pending_transfer.id))
        if self.owes_reply:
            found.append(finding("no_reply", self.closed_at or at))
        return found


def outlives_closing(target: Target) -> bool:
    """Can what stops this target still happen to a closed case? Following up can, signing cannot."""
    return any(State.CLOSED in ALLOWED.get(event_type, ()) for event_type in target.stops)
