"""What follows from a folded case: its clocks' next look, breaches taken back, words to pass on. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case, Clock, State, Verdict
from sla_service.domain.clock import business_date
from sla_service.domain.directory import Directory
from sla_service.domain.ladder import NO_DELAY, Ladder, Notice, Planned, after_move, latest_passed, target_of, window
from sla_service.domain.policy import MAIN_TARGET, Anchor, Policy, Role, Step
from sla_service.services.addressing import About, falls, messages
from sla_service.services.app import Change
from sla_service.services.refolding import Refolded
from sla_service.services.views import beijing
from sla_service.store import cases

Row = dict[str, Any]

#: How long a source's first events may trickle in before the opening lists go out.
OPENING_DELAY = timedelta(minutes=5)

#: Words about dates that a calendar has moved wait until all cases have followed, so that each person gets one message.
HELD = timedelta(hours=2)


@dataclass(slots=True)
class Context:
    """One case before and after a batch. ``clocks`` are the old rows by target and round."""

    refolded: Refolded
    row: Row
    old: Mapping[str, Any]
    clocks: Mapping[tuple[str, int], Mapping[str, Any]]
    directory: Directory
    source: Mapping[str, Any]
    new_events: set[str]
    now: datetime
    silent: bool
    change: Change | None = None  # the case stood under another version of its calendar before
    untold: Sequence[Mapping[str, Any]] = ()  # messages about dates that a calendar has moved, still to go out

    @property
    def case(self) -> Case:
        return self.refolded.case

    @property
    def policy(self) -> Policy:
        return self.refolded.policy

    @property
    def calendar(self) -> Calendar:
        """What running clocks are counted by, and when words may go out."""
        return self.refolded.in_force

    @property
    def delay(self) -> timedelta:
        """How long after the due instant a breach of this source is announced."""
        return timedelta(seconds=self.source["batch_delay"])

    def why(self, clock: Clock, old: Mapping[str, Any]) -> Row:
        """Why a clock's date moved, for the journal."""
        if self.change is None or not by_calendar(clock, old):
            return {"reason": "events"}
        return {"reason": "calendar", "text": self.change.reason, "change": self.change.seq}

    def about(self, clock: Clock | None) -> About:
        return About(
            source=self.case.source,
            no=self.case.no,
            hall=self.old["hall"],
            department=self.case.department,
            handler=self.case.handler,
            target=clock.target if clock else MAIN_TARGET,
            round=clock.round if clock else self.case.round,
            due_on=clock.due.on if clock and clock.due else None,
            sandbox_only=bool(self.source["test"]),
        )


