"""The fold's moving parts: what each event does to a case that is being added up. Used by ``fold`` alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import REPLY_TARGET, Call, Case, Clock, Holder, State, Status
from sla_service.domain.clock import Pause, business_date
from sla_service.domain.events import Event
from sla_service.domain.findings import Finding, finding
from sla_service.domain.policy import MAIN_TARGET, Kind, Policy, Target
from sla_service.domain.running import Running, day, instant, start_day


class Folding:
    """One case between two events. Every method takes the event and the instant at which it counts."""

    def __init__(self, accepted: Event, policy: Policy, calendar: Calendar) -> None:
        self.policy, self.calendar = policy, calendar
        self.accepted = accepted
        data = accepted.data
        self.state = State.RUNNING
        self.kind: str | None = data.get("kind")
        self.department: str | None = data.get("department") or None
        self.handler: str | None = data.get("handler") or None
        self.holders = [Holder(accepted.time, self.handler, self.department, accepted.id)]
        self.stated: int | None = None
        self.informed = False
        self.extended = False
        self.round = 1
        self.outcome: str | None = None
        self.closed_at: datetime | None = None
        self.replied_at: datetime | None = None
        self.pending_transfer: Event | None = None
        self.findings: list[Finding] = []
        self.calls: list[Call] = []
        self.acknowledged: list[tuple[datetime, str]] = []
        self.merged: list[str] = []
        self.running: dict[str, Running] = {}
        self.stopped: list[Clock] = []
        self._state_special(data)
        main = policy.target(MAIN_TARGET)
        if main is not None:
            self.running[MAIN_TARGET] = self._start(main, 1, accepted.time, self.limit_of(main))
        self._start_others("case.accepted", accepted.time)

    def apply(self, event: Event, at: datetime) -> None:
        """Does what the event's type asks, then starts and stops the targets beside ``resolve``."""
        _EFFECTS[event.type](self, event, at)
        if event.type != "case.closed":  # closing starts its targets itself: a transfer may not close at all
            self._start_others(event.type, at)
        for name, clock in list(self.running.items()):
            if name != MAIN_TARGET and event.type in clock.target.stops:
                self._stop(name, at)

    # -- clocks ---------------------------------------------------------------------------------------------

    def limit_of(self, target: Target) -> int:
        """Working days that ``target`` has for the kind; special ones only with a stated limit and the word given."""
        kind = self.kind or self.policy.unclassified_as
        if kind == Kind.SPECIAL and target.name == MAIN_TARGET:
            if self.special_complete and self.stated is not None:
                return self.stated
            return target.limits[Kind.COMPLEX]
        return target.limits[kind]

    @property
    def special_complete(self) -> bool:
        return self.informed and self.stated is not None and (self.extended or self.stated <= self.policy.cap_days)

    @property
    def owes_reply(self) -> bool:
        return self.state is State.CLOSED and self.outcome != "withdrawn" and self.replied_at is None

    def _main_ran_out(self, at: datetime) -> bool:
        main = self.running.get(MAIN_TARGET)
        return main is not None and main.ran_out(at)

    def _start_others(self, event_type: str, at: datetime) -> None:
        if self.state is State.CLOSED and event_type != "case.closed":
            return
        for target in self.policy.targets:
            if target.name == MAIN_TARGET or event_type not in target.starts:
                continue
            if target.name in self.running:
                self._stop(target.name, at)  # a new holder signs anew
            past = sum(c.target == target.name for c in self.stopped)
            self.running[target.name] = self._start(target, past + 1, at, self.limit_of(target))

    def _stop(self, name: str, at: datetime) -> None:
        self.stopped.append(self.running.pop(name).stop(at))

    def _start(self, target: Target, number: int, at: datetime, limit: int) -> Running:
        start = start_day(self.policy, self.calendar, at)
        return Running(self.policy, self.calendar, target, number, at, start, limit)

    # -- what the events do ---------------------------------------------------------------------------------

    def _state_special(self, data: Mapping[str, Any]) -> None:
        if self.kind != Kind.SPECIAL:
            return
        if data.get("limit_days") is not None:
            self.stated = int(data["limit_days"])
        if data.get("applicant_informed_at"):
            self.informed = True

    def classify(self, event: Event, at: datetime) -> None:
        before = self.kind
        self.kind = event.data["kind"]
        if self.kind != before:
            self.stated, self.informed, self.extended = None, False, False
        self._state_special(event.data)
        for name, clock in self.running.items():
            limit = self.limit_of(clock.target)
            if clock.ran_out(at):
                if limit > clock.limit and name == MAIN_TARGET:
                    self.findings.append(finding("reclassified_late", at, event.id))
                continue
            clock.limit = limit
            if self.policy.reclassify_from == "reclassification" and self.kind != before:
                clock.start_on = start_day(self.policy, self.calendar, at)

    def assign(self, event: Event, at: datetime) -> None:
        department, handler = event.data.get("department"), event.data.get("handler")
        if department and department != self.department and not handler:
            self.handler = None  # the old handler does not go along into another department
        self.department = department or self.department
        self.handler = handler or self.handler
        self.holders.append(Holder(at, self.handler, self.department, event.id))

    def sign(self, event: Event, at: datetime) -> None:
        who = event.data.get("handler") or self.handler
        if who and self.handler is None:
            self.handler = who
            self.holders.append(Holder(at, who, self.department, event.id))
        if who:
            self.acknowledged.append((at, who))

    def progress(self, _event: Event, at: datetime) -> None:
        if self.handler:
            self.acknowledged.append((at, self.handler))

    def extend(self, event: Event, at: datetime) -> None:
        clock = self.running.get(MAIN_TARGET)
        if clock is None:
            return
        limit = self._extension_days(clock, event.data, at)
        base = clock.limit if self.kind == Kind.SPECIAL else self.limit_of(clock.target)
        cap = self.policy.cap_days + (base if self.policy.cap_counts == "extra" else 0)
        data, faults = event.data, []
        if clock.ran_out(at):
            faults.append("extension_late")
        if self.extended and self.policy.cap_counts == "extra":
            faults.append("extension_twice")
        if limit > cap:
            faults.append("extension_over_cap")
        if limit < clock.limit:
            faults.append("extension_shorter")
        if not str(data.get("reason") or "").strip():
            faults.append("extension_no_reason")
        if not data.get("applicant_informed_at"):
            faults.append("extension_not_informed")
        self.findings += [finding(code, at, event.id, limit=limit, cap=cap) for code in faults]
        if not data.get("approved_by"):
            self.findings.append(finding("extension_unapproved", at, event.id))
        if not faults:
            self.kind, self.stated, self.informed, self.extended = Kind.SPECIAL, limit, True, True
            clock.limit = limit

    def _extension_days(self, clock: Running, data: Mapping[str, Any], at: datetime) -> int:
        """The new limit in working days from the start; a date (``until``) is turned into as many."""
        if data.get("limit_days") is not None:
            return int(data["limit_days"])
        until = day(data.get("until"))
        if until is None or until > self.calendar.last:
            return self.policy.cap_days * 1000  # beyond every cap
        return clock.days_until(until, at)

    def pause(self, event: Event, at: datetime) -> None:
        data = event.data
        reason = str(data["reason"])
        late = self._main_ran_out(at)
        pause = Pause(at, None, reason, day(data.get("expected_until")))
        for clock in self.running.values():
            clock.pauses.append(pause)
        self.state = State.PAUSED
        codes = ["paused_overdue"] * late + ["pause_not_informed"] * (not data.get("applicant_informed_at"))
        codes += [f"pause_{reason}"] * (reason in ("supplement", "other"))
        self.findings += [finding(code, at, event.id) for code in codes]

    def resume(self, _event: Event, at: datetime) -> None:
        for clock in self.running.values():
            clock.end_pause(at)
        self.state = State.RUNNING

    def reset(self, event: Event, at: datetime) -> None:
        clock = self.running.get(MAIN_TARGET)
        if clock is None:
            return
        late = clock.ran_out(at)
        self.resume(event, at)
        if late:
            self.findings.append(finding("reset_late", at, event.id))
            return
        clock.started_at, clock.pauses = at, []
        clock.start_on = start_day(self.policy, self.calendar, at)

    def urge(self, event: Event, at: datetime) -> None:
        data = event.data
        call = Call(event.id, event.type, at, "handler", str(data.get("by") or ""), str(data.get("text") or ""))
        self.calls.append(call)

    def escalate(self, event: Event, at: datetime) -> None:
        data = event.data
        by, reason = str(data.get("by") or ""), str(data.get("reason") or "")
        self.calls.append(Call(event.id, event.type, at, str(data["to"]), by, reason))

    def close(self, event: Event, at: datetime) -> None:
        self.replied_at = instant(event.data.get("replied_at")) or self.replied_at
        if event.data["outcome"] == "transferred" and self.replied_at is None:
            self.pending_transfer = event
            return
        self._close(str(event.data["outcome"]), at)

    def _close(self, outcome: str, at: datetime) -> None:
        self.state, self.outcome, self.closed_at, self.pending_transfer = State.CLOSED, outcome, at, None
        for name in list(self.running):
            self._stop(name, at)
        self._start_others("case.closed", at)

    def reply(self, event: Event, at: datetime) -> None:
        self.replied_at = instant(event.data.get("replied_at")) or at
        if self.pending_transfer is not None:
            self._close("transferred", at)

    def reopen(self, _event: Event, at: datetime) -> None:
        last = next((c for c in reversed(self.stopped) if c.target == MAIN_TARGET), None)
        closed_at = self.closed_at or at
        self.round += 1
        self.state, self.outcome, self.closed_at, self.replied_at = State.RUNNING, None, None, None
        main = self.policy.target(MAIN_TARGET)
        if main is None or last is None:
            return
        clock = self._start(main, self.round, at, last.limit)
        if self.policy.reopen == "continue":
            clock.started_at, clock.start_on = last.started_at, last.start_on
            clock.pauses = [*last.pauses, Pause(closed_at, at, "closed")]
        self.running[MAIN_TARGET] = clock

    def merge(self, event: Event, _at: datetime) -> None:
        self.merged.append(str(event.data["into"]))

    def follow_up(self, _event: Event, _at: datetime) -> None:
        """Nothing of its own: the target ``follow_up`` is stopped by the event's type."""

    # -- the sum --------------------------------------------------------------------------------------------

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
            findings=tuple(self.findings + open_findings(self)),
            statuses=statuses,
            data=data,
        )


