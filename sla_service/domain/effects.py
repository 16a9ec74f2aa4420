"""What each type of event does to a case that is being added up, one function each. Used by the fold alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sla_service.domain.case import Call, Holder, State
from sla_service.domain.clock import Pause
from sla_service.domain.events import Event
from sla_service.domain.folding import Folding, named, outlives_closing
from sla_service.domain.policy import MAIN_TARGET, Kind
from sla_service.domain.running import Running, day, instant, start_day


def apply(case: Folding, event: Event, at: datetime) -> None:
    """Does what the event's type asks, then stops and starts the targets beside ``resolve``.

    ``at`` is the instant at which the event counts. Stops come first, so that an event may both fulfil a target and
    begin its next round. Closing sees to its targets itself: a transfer may not close at all.
    """
    EFFECTS[event.type](case, event, at)
    if event.type != "case.closed":
        case.stop_others(event.type, at)
        case.start_others(event.type, at)


# -- kind and limit -------------------------------------------------------------------------------------------------


def classify(case: Folding, event: Event, at: datetime) -> None:
    before = case.kind
    case.kind = event.data["kind"]
    if case.kind != before:
        case.stated, case.informed, case.granted, case.extended = None, False, None, False
    case.state_special(event.data)
    anew = case.policy.reclassify_from == "reclassification" and case.kind != before
    for name, clock in case.running.items():
        limit = case.limit_of(clock.target)
        if clock.ran_out(at) and (anew or limit > clock.limit):  # the breach stands
            if name == MAIN_TARGET:
                case.find("reclassified_late", at, event)
            continue
        clock.limit = limit
        if anew:
            clock.start_on = start_day(case.policy, case.calendar, at)


def extend(case: Folding, event: Event, at: datetime) -> None:
    clock, data = case.main, event.data
    if clock is None:
        return
    limit = _extension_days(clock, data, at)
    base = clock.limit if case.kind == Kind.SPECIAL else case.limit_of(clock.target)
    cap = case.policy.cap_days + (base if case.policy.cap_counts == "extra" else 0)
    faults = _extension_faults(case, clock, data, limit, cap, at)
    for code in faults:
        case.find(code, at, event, limit=limit, cap=cap)
    if not named(data.get("approved_by")):
        case.find("extension_unapproved", at, event)
    if not faults:
        case.kind, case.stated, case.informed = Kind.SPECIAL, limit, True
        case.granted, case.extended = limit, True
        clock.limit = limit


def _extension_faults(
    case: Folding, clock: Running, data: Mapping[str, Any], limit: int, cap: int, at: datetime
) -> list[str]:
    """Why an extension does not take effect; it has to fulfil everything that is asked."""
    twice = case.extended and case.policy.cap_counts == "extra"
    faults = {
        "extension_late": clock.ran_out(at),
        "extension_twice": twice,
        "extension_over_cap": limit > cap and not twice,
        "extension_shorter": limit < clock.limit,
        "extension_no_reason": not named(data.get("reason")),
        "extension_not_informed": not data.get("applicant_informed_at"),
    }
    return [code for code, found in faults.items() if found]


def _extension_days(clock: Running, data: Mapping[str, Any], at: datetime) -> int:
    """The new limit in working days from the start; a date (``until``) is turned into as many."""
    if data.get("limit_days") is not None:
        return int(data["limit_days"])
    until = day(data.get("until"))
    return 0 if until is None else clock.days_until(until, at)


# -- who holds it ---------------------------------------------------------------------------------------------------


def assign(case: Folding, event: Event, at: datetime) -> None:
    department, handler = named(event.data.get("department")), named(event.data.get("handler"))
    if department and department != case.department and not handler:
        case.handler = None  # the old handler does not go along into another department
    case.department = department or case.department
    case.handler = handler or case.handler
    case.holders.append(Holder(at, case.handler, case.department, event.id))


def sign(case: Folding, event: Event, at: datetime) -> None:
    who = named(event.data.get("handler")) or case.handler
    if who and case.handler is None:
        case.handler = who
        case.holders.append(Holder(at, who, case.department, event.id))
    if who:
        case.acknowledged.append((at, who))


def progress(case: Folding, _event: Event, at: datetime) -> None:
    if case.handler:
        case.acknowledged.append((at, case.handler))


def urge(case: Folding, event: Event, at: datetime) -> None:
    _call(case, event, at, to="handler", words="text")


def escalate(case: Folding, event: Event, at: datetime) -> None:
    _call(case, event, at, to=str(event.data["to"]), words="reason")


def _call(case: Folding, event: Event, at: datetime, *, to: str, words: str) -> None:
    by, text = str(event.data.get("by") or ""), str(event.data.get(words) or "")
    case.calls.append(Call(event.id, event.type, at, to, by, text))


# -- pauses ---------------------------------------------------------------------------------------------------------


def pause(case: Folding, event: Event, at: datetime) -> None:
    data = event.data
    reason = str(data["reason"])
    late = case.main_ran_out(at)
    case.open_pause = Pause(at, None, reason, day(data.get("expected_until")))
    for clock in case.running.values():
        clock.pauses.append(case.open_pause)
    case.state = State.PAUSED
    codes = ["paused_overdue"] * late + ["pause_not_informed"] * (not data.get("applicant_informed_at"))
    codes += [f"pause_{reason}"] * (reason in ("supplement", "other"))
    for code in codes:
        case.find(code, at, event)


def resume(case: Folding, _event: Event, at: datetime) -> None:
    _end_pause(case, at)
    case.state = State.RUNNING


def _end_pause(case: Folding, at: datetime) -> None:
    for clock in case.running.values():
        clock.end_pause(at)
    case.open_pause = None


def reset(case: Folding, event: Event, at: datetime) -> None:
    late = case.main_ran_out(at)
    resume(case, event, at)
    clock = case.main
    if clock is None:
        return
    if late:
        case.find("reset_late", at, event)
        return
    clock.started_at, clock.pauses = at, []
    clock.start_on = start_day(case.policy, case.calendar, at)


# -- the end, and after it ------------------------------------------------------------------------------------------


def close(case: Folding, event: Event, at: datetime) -> None:
    case.replied_at = instant(event.data.get("replied_at")) or case.replied_at
    outcome = str(event.data["outcome"])
    if outcome == "transferred" and case.replied_at is None:  # 首问负责: it runs on until the applicant is answered
        case.pending_transfer = event
        return
    _close(case, outcome, at)


def _close(case: Folding, outcome: str, at: datetime) -> None:
    _end_pause(case, at)
    case.state, case.outcome, case.closed_at, case.pending_transfer = State.CLOSED, outcome, at, None
    for name, clock in list(case.running.items()):
        stops = clock.target.stops
        if name == MAIN_TARGET or "case.closed" in stops or ("case.replied" in stops and case.replied_at):
            case.stop(name, at)
        elif not outlives_closing(clock.target):
            case.stop(name, at, kept=False)
    case.start_others("case.closed", at)


def reply(case: Folding, event: Event, at: datetime) -> None:
    case.replied_at = instant(event.data.get("replied_at")) or at
    if case.pending_transfer is not None:
        _close(case, "transferred", at)


def reopen(case: Folding, _event: Event, at: datetime) -> None:
    last = next((c for c in reversed(case.stopped) if c.target == MAIN_TARGET), None)
    closed_at = case.closed_at or at
    case.round += 1
    case.state, case.outcome, case.closed_at, case.replied_at = State.RUNNING, None, None, None
    for name, clock in list(case.running.items()):
        if "case.closed" in clock.target.starts:  # nothing to follow up before it is closed again
            case.stop(name, at, kept=False)
    main = case.policy.target(MAIN_TARGET)
    if main is None or last is None:
        return
    clock = case.start(main, case.round, at)
    if case.policy.reopen == "continue":
        clock.start_on, clock.limit = last.start_on, last.limit  # what the first round was told of stays told
        clock.pauses = [*last.pauses, Pause(closed_at, at, "closed")]
    case.running[MAIN_TARGET] = clock


def merge(case: Folding, event: Event, _at: datetime) -> None:
    case.merged.append(str(event.data["into"]))


def follow_up(_case: Folding, _event: Event, _at: datetime) -> None:
    """Nothing of its own: the target ``follow_up`` is stopped by the event's type."""


EFFECTS: Mapping[str, Callable[[Folding, Event, datetime], None]] = {
    "case.classified": classify,
    "case.assigned": assign,
    "case.signed": sign,
    "case.extended": extend,
    "case.escalated": escalate,
    "case.paused": pause,
    "case.resumed": resume,
    "case.reset": reset,
    "case.urged": urge,
    "case.progressed": progress,
    "case.closed": close,
    "case.replied": reply,
    "case.reopened": reopen,
    "case.followed_up": follow_up,
    "case.merged": merge,
}
