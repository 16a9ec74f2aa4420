"""Short words for long values: instants, events, policies and cases as tests need them.

Every default is the contract's default, so a test says only what its story is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sla_service.calendars.layers import default_calendar
from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case
from sla_service.domain.clock import Pause
from sla_service.domain.directory import MAIN_HALL, Absence, Department, Directory, Person
from sla_service.domain.events import Event
from sla_service.domain.fold import fold
from sla_service.domain.ladder import Ladder, target_of
from sla_service.domain.policy import BEIJING, Anchor, Hours, Policy, Step, Target

CALENDAR = default_calendar()
SOURCE, NO = "hall", "BBC-2026-0001"

LIMITS = {"simple": 3, "complex": 10, "special": 15}
YELLOW = {"simple": 1, "complex": 3, "special": 5}


def at(text: str) -> datetime:
    """``"2026-11-02 09:00"`` in Beijing; a bare date is its midnight."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def on(text: str) -> date:
    return date.fromisoformat(text)


# -- policies -------------------------------------------------------------------------------------------------------


def step(key: str, to: str, via: str = "wecom", **more: Any) -> Step:
    """A step as it is written in a policy: ``step("due-0wd 14:00", "section_head")``. Words are split at blanks."""
    place, _, clock = key.partition(" ")
    minute = int(clock[:2]) * 60 + int(clock[3:]) if clock else None
    common: dict[str, Any] = {"to": tuple(to.split()), "via": tuple(via.split()), "minute": minute, **more}
    if place.endswith("%"):
        return Step(key, Anchor.SHARE, share=int(place[:-1]) / 100, **common)
    name = next(a for a in ("pause_end", "breach", "due") if place.startswith(a))
    offset = place.removeprefix(name).removesuffix("wd")
    return Step(key, Anchor(name), offset=int(offset or 0), **common)


LADDER = (
    step("due-5wd", "handler", kinds=("special",)),
    step("due-3wd", "handler", kinds=("complex", "special")),
    step("due-1wd", "handler"),
    step("due-0wd", "handler"),
    step("due-0wd 14:00", "section_head"),
    step("breach", "handler section_head", "wecom sms", all=True),
    step("breach+2wd", "station_chief", "wecom sms"),
    step("breach+3wd", "bureau_leader", "wecom sms"),
    step("breach+5wd", "station_chief bureau_leader", repeat=5),
    step("pause_end", "handler"),
    step("pause_end+1wd", "section_head"),
)
RESOLVE = Target("resolve", ("case.accepted",), ("case.closed",), LIMITS, YELLOW, LADDER)
SIGN = Target("sign", ("case.assigned",), ("case.signed",), dict.fromkeys(LIMITS, 1), {}, ())
FOLLOW_UP = Target("follow_up", ("case.closed",), ("case.followed_up",), dict.fromkeys(LIMITS, 5), {}, ())
POLICY = Policy("p1", (RESOLVE,))


def policy(*, ladder: Iterable[Step] | None = None, others: Iterable[Target] = (), **changes: Any) -> Policy:
    """The default policy with some switches set, another ladder, or more targets beside ``resolve``."""
    main = RESOLVE if ladder is None else replace(RESOLVE, ladder=tuple(ladder))
    return replace(POLICY, targets=(main, *others), **changes)


# -- events ---------------------------------------------------------------------------------------------------------


def event(type_: str, time: str | datetime, *, id: str = "", no: str = NO, **data: Any) -> Event:  # noqa: A002
    """``event("paused", "2026-11-03 10:00", reason="hearing")``; the id says what and when unless given."""
    full = type_ if "." in type_ else f"case.{type_}"
    moment = at(time) if isinstance(time, str) else time
    return Event(SOURCE, id or f"{type_} {moment:%m-%d %H:%M}", full, no, moment, data)


def accepted(time: str | datetime, kind: str | None = "simple", **data: Any) -> Event:
    given: dict[str, Any] = {"department": "社会事务科", "handler": "zhangsan", **data}
    return event("accepted", time, **({"kind": kind} if kind else {}), **given)


def closed(time: str | datetime, outcome: str = "resolved", *, replied: bool = True, **data: Any) -> Event:
    moment = at(time) if isinstance(time, str) else time
    told = {"replied_at": moment.isoformat()} if replied else {}
    return event("closed", moment, outcome=outcome, **told, **data)


def extended(time: str, limit_days: int | None = None, **data: Any) -> Event:
    """An extension that has everything that is asked of one."""
    given: dict[str, Any] = {
        "reason": "需多部门会商",
        "applicant_informed_at": time[:10],
        "approved_by": "wangwu",
        **data,
    }
    return event("extended", time, **({"limit_days": limit_days} if limit_days else {}), **given)


def paused(time: str, reason: str = "hearing", **data: Any) -> Event:
    return event("paused", time, reason=reason, **{"applicant_informed_at": time[:10], **data})


def voided(time: str, event_id: str, **more: Any) -> Event:
    return event("event.voided", time, event_id=event_id, **more)


# -- cases ----------------------------------------------------------------------------------------------------------


def case_of(*events: Event, policy: Policy = POLICY, calendar: Calendar = CALENDAR) -> Case:
    return fold(events, policy, calendar, source=SOURCE, no=NO)


def due_on(case: Case) -> str | None:
    """Due date of the main clock as text, None while it is paused."""
    assert case.main is not None
    return case.main.due.on.isoformat() if case.main.due else None


def codes(case: Case) -> list[str]:
    return [f.code for f in case.findings]


def statuses(case: Case) -> Mapping[str, str]:
    return {event_id: status.value for event_id, (status, _) in case.statuses.items()}


def pauses(*spans: str, reason: str = "hearing") -> tuple[Pause, ...]:
    """``pauses("2026-11-03 10:00 / 2026-11-04 10:00")``; without an end it lasts."""
    found = []
    for span in spans:
        begin, _, end = span.partition(" / ")
        found.append(Pause(at(begin), at(end) if end else None, reason))
    return tuple(found)


def ladder_of(case: Case, policy: Policy = POLICY, target: str = "resolve", **more: Any) -> Ladder:
    clock = next(c for c in reversed(case.clocks) if c.target == target)
    found = target_of(policy, target)
    assert found is not None
    assert case.kind is not None
    return Ladder(clock, found, policy, CALENDAR, case.kind, case.department, **more)


MIDNIGHT = Hours(close=24 * 60)


# -- people ---------------------------------------------------------------------------------------------------------


def directory(*absences: tuple[str, str, str, str], **roles: str) -> Directory:
    """A hall in which every role is another person; ``absences`` are (who, by, first day, last day).

    ``roles`` name other people for a role, several split at blanks: ``directory(station_chief="")`` has none.
    """
    ids = ("zhangsan", "sunqi", "lisi", "wangwu", "zhouba", "zhengjiu", "wushi")
    people = tuple(Person(i, i.title(), wecom=i, phone="13800000000", department="社会事务科") for i in ids)
    held = {"station_chief": "zhouba", "joint_committee": "zhengjiu", "duty": "wushi", **roles}
    return Directory(
        people=people,
        departments=(Department("社会事务科", head="lisi", leader="wangwu"),),
        roles={(MAIN_HALL, role): tuple(who.split()) for role, who in held.items()},
        absences=tuple(Absence(who, by, on(first), on(last)) for who, by, first, last in absences),
    )