def open_findings(case: Folding) -> list[Finding]:
    """Findings that stand only until somebody does what they ask."""
    accepted, found = case.accepted, []
    if case.kind is None:
        found.append(finding("unclassified", accepted.time, accepted.id, kind="简单事项"))
    if case.kind == Kind.SPECIAL and not case.special_complete:
        over = case.stated is not None and case.stated > case.policy.cap_days
        code = "limit_over_cap" if over else "special_incomplete"
        cap = case.policy.cap_days
        found.append(finding(code, accepted.time, accepted.id, limit=case.stated, cap=cap))
    if case.pending_transfer is not None:
        late = case.pending_transfer
        found.append(finding("transferred_unanswered", late.time, late.id))
    if case.owes_reply:
        found.append(finding("no_reply", case.closed_at or accepted.time))
    return found


_EFFECTS: Mapping[str, Callable[[Folding, Event, datetime], None]] = {
    "case.classified": Folding.classify,
    "case.assigned": Folding.assign,
    "case.signed": Folding.sign,
    "case.extended": Folding.extend,
    "case.escalated": Folding.escalate,
    "case.paused": Folding.pause,
    "case.resumed": Folding.resume,
    "case.reset": Folding.reset,
    "case.urged": Folding.urge,
    "case.progressed": Folding.progress,
    "case.closed": Folding.close,
    "case.replied": Folding.reply,
    "case.reopened": Folding.reopen,
    "case.followed_up": Folding.follow_up,
    "case.merged": Folding.merge,
}
