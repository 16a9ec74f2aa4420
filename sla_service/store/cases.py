"""Case and clock rows: out of the fold into the database, and back for a look at the ladder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case, Clock, Verdict
from sla_service.domain.clock import Due, Pause
from sla_service.domain.policy import BEIJING, MAIN_TARGET, Policy
from sla_service.store import bulk, tables

Key = tuple[str, str]
Row = Mapping[str, Any]

_CASES = tables.cases.c
_CLOCKS = tables.clocks.c
_KEY = ("source", "no")
#: What a fold has to know of the case as it was.
LOCKED = (
    "source",
    "no",
    "hall",
    "accepted_at",
    "state",
    "department",
    "handler",
    "falls",
    "policy_version",
    "calendar_version",
    "updated_at",
)
_NOTHING: Row = dict.fromkeys(LOCKED)
CASE_COLUMNS = tuple(c.name for c in _CASES if c.name not in ("source", "no"))
_FALLS = 20
CLOCK_KEY = ("source", "no", "target", "round")
CLOCK_COLUMNS = tuple(c.name for c in _CLOCKS if c.name not in CLOCK_KEY)


def lock(conn: Connection, keys: Sequence[tuple[str, str, str]]) -> dict[Key, Row]:
    """Locks the cases ``(source, no, hall)`` in sorted order, those not yet accepted too; gives their ``LOCKED`` part.

    Two transactions that each hold half of a case's events must not fold past each other. PostgreSQL locks rows, so
    a case that is not there yet gets one; SQLite's writer is alone.
    """
    if not keys:
        return {}
    keys = sorted(keys)
    if conn.dialect.name != "sqlite":
        bulk.insert(conn, tables.cases, [{"source": s, "no": n, "hall": h} for s, n, h in keys], key=_KEY)
    names = [(s, n) for s, n, _ in keys]
    found = bulk.matching(conn, tables.cases, _KEY, names, columns=LOCKED, lock=True)
    rows = {(s, n): {**_NOTHING, "source": s, "no": n, "hall": h} for s, n, h in keys}
    return rows | {(r["source"], r["no"]): r for r in found}


def read(conn: Connection, keys: Iterable[Key], *, lock: bool = False) -> list[dict[str, Any]]:
    return bulk.matching(conn, tables.cases, _KEY, keys, lock=lock)


def read_clocks(conn: Connection, keys: Iterable[Key]) -> list[dict[str, Any]]:
    """All clocks of the cases. Who holds a case's lock holds its clocks: the tick takes none whose case is locked."""
    return bulk.matching(conn, tables.clocks, _KEY, keys)


def write(conn: Connection, rows: Sequence[Row]) -> None:
    bulk.insert(conn, tables.cases, rows, key=_KEY, update=CASE_COLUMNS)


def write_clocks(conn: Connection, rows: Sequence[Row]) -> None:
    bulk.insert(conn, tables.clocks, rows, key=CLOCK_KEY, update=CLOCK_COLUMNS)


def add_falls(conn: Connection, found: Mapping[Key, Sequence[Row]]) -> None:
    """Adds findings of addressing to the cases they belong to; most batches have none."""
    if not found:
        return
    held = bulk.matching(conn, tables.cases, _KEY, sorted(found), columns=(*_KEY, "falls"), lock=True)
    rows = [{**row, "falls": joined(row["falls"], found[row["source"], row["no"]])} for row in held]
    bulk.update(conn, tables.cases, rows, key=_KEY)


def joined(before: Sequence[Row] | None, new: Sequence[Row] | None) -> list[Row]:
    """Findings of addressing, each once, the newest that fit on a page."""
    found = list(before or ())
    found += [f for f in new or () if f not in found]
    return found[-_FALLS:]


def delete_clocks(conn: Connection, keys: Iterable[tuple[str, str, str, int]]) -> None:
    """Takes out clocks that no longer exist in the fold (an answer was given, an acceptance taken back)."""
    table = tables.clocks
    params = [{"s": s, "n": n, "t": t, "r": r} for s, n, t, r in keys]
    if params:
        where = "source = :s AND no = :n AND target = :t AND round = :r"
        conn.execute(table.delete().where(sa.text(where)), params)


