"""How far the calendar reaches, and the watch over next year's notice: who is told that it is still to be imported.

The notice for a year comes between late October and early December of the year before. From 1 November whoever runs
the station is told once, from 1 December each working day, until the year is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.domain.calendar import Calendar
from sla_service.domain.clock import business_date
from sla_service.domain.policy import Policy
from sla_service.services import calendar_force
from sla_service.services.addressing import dedupe_key
from sla_service.services.app import App
from sla_service.services.calendar_scope import scope_of
from sla_service.store import layers, outbox

STEP: Final = "calendar_watch"
_NOVEMBER, _DECEMBER = 11, 12


@dataclass(frozen=True, slots=True)
class Horizon:
    """``settled_until``: the last year, from the present one on, whose notice is there; ``missing`` the next one.

    ``provisional`` counts running cases whose due date was counted over projected days.
    """

    settled_until: int | None
    missing: int
    provisional: int


def horizon(app: App, conn: Connection, *, now: datetime, calendar: str) -> Horizon:
    """How far one calendar reaches, and how many running cases of its halls reach beyond."""
    this, missing = business_date(now).year, _missing(app.calendars.change(calendar).calendar, now)
    held = layers.provisional(conn)
    count = sum(n for hall, department, n in held if app.calendar_name(hall, department) == calendar)
    return Horizon(missing - 1 if missing > this else None, missing, count)


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to know of a calendar. ``waiting``: running cases that are still to follow its last change."""

    horizon: Horizon
    waiting: int
    layers: tuple[Mapping[str, Any], ...]


def standing(app: App, *, now: datetime, calendar: str) -> Standing:
    """How a calendar stands: how far it reaches, what it is made of, whether all cases follow it."""
    with app.db.read() as conn:
        calendar_force.refresh(app, conn, hold=False)
        waiting = layers.stale_count(
            conn, scope_of(app, conn, calendar), app.calendars.change(calendar).calendar.version
        )
        rows = [row for row in layers.active(conn) if row["calendar"] in (calendar_force.EVERY, calendar)]
        return Standing(horizon(app, conn, now=now, calendar=calendar), waiting, tuple(rows))


def _missing(calendar: Calendar, now: datetime) -> int:
    year = business_date(now).year
    while year <= calendar.last.year and calendar.status(year).settled:
        year += 1
    return year


def watch(app: App, *, now: datetime) -> int:
    """Writes what is to be told today; safe to repeat. Gives the number of new messages."""
    with app.db.read() as conn:
        calendar_force.refresh(app, conn, hold=False)
        halls = {*layers.halls(conn), *(h.id for h in app.config.directory.halls)}
        rows = [row for hall in sorted(halls) for row in _rows(app, hall, now)]
        told = layers.told(conn, [row["dedupe_key"] for row in rows])
        new = [row for row in rows if row["dedupe_key"] not in told]
        for row in new:
            found = horizon(app, conn, now=now, calendar=app.calendar_name(row["hall"]))
            row["detail"]["words"] = _words(found, once=row["expires_at"] is None)
    if not new:
        return 0
    with app.db.write() as conn:
        return outbox.add(conn, new)


def _rows(app: App, hall: str, now: datetime) -> list[dict[str, Any]]:
    """The messages of one hall, still without their words; none if nothing is missing yet."""
    today, calendar = business_date(now), app.calendar(hall)
    missing = _missing(calendar, now)
    late = missing == today.year  # the present year itself
    if missing > today.year + 1 or (not late and today.month < _NOVEMBER):
        return []
    policy = app.current_policy(hall)
    opening, close = policy.hours.open_at(today), policy.hours.close_at(today)
    if not (calendar.is_working(today) and opening <= now < close):
        return []  # not ahead of time: the notice may be there by the morning
    once = not late and today.month < _DECEMBER
    row = {
        "hall": hall,
        "source": "",  # about no case
        "no": "",
        "target": "",
        "round": 0,
        "step": STEP,
        "occurrence": 0,
        "due_on": None,
        "planned_at": now,
        "not_before": now,
        "expires_at": None if once else close,
        "created_at": now,
    }
    day = f"{today.year}-11" if once else str(today)
    found: dict[str, dict[str, Any]] = {}
    for role in app.config.watch.to:
        for told in _told(app, hall, role, policy, today):
            # without the hall: who runs several is told once
            key = dedupe_key(STEP, missing, day, told["recipient"] or f"?{hall}", told["channel"])
            found.setdefault(key, {**row, **told, "dedupe_key": key})
    return list(found.values())


def _told(app: App, hall: str, role: str, policy: Policy, today: date) -> Iterator[dict[str, Any]]:
    """Who holds the role on that day, or whoever it falls to."""
    channel, *via = app.config.watch.via or policy.no_reply_via
    receivers = app.config.directory.receivers(
        role, handler=None, department=None, hall=hall, on=today, before_breach=False
    )
    for person, as_role in receivers.people or ((None, None),):
        to = person.id if person else None
        yield {
            "role": role,
            "as_role": str(as_role) if as_role else None,
            "recipient": to,
            "channel": channel,
            "via": via,
            "state": "queued" if to else "failed",
            "reason": "" if to else "no_recipient",
            "detail": {"fell": [fall.text for fall in receivers.fell]},
        }


def _words(found: Horizon, *, once: bool) -> dict[str, str]:
    held = f"现有 {found.provisional} 件在办件的到期日落在其中，是暂定的。" if found.provisional else ""
    later = "还没有导入的，12月1日起每个工作日再提醒。" if once else "导入之前每个工作日提醒。"
    lines = (
        f"{found.missing} 年的放假安排还没有导入。{held}",
        "国务院办公厅的通知一般在 10 月底至 12 月初公布。",
        "公布后把通知原文存成文本文件，运行 sla calendar import 文件 预览，核对无误后加 --apply。",
        later,
    )
    return {"title": f"【放假安排】{found.missing} 年的通知还没有导入", "body": "\n".join(lines)}
