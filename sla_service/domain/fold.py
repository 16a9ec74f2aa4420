"""``fold(events, policy, calendar) -> Case``: the one place where history becomes state.

Events are ordered by when they happened, so late, repeated and shuffled arrivals give the same case. A rejected
event stays in the history and may become applied when an earlier one arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import ALLOWED, STATE_WORDS, Case, Status
from sla_service.domain.effects import apply
from sla_service.domain.events import ACCEPTED, VISIT, VOIDED, Event
from sla_service.domain.folding import Folding
from sla_service.domain.policy import Policy, at_minute


def effective_voids(events: Iterable[Event]) -> dict[str, Event]:
    """Event id -> the void that takes it back. A void may itself be taken back by a later one.

    Going from the latest to the earliest keeps it free of circles: a void reaches another void only backwards.
    """
    voids = [e for e in events if e.type == VOIDED]
    voids.sort(key=lambda e: (e.time, e.id), reverse=True)
    taken: dict[str, Event] = {}
    seen: set[str] = set()
    for void in voids:
        seen.add(void.id)
        target = str(void.data["event_id"])
        if void.id in taken or target in seen:
            continue
        taken.setdefault(target, void)
    return taken


def _judge_void(event: Event, known: dict[str, Event], taken: dict[str, Event]) -> tuple[Status, str]:
    target = str(event.data["event_id"])
    if event.id in taken:
        return Status.VOIDED, f"已被事件 {taken[event.id].id} 撤销"
    if target not in known:
        return Status.WAITING, f"要撤销的事件 {target} 还没有到达"
    if taken.get(target) is not event:
        return Status.REJECTED, f"事件 {target} 已被其他撤销事件撤销，或晚于本事件，不能再撤销"
    return Status.APPLIED, ""


def fold(events: Iterable[Event], policy: Policy, calendar: Calendar, *, source: str = "", no: str = "") -> Case:
    """Folds the whole history of one case (one source, one subject).

    Gives a case that is not accepted (``accepted_at`` None, every event waiting) as long as its acceptance is
    missing or taken back. Never raises on any order or repetition of events that fit the schema.
    """
    known: dict[str, Event] = {}
    for event in events:
        known.setdefault(event.id, event)
    statuses, live = _set_apart(known, policy, calendar)
    acceptances = sorted((e for e in live if e.type == ACCEPTED), key=lambda e: e.order)
    if not acceptances:
        for event in live:
            statuses[event.id] = Status.WAITING, "办件还没有受理事件，收到受理事件后生效"
        return Case(source, no, statuses=statuses)
    first = acceptances[0]
    state = Folding(first, policy, calendar)
    statuses[first.id] = Status.APPLIED, ""
    for again in acceptances[1:]:
        statuses[again.id] = Status.REJECTED, f"办件 {again.subject} 已由事件 {first.id} 受理，不能重复受理"
    for event in sorted((e for e in live if e.type != ACCEPTED), key=lambda e: e.order):
        statuses[event.id] = _apply(state, event, first.time)
    return state.case(statuses)


def _set_apart(
    known: dict[str, Event], policy: Policy, calendar: Calendar
) -> tuple[dict[str, tuple[Status, str]], list[Event]]:
    """Statuses of the events that change no case (voids, what they took back, visits), and the rest."""
    taken = effective_voids(known.values())
    begin, end = _span(policy, calendar)
    statuses: dict[str, tuple[Status, str]] = {}
    live: list[Event] = []
    for event in known.values():
        if event.type == VOIDED:
            statuses[event.id] = _judge_void(event, known, taken)
        elif event.id in taken:
            statuses[event.id] = Status.VOIDED, f"已被事件 {taken[event.id].id} 撤销"
        elif event.type == VISIT:
            statuses[event.id] = Status.APPLIED, ""
        elif not begin <= event.time < end:
            years = f"{calendar.first.year}–{calendar.last.year}"
            statuses[event.id] = Status.REJECTED, f"事件 {event.id} 的时间不在工作日历（{years}）之内，请核对年份"
        else:
            live.append(event)
    return statuses, live


def _apply(state: Folding, event: Event, accepted_at: datetime) -> tuple[Status, str]:
    if state.state not in ALLOWED[event.type]:
        words = STATE_WORDS[state.state]
        return Status.REJECTED, f"办件 {event.subject} {words}，事件 {event.id}（{event.type}）此时不适用"
    if event.time < accepted_at:
        state.find("before_acceptance", event.time, event)
    apply(state, event, max(event.time, accepted_at))
    return Status.APPLIED, ""


@lru_cache(maxsize=64)
def _span(policy: Policy, calendar: Calendar) -> tuple[datetime, datetime]:
    """From when to when the calendar can count out every limit that the policy knows: a due date never falls off it."""
    longest = max((n for t in policy.targets for n in t.limits.values()), default=0)
    days = max(longest, policy.cap_days) + policy.cap_days + policy.pause_days + 1
    reach = max(1, min(days, calendar.between(calendar.first, calendar.last) - 1))
    return at_minute(calendar.first, 0), at_minute(calendar.nth_before(calendar.last, reach), 0)