def case_row(case: Case, hall: str, policy: Policy, calendar: Calendar, now: datetime) -> dict[str, Any]:
    """The row of a folded case. A case that is not accepted has a row too: it holds the place of its events."""
    clock, due = case.main, case.main.due if case.main else None
    return {
        "source": case.source,
        "no": case.no,
        "hall": hall,
        "accepted_at": case.accepted_at,
        "state": case.state.value if case.accepted else None,
        "kind": case.kind,
        "title": case.title,
        "matter": case.matter,
        "department": case.department,
        "handler": case.handler,
        "outcome": case.outcome,
        "closed_at": case.closed_at,
        "replied_at": case.replied_at,
        "round": case.round,
        "due_on": due.on if due else None,
        "due_at": due.at if due else None,
        "due_earliest": due.earliest if due else None,
        "due_latest": due.latest if due else None,
        "due_latest_at": due.latest_at if due else None,
        "provisional": due.provisional if due else None,
        "yellow_on": _yellow_on(policy, calendar, case.kind, due.earliest) if due else None,
        "verdict": clock.verdict.value if clock and clock.verdict else None,
        "late_days": clock.late_days if clock and clock.verdict is Verdict.BREACHED else None,
        "findings": [{"code": f.code, "text": f.text} for f in case.findings],
        "detail": _detail(case),
        "policy_version": policy.version,
        "calendar_version": calendar.version,
        "updated_at": now,
    }


@lru_cache(maxsize=4096)
def _yellow_on(policy: Policy, calendar: Calendar, kind: str | None, due: date) -> date:
    target = policy.target(MAIN_TARGET)
    days = target.yellow.get(kind or policy.unclassified_as, 0) if target else 0
    return calendar.nth_before(due, days) if days else due


def _detail(case: Case) -> dict[str, Any]:
    return {
        "holders": [[h.since, h.handler, h.department] for h in case.holders],
        "acknowledged": [[at, who] for at, who in case.acknowledged[-20:]],
        "merged_into": list(case.merged_into),
        "labels": case.data.get("labels"),
        "wanted_by": case.data.get("wanted_by"),
    }


def clock_row(source: str, no: str, clock: Clock, counted_by: str | None) -> dict[str, Any]:
    """A clock's row without what the ladder adds to it (watermark, breached_at, next_at).

    ``counted_by`` is the calendar version of a stopped one's verdict; a running one goes by the calendar in force.
    """
    due = clock.due
    return {
        "source": source,
        "no": no,
        "target": clock.target,
        "round": clock.round,
        "started_at": clock.started_at,
        "start_on": clock.start_on,
        "limit_days": clock.limit,
        "pauses": [_pause_row(p) for p in clock.pauses],
        "stopped_at": clock.stopped_at,
        "due_on": due.on if due else None,
        "due_earliest": due.earliest if due else None,
        "due_latest": due.latest if due else None,
        "due_latest_at": due.latest_at if due else None,
        "provisional": due.provisional if due else False,
        "verdict": clock.verdict.value if clock.verdict else None,
        "late_days": clock.late_days,
        "counted_by": None if clock.running else counted_by,
    }


def _pause_row(pause: Pause) -> list[str | None]:
    """As it comes back from the database, so that a row that has not changed is equal to what was read."""
    end, until = pause.end, pause.expected_until
    return [
        pause.begin.astimezone(BEIJING).isoformat(),
        end.astimezone(BEIJING).isoformat() if end else None,
        pause.reason,
        until.isoformat() if until else None,
    ]


def clock_of(row: Row) -> Clock:
    """The domain's clock out of its row."""
    pauses = tuple(_pause(p) for p in row["pauses"])
    verdict = Verdict(row["verdict"]) if row["verdict"] else None
    return Clock(
        row["target"],
        row["round"],
        row["started_at"],
        row["start_on"],
        row["limit_days"],
        pauses,
        row["stopped_at"],
        due_of(row),
        verdict,
        row["late_days"],
    )


def due_of(row: Row) -> Due | None:
    """The due date in a clock's row; None while it is paused."""
    if row["due_on"] is None:
        return None
    at = row["due_latest_at"]
    return Due(row["due_on"], at, row["provisional"], row["due_earliest"], row["due_latest"], at)


def _pause(item: Sequence[Any]) -> Pause:
    begin, end, reason, until = item
    return Pause(
        datetime.fromisoformat(begin),
        datetime.fromisoformat(end) if end else None,
        reason,
        date.fromisoformat(until) if until else None,
    )
