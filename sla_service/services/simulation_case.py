"""One case in virtual time: its events, the looks at its clocks, and the messages that wait for their hour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Call, Case, Clock, State
from sla_service.domain.clock import business_date
from sla_service.domain.directory import Directory
from sla_service.domain.events import Event
from sla_service.domain.fold import fold
from sla_service.domain.ladder import (
    Ladder,
    Notice,
    Planned,
    after_move,
    decide,
    latest_passed,
    target_of,
    window,
)
from sla_service.domain.policy import BEIJING, MAIN_TARGET, Anchor, Policy, Role, Step
from sla_service.services.addressing import About, Row, messages
from sla_service.services.simulation_sent import Sent, key_of, sent, spoken

NEVER = datetime.max.replace(tzinfo=BEIJING) - timedelta(days=2)


@dataclass(frozen=True, slots=True)
class World:
    """What all cases of a simulation share; ``calendar`` gives a department's. Nothing happens after ``end``."""

    policy: Policy
    directory: Directory
    calendar: Callable[[str | None], Calendar]
    hall: str
    end: datetime


@dataclass(slots=True)
class _Watch:
    """One clock with its watermark. A stopped one is kept: taking the closing back lets it run again."""

    clock: Clock
    ladder: Ladder
    watermark: datetime
    next_at: datetime | None


