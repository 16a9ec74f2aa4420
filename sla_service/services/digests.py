"""Digests: one message about many cases, at a time of day. For staff their own morning list, for leaders the state.

Off unless ``policy.yaml`` names them, so that the ladder alone speaks. A digest is made once on its day, by whichever
tick comes first after its minute; after close of business it is not made any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery.render import Item
from sla_service.delivery.wording import SPEAKERS, DigestKind
from sla_service.domain.calendar import Calendar
from sla_service.domain.clock import business_date
from sla_service.domain.directory import Person
from sla_service.domain.policy import Policy, Role, at_minute
from sla_service.services.addressing import dedupe_key
from sla_service.services.app import App
from sla_service.services.config import Digest
from sla_service.services.envelopes import values
from sla_service.store import facts, outbox, summaries

Row = Mapping[str, Any]

MATTERS: Final = 5
_LOOK_BACK: Final = timedelta(days=90)
_TARGET: Final = "digest"


def fire(app: App, *, now: datetime) -> int:
    """Writes the digests whose time has come today; gives how many messages."""
    made = 0
    for hall in app.config.directory.halls:
        policy, calendar = app.current_policy(hall.id), app.calendar(hall.id)
        for one in app.config.digests:
            if not _due(one, policy, calendar, now):
                continue
            key, today = _key(one, hall.id), business_date(now)
            with app.db.write() as conn:
                said = facts.get(conn, key)
                if said is None or said["value"] != today.isoformat():
                    facts.put(conn, key, today.isoformat(), now=now)
                    made += outbox.add(conn, _rows(app, conn, one, hall.id, now))
    return made


def next_at(app: App, *, after: datetime) -> datetime | None:
    """When the next digest falls; None without digests."""
    found = []
    for one in app.config.digests:
        calendar, day = app.calendar(), business_date(after)
        while not (_on(one, calendar, day) and at_minute(day, one.minute) > after):
            day += timedelta(days=1)
        found.append(at_minute(day, one.minute))
    return min(found, default=None)


def _due(one: Digest, policy: Policy, calendar: Calendar, now: datetime) -> bool:
    today = business_date(now)
    return _on(one, calendar, today) and at_minute(today, one.minute) <= now < policy.hours.close_at(today)


def _on(one: Digest, calendar: Calendar, day: date) -> bool:
    """``mondays`` is the week's first working day: a Monday off must not cost the week its summary."""
    if not calendar.is_working(day):
        return False
    monday = day - timedelta(days=day.weekday())
    return one.days == "working_days" or calendar.on_or_after(monday) == day


def _key(one: Digest, hall: str) -> str:
    return f"digest:{hall}:{one.days}:{one.minute}:{','.join(one.to)}:{','.join(one.via)}"


def _rows(app: App, conn: Connection, one: Digest, hall: str, now: datetime) -> list[dict[str, Any]]:
    cases = summaries.running(conn, hall, now=now)
    found = []
    for role in one.to:
        if role == Role.HANDLER:
            texts = _for_staff(app, one, cases, hall, now)
        else:
            texts = _for_leaders(app, conn, one, role, cases, hall, now)
        found += [_row(app, one, role, hall, person, words, now) for person, words in texts]
    return found


def _worded(app: App, one: Digest, kind: DigestKind, items: list[Item], counted: dict[str, Any]) -> dict[str, Any]:
    """Its words, and what a provider's template can be filled with instead."""
    made = app.config.wording.digest(kind, items, counted, channel=one.via[0], lang=app.settings.lang)
    fill = values(items, app.settings.lang) if items else {}
    return {"title": made.title, "body": made.body, "fill": fill, "overdue": any(i.overdue for i in items)}


def _for_staff(
    app: App, one: Digest, cases: Iterable[Row], hall: str, now: datetime
) -> list[tuple[Person, dict[str, Any]]]:
    """Each handler's cases that are overdue or run out today or on the next working day."""
    directory, calendar, today = app.config.directory, app.calendar(hall), business_date(now)
    soon = calendar.nth_after(today, 1)
    theirs: dict[str, list[Item]] = {}
    for case in cases:
        person = directory.find(case["handler"], case["department"], hall) if case["handler"] else None
        if person is None or case["due_on"] > soon:
            continue
        acting = directory.substitute(person, today)
        theirs.setdefault(acting.id, []).append(_item(app, case, Role.HANDLER, hall, now))
    speak = SPEAKERS[app.settings.lang]
    told = []
    for id_, items in sorted(theirs.items()):
        red = sum(i.overdue for i in items)
        due_today = sum(not i.overdue and i.due_on == today for i in items)
        next_day, words = len(items) - red - due_today, speak.soon(soon, today)
        counts = speak.morning(red, due_today, next_day, words)
        person = directory.person(id_)
        if person is not None:
            counted = {"counts": counts, "soon": next_day, "soon_text": words}
            told.append((person, _worded(app, one, "digest_staff", items, counted)))
    return told


