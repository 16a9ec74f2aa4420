"""The ladder: which step is due now, which comes next, and when it may go out. Pure, for whole batches.

A clock remembers one instant, the watermark: every step planned up to it is done with. So firing twice, or after a
move of the due date, never asks "was it sent?" but only "does it lie between the watermark and now?".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import REPLY_TARGET, Clock
from sla_service.domain.clock import Due, business_date
from sla_service.domain.policy import Anchor, Policy, Role, Step, Target
from sla_service.domain.schedule import First, Shape, falls_at, firsts

#: Told at once when several steps are found due together; everybody higher one working day later.
FIRST_TOLD = frozenset({Role.HANDLER, Role.SECTION_HEAD, Role.DUTY})


NO_DELAY = timedelta()


@lru_cache(maxsize=256)
def target_of(policy: Policy, name: str) -> Target | None:
    """The policy's target of that name, or the built-in ``reply``.

    ``reply`` has no due date and no verdict: of a closed case that still owes an answer the handler is reminded each
    working morning until it is given (件件有回音).
    """
    if name != REPLY_TARGET:
        return policy.target(name)
    step = Step("no_reply", Anchor.DUE, (Role.HANDLER,), policy.no_reply_via, offset=1, repeat=1)
    return Target(REPLY_TARGET, ("case.closed",), ("case.replied",), {}, ladder=(step,))


@dataclass(frozen=True, slots=True)
class Planned:
    """One occurrence of a step. ``n`` counts repeats from 0; ``at`` is the instant it is planned for."""

    at: datetime
    step: Step
    n: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody in ``role`` is to be told. ``missed`` are the keys of his other steps that this one stands for."""

    role: str
    planned: Planned
    not_before: datetime
    expires_at: datetime | None
    missed: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        return self.planned.step