class CaseRun:
    """Plays one case. ``events`` are its history in order; ``case`` is how it stands after :meth:`play`."""

    def __init__(self, events: Sequence[Event], world: World) -> None:
        self.events, self.world = events, world
        self.case: Case | None = None
        self.calendar = world.calendar(None)  # of the department that has the case
        self._done = 0
        self._watches: dict[tuple[str, int], _Watch] = {}
        self._queue: list[tuple[datetime, int, Row]] = []
        self._queued = 0
        self._keys: set[tuple[str, ...]] = set()
        self._called: set[str] = set()

    def play(self) -> Iterator[Sent]:
        """Everything that is sent, in order of time. At the same instant events come first, then looks, then sends."""
        while True:
            event = self.events[self._done].time if self._done < len(self.events) else NEVER
            watch = min(self._watches.values(), key=lambda w: w.next_at or NEVER, default=None)
            look = watch.next_at if watch is not None and watch.next_at is not None else NEVER
            send = self._queue[0][0] if self._queue else NEVER
            now = min(event, look, send)
            if now > self.world.end:
                return
            if event == now:
                self._take_events(now)
            elif watch is not None and look == now:
                self._look(watch, now)
            else:
                _, _, row = heappop(self._queue)
                if self._stands(row, now):
                    yield sent(row, now)

    # -- events ---------------------------------------------------------------------------------------------

    def _take_events(self, now: datetime) -> None:
        before = self.case
        while self._done < len(self.events) and self.events[self._done].time == now:
            self._done += 1
        self.case = case = self._fold()
        old, self._watches = self._watches, {}
        for clock in case.clocks:
            key = (clock.target, clock.round)
            watch = self._watch(case, clock, old.get(key), now)
            if watch is not None:
                self._watches[key] = watch
        if case.accepted:
            for call in case.calls:
                self._call(case, call, now)
            self._new_holder(before, case, old, now)

    def _fold(self) -> Case:
        """The case so far, by the calendar of the department that it leads to."""
        first, known = self.events[0], self.events[: self._done]
        while True:
            case = fold(known, self.world.policy, self.calendar, source=first.source, no=first.subject)
            used, self.calendar = self.calendar, self.world.calendar(case.department)
            if used.version == self.calendar.version:
                return case

    def _watch(self, case: Case, clock: Clock, old: _Watch | None, now: datetime) -> _Watch | None:
        target = target_of(self.world.policy, clock.target)
        if target is None:
            return None
        policy, calendar = self.world.policy, self.calendar
        kind = case.kind or policy.unclassified_as
        said = _answered_at(case) if any(step.until == "acknowledged" for step in target.ladder) else None
        ladder = Ladder(clock, target, policy, calendar, kind, case.department, acknowledged_at=said)
        if old is not None and old.ladder == ladder:  # most events move nothing
            return old
        mark = after_move(old.watermark, old.clock.due, clock.due) if old else clock.started_at
        upcoming = ladder.next_after(mark) if clock.running else None
        if upcoming is not None:
            upcoming = max(upcoming, now)  # a step that a move has put into the past is found now
        return _Watch(clock, ladder, mark, upcoming)

    def _call(self, case: Case, call: Call, now: datetime) -> None:
        """A word to be passed on: urging once a day per case and person, escalating each time."""
        if call.event_id in self._called:
            return
        self._called.add(call.event_id)
        policy = self.world.policy
        at = window(now, policy, self.calendar)
        key = f"urged {business_date(at)}" if call.type == "case.urged" else f"escalated {call.event_id}"
        anchor = Anchor.DUE if call.to == Role.HANDLER else Anchor.BREACH  # how far it may climb
        step = Step(key, anchor, (call.to,), policy.no_reply_via)
        self._tell(case, case.main, [Notice(call.to, Planned(now, step), at, None)], now, dated=False)

    def _new_holder(self, before: Case | None, case: Case, old: dict[tuple[str, int], _Watch], now: datetime) -> None:
        """On reassignment the latest step that has passed is told once to the new handler."""
        clock = case.main
        if before is None or not before.accepted or case.handler in (None, before.handler) or clock is None:
            return
        seen, watch = (watches.get((clock.target, clock.round)) for watches in (old, self._watches))
        last = latest_passed(watch.ladder, seen.watermark) if seen and watch else None
        if last is not None:
            at = window(now, self.world.policy, self.calendar, last.step)
            self._tell(case, clock, [Notice(Role.HANDLER, last, at, None)], now, reassigned=True)

    # -- looks ----------------------------------------------------------------------------------------------

    def _look(self, watch: _Watch, now: datetime) -> None:
        firing = decide(watch.ladder, watermark=watch.watermark, now=now)
        watch.watermark, watch.next_at = now, firing.next_at
        if self.case is not None:
            self._tell(self.case, watch.clock, list(firing.notices), now)

    # -- messages -------------------------------------------------------------------------------------------

    def _tell(
        self,
        case: Case,
        clock: Clock | None,
        notices: list[Notice],
        now: datetime,
        *,
        reassigned: bool = False,
        dated: bool = True,
    ) -> None:
        about = About(
            source=case.source,
            no=case.no,
            hall=self.world.hall,
            department=case.department,
            handler=case.handler,
            target=clock.target if clock else MAIN_TARGET,
            round=clock.round if clock else case.round,
            due_on=clock.due.on if dated and clock and clock.due else None,
        )
        for row in messages(about, notices, self.world.directory, now=now, extra={"reassigned": reassigned}):
            key = key_of(row)
            if key not in self._keys:
                self._keys.add(key)
                self._queued += 1
                heappush(self._queue, (max(row["not_before"], now), self._queued, row))

    def _stands(self, row: Row, now: datetime) -> bool:
        """Looked at once more just before it goes out, as the sender does."""
        case = self.case
        if case is None or not case.accepted or (row["expires_at"] is not None and now >= row["expires_at"]):
            return False
        if spoken(row):
            if case.state is State.CLOSED:
                return False
        else:
            clock = next((c for c in case.clocks if (c.target, c.round) == (row["target"], row["round"])), None)
            if clock is None or not clock.running or (clock.due.on if clock.due else None) != row["due_on"]:
                return False
        if _rests(row, case):
            return False
        if row["role"] == Role.HANDLER and row["as_role"] == Role.HANDLER:
            return self._responsible(case, row["recipient"], now)
        return True

    def _responsible(self, case: Case, recipient: str, now: datetime) -> bool:
        directory = self.world.directory
        person = directory.find(case.handler, case.department, self.world.hall) if case.handler else None
        return person is not None and recipient in (person.id, directory.substitute(person, business_date(now)).id)


def _answered_at(case: Case) -> datetime | None:
    """When the present handler last signed or reported."""
    return max((at for at, who in case.acknowledged if who == case.handler), default=None)


def _rests(row: Row, case: Case) -> bool:
    """A repeat that ends with the handler's answer, and he has answered since it was decided."""
    if row["occurrence"] == 0 or row["as_role"] != Role.HANDLER or row["detail"].get("until") != "acknowledged":
        return False
    said = _answered_at(case)
    return said is not None and said >= row["created_at"]