def _for_leaders(
    app: App, conn: Connection, one: Digest, role: str, cases: list[Row], hall: str, now: datetime
) -> list[tuple[Person, dict[str, Any]]]:
    """What lies in each leader's departments: numbers, the longest overdue, the change since last time."""
    calendar, today = app.calendar(hall), business_date(now)
    weekly = one.days == "mondays"
    last = calendar.nth_before(today, 5 if weekly else 1)
    since = at_minute(last, one.minute)
    closed, new = (count(conn, hall, since) for count in (summaries.closed_since, summaries.accepted_since))
    committee = role == Role.JOINT_COMMITTEE
    matters = []
    if weekly or committee:
        found = summaries.breached_matters(conn, hall, since=now - _LOOK_BACK, now=now, most=MATTERS)
        matters = [{"name": name, "n": n} for name, n in found]
    told = []
    for person, departments in _readers(app, role, cases, hall, today):
        own = [c for c in cases if departments is None or c["department"] in departments]
        red = [c for c in own if c["due_latest_at"] < now]
        if committee:
            red = [c for c in red if calendar.between(c["due_on"], today) > one.beyond]
        moved = [{k: n for k, n in d.items() if departments is None or k in departments} for d in (closed, new)]
        by = _by_department(own, moved[0], moved[1], since, now)
        if not any(d["red"] or d["today"] for d in by) and not (weekly and own):
            continue  # nothing that needs a leader
        loud = [d for d in by if d["red"] or d["today"]]
        counted = {
            "weekly": weekly,
            "committee": committee,
            "beyond": one.beyond,
            "since": SPEAKERS[app.settings.lang].short(last),
            "total": {k: sum(d[k] for d in by) for k in ("open", "red", "today", "new_red", "closed", "new")},
            "departments": sorted(loud, key=lambda d: (-d["red"], -d["today"], d["name"])),
            "quiet": sum(1 for d in by if d["open"] and d not in loud),
            "matters": matters,
        }
        items = [_item(app, c, role, hall, now) for c in red]
        told.append((person, _worded(app, one, "digest_leader", items, counted)))
    return told


def _readers(app: App, role: str, cases: list[Row], hall: str, today: date) -> list[tuple[Person, set[str] | None]]:
    """Who holds the role (or stands in), each with the departments that are his; None: the whole hall."""
    directory = app.config.directory
    found: dict[str, set[str] | None] = {}
    for name in sorted({c["department"] for c in cases if c["department"]}):
        department = directory.department(name, hall)
        for holder in directory.holders(role, department, hall):
            acting = directory.substitute(holder, today).id
            if role in (Role.SECTION_HEAD, Role.BUREAU_LEADER):
                found.setdefault(acting, set())
                own = found[acting]
                if own is not None:
                    own.add(name)
            else:
                found[acting] = None
    people = ((directory.person(id_), departments) for id_, departments in sorted(found.items()))
    return [(person, departments) for person, departments in people if person is not None]


def _by_department(
    cases: Iterable[Row],
    closed: Mapping[str | None, int],
    new: Mapping[str | None, int],
    since: datetime,
    now: datetime,
) -> list[dict[str, Any]]:
    """Numbers of each department that has running cases, or had some that were closed since."""
    names = dict.fromkeys((*closed, *new))
    found: dict[str | None, dict[str, Any]] = {
        name: {"name": name or "—", "open": 0, "red": 0, "today": 0, "new_red": 0} for name in names
    }
    for case in cases:
        name = case["department"]
        one = found.setdefault(name, {"name": name or "—", "open": 0, "red": 0, "today": 0, "new_red": 0})
        red = case["due_latest_at"] < now
        one["open"] += 1
        one["red"] += red
        one["new_red"] += red and case["due_latest_at"] >= since
        one["today"] += not red and case["due_on"] == business_date(now)
    return [
        d | {"closed": closed.get(name, 0), "new": new.get(name, 0), "mark": "●" if d["red"] else "○"}
        for name, d in found.items()
    ]


def _item(app: App, case: Row, role: str, hall: str, now: datetime) -> Item:
    directory = app.config.directory
    person = directory.find(case["handler"], case["department"], hall) if case["handler"] else None
    return Item(
        source=case["source"],
        no=case["no"],
        title=case["title"] or "",
        step=_TARGET,
        role=role,
        kind=case["kind"],
        due_on=case["due_on"],
        left=app.calendar(hall, case["department"]).between(business_date(now), case["due_on"]),
        overdue=case["due_latest_at"] < now,
        handler=person.name if person else (case["handler"] or ""),
        department=case["department"] or "",
    )


def _row(
    app: App, one: Digest, role: str, hall: str, person: Person, words: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    today, step = business_date(now), f"digest {one.minute // 60:02}:{one.minute % 60:02}"
    channel, *rest = one.via
    return {
        "dedupe_key": dedupe_key("digest", hall, today, one.minute, one.days, role, person.id),
        "hall": hall,
        "source": "",
        "no": "",
        "target": _TARGET,
        "round": 0,
        "step": step,
        "occurrence": 0,
        "due_on": None,
        "role": role,
        "as_role": role,
        "recipient": person.id,
        "channel": channel,
        "via": rest,
        "detail": {"words": dict(words)},
        "planned_at": at_minute(today, one.minute),
        "not_before": now,
        "expires_at": app.current_policy(hall).hours.close_at(today),
        "created_at": now,
        "state": "queued",
        "reason": "",
    }