@dataclass(slots=True)
class Consequences:
    """Rows to be written for a whole batch."""

    cases: list[Row] = field(default_factory=list)
    clocks: list[Row] = field(default_factory=list)
    gone: list[tuple[str, str, str, int]] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    overtaken: list[int] = field(default_factory=list)  # messages that a later one stands for

    def add(self, c: Context) -> None:
        told = len(self.messages)
        self.cases.append(c.row)
        kept = set()
        for clock in c.case.clocks:
            kept.add((clock.target, clock.round))
            row = self._clock(c, clock)
            if row != c.clocks.get((clock.target, clock.round)):  # most events move no clock
                self.clocks.append(row)
        gone = [key for key in c.clocks if key not in kept]
        self.gone += [(c.case.source, c.case.no, target, number) for target, number in gone]
        if c.case.accepted and not c.silent:
            self._calls(c)
            self._new_holder(c)
            self._follow(c)
        same = c.old["handler"] == c.row["handler"] and c.old["department"] == c.row["department"]
        before = c.old["falls"] if same else None  # for another holder another search
        new = falls(self.messages[told:]).get((c.case.source, c.case.no)) if len(self.messages) > told else None
        c.row["falls"] = cases.joined(before, new)

    # -- clocks ---------------------------------------------------------------------------------------------

    def _clock(self, c: Context, clock: Clock) -> Row:
        old = c.clocks.get((clock.target, clock.round))
        live = c.source["go_live"]
        watermark = old["watermark"] if old else max(clock.started_at, live)
        if c.silent:
            watermark = max(watermark, c.now)
        known = old["breached_at"] if old else None
        if old is not None and clock.running and not c.silent:
            watermark = max(after_move(watermark, cases.due_of(old), clock.due, delay=c.delay), live)
        breached = self._breach(c, clock, known, watermark)
        if breached is not None and known is not None and known != breached:
            watermark = max(watermark, breached)  # moved, but told: a breach is told again only after a withdrawal
        row = cases.clock_row(c.case.source, c.case.no, clock, c.refolded.counted_by(clock).version)
        row |= {"watermark": watermark, "breached_at": breached, "next_at": None}
        ladder = ladder_of(c.case, clock, c.policy, c.calendar, delay=c.delay)
        if clock.running and ladder is not None:
            row["next_at"] = ladder.next_after(watermark)
            if old is None and clock.started_at < live and clock.target == MAIN_TARGET and not c.silent:
                self._opening(c, clock)
        if old is not None and clock.running and old["due_on"] != row["due_on"]:
            which = {"target": clock.target, "round": clock.round}
            moved = {**which, "old": old["due_on"], "new": row["due_on"], **c.why(clock, old)}
            self._note(c, "due_changed", moved)
        return row

    def _breach(self, c: Context, clock: Clock, known: datetime | None, watermark: datetime) -> datetime | None:
        """The due instant whose passing is known: still standing, found in a verdict, or taken back with both dates."""
        due, which = clock.due, {"target": clock.target, "round": clock.round}
        if clock.running:
            seen = watermark - c.delay if known is None else c.now
            passed = due is not None and due.latest_at <= seen
        else:
            passed = clock.verdict is Verdict.BREACHED
        if passed and due is not None:
            if known is None:
                self._note(c, "breached", {**which, "due": beijing(due.latest_at), "late_days": clock.late_days})
            return due.latest_at
        if known is not None:
            new = beijing(due.latest_at) if due else None
            old = c.clocks[clock.target, clock.round]
            why = {} if c.change is None else c.why(clock, old)
            self._note(c, "breach_withdrawn", {**which, "old": beijing(known), "new": new, **why})
        return None

    def _note(self, c: Context, what: str, detail: Mapping[str, Any]) -> None:
        row = {"source": c.case.source, "no": c.case.no, "at": c.now, "what": what, "detail": dict(detail)}
        self.journal.append(row)

    # -- words to pass on -----------------------------------------------------------------------------------

    def _calls(self, c: Context) -> None:
        for call in c.case.calls:
            if call.event_id not in c.new_events or call.at < c.source["go_live"]:
                continue
            at = window(c.now, c.policy, c.calendar)
            urged = call.type == "case.urged"
            key = f"urged {business_date(at)}" if urged else f"escalated {call.event_id}"
            anchor = Anchor.DUE if call.to == Role.HANDLER else Anchor.BREACH
            self._say(c, Step(key, anchor, (call.to,), via_of(c.policy)), at, {"by": call.by, "text": call.text})

    def _new_holder(self, c: Context) -> None:
        """On reassignment the latest step that has passed is told once to the new handler."""
        before, clock = c.old["handler"], c.case.main
        if c.old["accepted_at"] is None or c.case.handler in (None, before) or clock is None or not clock.running:
            return
        old = c.clocks.get((clock.target, clock.round))
        ladder = ladder_of(c.case, clock, c.policy, c.calendar, delay=c.delay)
        if ladder is None or old is None:
            return
        last = latest_passed(ladder, old["watermark"])
        if last is None or last.at < c.source["go_live"]:
            return  # nothing was told yet, or it lies ahead and comes by itself
        at = window(c.now, c.policy, c.calendar, last.step)
        notice = Notice(Role.HANDLER, last, at, None)
        self.messages += messages(c.about(clock), [notice], c.directory, now=c.now, extra={"reassigned": True})

    def _follow(self, c: Context) -> None:
        """Those who hold a case, or were told of a breach that is none, hear of the date that a calendar has moved.

        From the date that they were last told of: where the message about an earlier move is still to go out, this
        one stands for both, and there is none where the date has come back.
        """
        if c.change is None or c.case.state is State.PAUSED:
            return
        for clock in c.case.clocks:
            old = c.clocks.get((clock.target, clock.round))
            if old is None or not clock.running or clock.due is None or old["due_on"] in (None, clock.due.on):
                continue
            if not by_calendar(clock, old):
                continue
            untold = [m for m in c.untold if (m["target"], m["round"]) == (clock.target, clock.round)]
            self.overtaken += [m["id"] for m in untold]
            was = date.fromisoformat(untold[0]["detail"]["was"]) if untold else old["due_on"]
            if was == clock.due.on:
                continue
            roles = [Role.HANDLER.value]
            if clock.due.latest_at > c.now:
                roles += [m["role"] for m in untold if m["detail"]["withdrawn"]]
                roles += _told_of_breach(c, clock, old) if old["breached_at"] is not None else []
            withdrawn = old["breached_at"] is not None or any(m["detail"]["withdrawn"] for m in untold)
            withdrawn = withdrawn and clock.due.latest_at > c.now
            extra = {"was": was, "by": "工作日历", "text": c.change.reason, "withdrawn": withdrawn}
            at = window(c.now + HELD, c.policy, c.calendar)
            for role in dict.fromkeys(roles):
                step = Step(due_changed(c.change.seq), Anchor.DUE, (role,), via_of(c.policy))
                self._say(c, step, at, extra, clock)

    def _opening(self, c: Context, clock: Clock) -> None:
        at = window(max(c.now, c.source["go_live"]) + OPENING_DELAY, c.policy, c.calendar)
        self._say(c, Step("opening", Anchor.DUE, (Role.HANDLER,), via_of(c.policy)), at, {}, clock)

    def _say(self, c: Context, step: Step, at: datetime, extra: Mapping[str, Any], clock: Clock | None = None) -> None:
        # No due date in their key: one urging a day stays one, even if the date moves in between.
        about = c.about(clock or c.case.main)
        if "was" not in extra:  # a moved date is what that message is about
            about = replace(about, due_on=None)
        notice = Notice(step.to[0], Planned(at, step), at, None)
        self.messages += messages(about, [notice], c.directory, now=c.now, extra=extra)


