"""The report: figures of a period by department, kind, matter and handler, and the cases behind them.

A breach counts for whoever held the case at the due instant, and beside it stands how long each held it, so that
nobody answers for another's delay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.domain.clock import business_date
from sla_service.domain.figures import Figures, Held, Round, Table
from sla_service.domain.findings import KIND_WORDS
from sla_service.domain.policy import BEIJING, at_minute
from sla_service.errors import UsageError
from sla_service.services.app import App
from sla_service.store import reporting

GROUPS: Final = ("department", "kind", "matter", "handler")
#: Cases named in one report; the figures count all.
LISTED: Final = 500
_LONGEST: Final = 3660  # days
_NONE: Final = {"department": "（没有科室）", "kind": "未分类", "matter": "（没有事项）", "handler": "（没有承办人）"}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """``tables`` by what they group by; ``late`` are breached rounds, the longest first; ``pauses`` the doubtful."""

    first: date
    last: date
    total: Figures
    tables: Mapping[str, Table]
    late: Sequence[Round]
    pauses: Sequence[Row]


def report(
    app: App,
    *,
    first: date,
    last: date,
    now: datetime,
    by: Sequence[str] = GROUPS,
    source: str | None = None,
    hall: str | None = None,
) -> Report:
    """The figures from ``first`` to ``last``, both included. Raises UsageError for a period that is none."""
    if first > last or (last - first).days > _LONGEST:
        raise UsageError(f"统计期间要从早到晚，最长十年，现在是 {first} 到 {last}。")
    wanted = reporting.Wanted(at_minute(first, 0), at_minute(last + timedelta(days=1), 0), source, hall)
    total, tables, late = Figures(), {name: Table() for name in by}, []
    with app.db.read() as conn:
        for row in reporting.closed_rounds(conn, wanted):
            one = _round(app, conn, row)
            _add(app, tables, total, _group_row(one, row["hall"]), one)
            if one.breached and one.outcome != "withdrawn":
                late.append(one)
        for row in (*reporting.open_now(conn, wanted, now=now), *reporting.accepted(conn, wanted)):
            sums = {name: int(n) for name, n in row.items() if name in ("running", "overdue", "paused", "accepted")}
            _count(app, tables, total, row, sums)
        for visit in reporting.visits(conn, wanted):
            row = {"hall": visit["hall"], "matter": visit["data"].get("matter")}
            _count(app, tables, total, row, {"visits": _times(visit["data"])})
        pauses = reporting.doubtful_pauses(conn, wanted, limit=LISTED)
    late.sort(key=lambda r: (-r.late_days, r.closed_at))
    return Report(first, last, total, tables, late, pauses)


def name_of(app: App, what: str, row: Row) -> str:
    """A group's name: people under one name, however the case system writes them."""
    value = row.get(what)
    if value is None or value == "":
        return _NONE[what]
    if what == "kind":
        return KIND_WORDS.get(value, value)
    if what == "handler":
        person = app.config.directory.find(value, row.get("department"), row["hall"])
        return person.name if person is not None else str(value)
    return str(value)


def _group_row(one: Round, hall: str) -> Row:
    return {"hall": hall, **{name: getattr(one, name) for name in GROUPS}}


def _add(app: App, tables: Mapping[str, Table], total: Figures, row: Row, one: Round) -> None:
    total.add(one)
    for what, table in tables.items():
        table.of(name_of(app, what, row)).add(one)


def _count(app: App, tables: Mapping[str, Table], total: Figures, row: Row, sums: Mapping[str, int]) -> None:
    total.count(sums)
    for what, table in tables.items():
        if "visits" not in sums or what == "matter":  # a visit has a matter and nothing else
            table.of(name_of(app, what, row)).count(sums)


def _times(data: Row) -> int:
    count = data.get("count", 1)
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1


def _round(app: App, conn: Connection, row: Row) -> Round:
    closed_at = row["stopped_at"].astimezone(BEIJING)
    breached = row["verdict"] == "breached"
    holders = _holders(row)
    at = row["due_latest_at"] if breached and row["due_latest_at"] is not None else closed_at
    handler, department = _holding(holders, at) if holders else (row["handler"], row["department"])
    return Round(
        source=row["source"],
        no=row["no"],
        round=row["round"],
        title=row["title"],
        kind=row["kind"],
        matter=row["matter"],
        handler=handler,
        department=department or row["department"],
        outcome=row["outcome"] if row["round"] == row["last_round"] else _outcome(conn, row),
        due_on=row["due_on"],
        closed_at=closed_at,
        breached=breached,
        late_days=row["late_days"] or 0,
        held=_held(app, row, holders, closed_at) if breached else (),
    )


def _outcome(conn: Connection, row: Row) -> str | None:
    """How an earlier round came out: the case row knows the last one only."""
    closed = [c for c in reporting.closings(conn, row["source"], row["no"]) if c["time"] <= row["stopped_at"]]
    return str(closed[-1]["data"]["outcome"]) if closed else None


def _holders(row: Row) -> list[tuple[datetime, str | None, str | None]]:
    held = (row["detail"] or {}).get("holders", [])
    return [(datetime.fromisoformat(since), handler, department) for since, handler, department in held]


def _called(app: App, row: Row, handler: str | None, department: str | None) -> str:
    if handler is None:
        return department or "未分派"
    return name_of(app, "handler", {"handler": handler, "department": department, "hall": row["hall"]})


def _holding(holders: Sequence[tuple[datetime, str | None, str | None]], at: datetime) -> tuple[str | None, str | None]:
    before = [h for h in holders if h[0] <= at] or list(holders[:1])
    return before[-1][1], before[-1][2]


def _held(
    app: App, row: Row, holders: Sequence[tuple[datetime, str | None, str | None]], closed_at: datetime
) -> tuple[Held, ...]:
    """Working days that each had the case in hand at close of business, in order."""
    calendar = app.calendar(row["hall"], row["department"])
    ends = [since for since, _, _ in holders[1:]] + [closed_at]
    found = []
    for (since, handler, department), end in zip(holders, ends, strict=True):
        begin, finish = business_date(since), business_date(min(end, closed_at))
        if finish >= begin:
            found.append(
                Held(
                    _called(app, row, handler, department), handler, department, max(0, calendar.between(begin, finish))
                )
            )
    return tuple(found)