@dataclass(frozen=True, slots=True)
class Firing:
    """What one look at a clock leads to. ``breached_at`` is set by the look that first finds it run out."""

    notices: tuple[Notice, ...]
    next_at: datetime | None
    breached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A target's ladder for one clock of one case."""

    clock: Clock
    target: Target
    policy: Policy
    calendar: Calendar
    kind: str
    department: str | None = None
    acknowledged: bool = False  # the handler has answered what was sent: repeats "until acknowledged" rest
    acknowledged_at: datetime | None = None  # the same by its last time: rests steps that began before it, no others
    delay: timedelta = NO_DELAY  # how long after the due instant its breach is announced: events that come by night

    def planned(self, after: datetime, upto: datetime) -> list[Planned]:
        """Every occurrence with ``after < at <= upto``, in order."""
        after = max(after, self.clock.started_at)
        found = []
        for first in self._firsts():
            if first.at > upto:
                continue
            for one in self._occurrences(first, after):
                if one.at > upto:
                    break
                if one.at > after:
                    found.append(one)
        return sorted(found, key=lambda p: p.at)

    def next_after(self, after: datetime) -> datetime | None:
        """When this clock next needs a look; None when nothing lies ahead."""
        after = max(after, self.clock.started_at)
        ahead = []
        for first in self._firsts():
            if first.at > after:
                ahead.append(first.at)
            elif first.step.repeat:
                ahead += [p.at for p in islice((p for p in self._occurrences(first, after) if p.at > after), 1)]
        due = self.clock.due
        if due is not None and due.latest_at + self.delay > after and self.clock.running:
            ahead.append(due.latest_at + self.delay)  # the breach itself is noticed even where no step speaks of it
        return min(ahead, default=None)

    # -- when a step falls ----------------------------------------------------------------------------------

    def _firsts(self) -> tuple[First, ...]:
        """The first occurrence of each step, in the order of the ladder; none once the clock has stopped."""
        clock, due = self.clock, self.clock.due
        if not clock.running:
            return ()
        earliest, latest = (due.earliest, due.latest) if due else (None, None)
        rules, whose = (self.target, self.policy, self.calendar), (self.kind, self.department)
        found = firsts(Shape(*rules, *whose, clock.start_on, clock.limit, clock.pauses, earliest, latest))
        return tuple(one._replace(at=self._held(one.step, one.at)) for one in found) if self.delay else found

    def _held(self, step: Step, at: datetime) -> datetime:
        """Not before the breach may be announced: the file that tells of the closing may still be on its way."""
        due = self.clock.due
        return at if due is None or step.anchor is not Anchor.BREACH else max(at, due.latest_at + self.delay)

    def _occurrences(self, first: First, after: datetime) -> Iterator[Planned]:
        """In order of time, from about ``after`` on; without end for a repeating step, so the caller stops."""
        step = first.step
        if not step.repeat:
            yield Planned(first.at, step)
            return
        n = self._skipped(step, first.base, after)
        at: datetime | None = first.at if not n else self._at(first, n)
        while at is not None:
            yield Planned(at, step, n)
            if step.until == "acknowledged" and self._answered(first.at):
                return
            n += 1
            at = self._at(first, n)

    def _at(self, first: First, n: int) -> datetime | None:
        at = falls_at(self.policy, self.calendar, first.step, first.base, n)
        return self._held(first.step, at) if at is not None and self.delay else at

    def _skipped(self, step: Step, base: date, after: datetime) -> int:
        """Repeats that certainly lie before ``after``: a case forgotten for years must not be walked through them."""
        if step.until == "acknowledged" or not step.repeat:
            return 0
        day = min(max(business_date(after), base), self.calendar.last)
        return max(0, (self.calendar.between(base, day) - step.offset) // step.repeat - 1)

    def _answered(self, first: datetime) -> bool:
        return self.acknowledged or (self.acknowledged_at is not None and self.acknowledged_at >= first)


def window(at: datetime, policy: Policy, calendar: Calendar, step: Step | None = None) -> datetime:
    """The first instant from ``at`` on at which something may go out: [open, close) of working days."""
    rule = (step.window if step else None) or policy.send_window
    if rule == "always":
        return at
    hours, day = policy.hours, business_date(at)
    if calendar.is_working(day):
        opening = hours.open_at(day)
        if at < opening:
            return opening
        if at < hours.close_at(day):
            return at
    return hours.open_at(calendar.nth_after(day, 1))


def decide(ladder: Ladder, *, watermark: datetime, now: datetime) -> Firing:
    """What is due between the watermark and now, and when to look again.

    Steps found due together although they were planned for different times are a catch-up: the handler and the
    section head are told now, once, by the last step that is theirs; higher roles at opening of the next working day,
    and only if the case still runs then. Reminders that the breach has overtaken are not sent after the fact.
    """
    due = ladder.clock.due
    found = ladder.planned(watermark, now)
    overtaken = due is not None and now >= due.latest_at
    if due is not None and overtaken:
        found = [p for p in found if not (p.step.before_breach and p.at <= due.latest_at)]
    catch_up = len({p.at for p in found}) > 1
    breached = due.latest_at if due is not None and watermark < due.latest_at + ladder.delay <= now else None
    notices = _notices(ladder, found, due, now, catch_up=catch_up)
    return Firing(tuple(notices), ladder.next_after(now), breached)


def _notices(
    ladder: Ladder, found: Sequence[Planned], due: Due | None, now: datetime, *, catch_up: bool
) -> list[Notice]:
    policy, calendar = ladder.policy, ladder.calendar
    theirs: dict[str, list[Planned]] = {}
    for one in found:
        for role in one.step.to:
            theirs.setdefault(role, []).append(one)
    notices = []
    for role, steps in theirs.items():
        one = steps[-1]  # in order of time, so this is the last step of the role
        later = catch_up and role not in FIRST_TOLD
        at = now if not later else policy.hours.open_at(calendar.nth_after(business_date(now), 1))
        reminds = one.step.anchor in (Anchor.DUE, Anchor.SHARE)
        expires = due.latest_at if due is not None and reminds and one.at <= due.latest_at else None
        missed = tuple(dict.fromkeys(p.step.key for p in steps if p.step.key != one.step.key))
        notices.append(Notice(role, one, window(at, policy, calendar, one.step), expires, missed))
    return notices


def latest_passed(ladder: Ladder, now: datetime) -> Planned | None:
    """The last step that has passed: what a new holder is told once."""
    begin = ladder.clock.started_at - timedelta(days=1)
    recent = ladder.planned(max(begin, now - timedelta(days=90)), now)  # seldom further back, however old the case
    return max(recent or ladder.planned(begin, now), key=lambda p: p.at, default=None)


def after_move(watermark: datetime, before: Due | None, after: Due | None, *, delay: timedelta = NO_DELAY) -> datetime:
    """The watermark of a clock whose due date has moved from ``before`` to ``after`` (None: paused).

    Steps already past count as done, so it stays where it is, with one exception: a move into the past (a late event,
    a shorter limit) makes a breach that nobody has been told of, so the ladder goes on from that breach.
    """
    known = before is not None and before.latest_at + delay <= watermark
    if after is None or after.latest_at + delay > watermark or known:
        return watermark
    return after.latest_at + delay - timedelta(microseconds=1)