def due_changed(seq: int) -> str:
    """The step of messages about dates that the change of that number has moved."""
    return f"due_changed {seq}"


def by_calendar(clock: Clock, old: Mapping[str, Any]) -> bool:
    """Is what is counted the same as before, so that only the calendar can have moved the date?"""
    was = cases.clock_of(old)
    return (clock.start_on, clock.limit, clock.pauses) == (was.start_on, was.limit, was.pauses)


def _told_of_breach(c: Context, clock: Clock, old: Mapping[str, Any]) -> list[str]:
    """The roles to which steps from the breach on have gone out."""
    then = replace(clock, due=cases.clock_of(old).due)
    ladder = ladder_of(c.case, then, c.policy, c.calendar, delay=c.delay)
    if ladder is None:
        return []
    passed = ladder.planned(old["breached_at"] - timedelta(microseconds=1), old["watermark"])
    return [role for one in passed if one.step.anchor is Anchor.BREACH for role in one.step.to]


def via_of(policy: Policy) -> tuple[str, ...]:
    """The channel for words that no step of the ladder speaks of: the first one that the ladder uses."""
    return policy.no_reply_via


def ladder_of(
    case: Case, clock: Clock, policy: Policy, calendar: Calendar, *, delay: timedelta = NO_DELAY
) -> Ladder | None:
    """The ladder of a clock, None where the policy no longer knows its target."""
    target = target_of(policy, clock.target)
    if target is None:
        return None
    answered = max((at for at, who in case.acknowledged if who == case.handler), default=None)
    kind = case.kind or policy.unclassified_as
    return Ladder(clock, target, policy, calendar, kind, case.department, acknowledged_at=answered, delay=delay)
