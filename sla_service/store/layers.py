"""Layers of the calendars, and which version of each calendar is the current one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]

_L, _X, _C = tables.calendar_layers, tables.calendar_changes, tables.cases

#: Any number. Who writes cases holds it shared, who puts a calendar in force alone (PostgreSQL; SQLite has one writer).
_LOCK = 0x51A_CA1
_HOLD = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
_LAST = "SELECT coalesce(max(seq), 0) FROM calendar_changes"
OPEN = ("running", "paused")


def last_change(conn: Connection, *, hold: bool = False) -> int:
    """The number of the last change of any calendar.

    ``hold``: none can come before this transaction ends. The lock and the look are one round trip, but two
    statements, so that the look sees what was committed while the lock was waited for.
    """
    if not hold or conn.dialect.name == "sqlite":
        return int(conn.exec_driver_sql(_LAST).scalar_one())
    cursor: Any = conn.connection.cursor()
    try:
        cursor.execute(f"{_HOLD}; {_LAST}", prepare=False)
        cursor.nextset()
        return int(cursor.fetchone()[0])
    finally:
        cursor.close()


def alone(conn: Connection) -> None:
    """Waits until nobody writes cases, and keeps them from it until this transaction ends."""
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


# -- layers -------------------------------------------------------------------------------------------------


def active(conn: Connection) -> list[Row]:
    """The layers that count, in the order in which they came."""
    query = sa.select(_L).where(_L.c.ended_at.is_(None)).order_by(_L.c.id)
    return [dict(r) for r in conn.execute(query).mappings()]


def editions(conn: Connection) -> dict[str, str]:
    """Name -> edition of the layers that the program brought itself."""
    query = sa.select(_L.c.name, _L.c.edition).where(_L.c.ended_at.is_(None), _L.c.edition != "")
    return {r.name: r.edition for r in conn.execute(query)}


def names(conn: Connection) -> set[str]:
    """Calendars that have layers of their own."""
    return set(conn.execute(sa.select(_L.c.calendar).where(_L.c.ended_at.is_(None)).distinct()).scalars())


def add(conn: Connection, row: Row) -> int:
    return int(conn.execute(_L.insert().values(**row).returning(_L.c.id)).scalar_one())


def end(conn: Connection, ids: Iterable[int], *, by: str, now: datetime) -> int:
    """Layers that no longer count from now on; they stay to be read."""
    wanted = list(ids)
    query = _L.update().where(_L.c.id.in_(wanted), _L.c.ended_at.is_(None)).values(ended_at=now, ended_by=by)
    return conn.execute(query).rowcount if wanted else 0


# -- versions in force --------------------------------------------------------------------------------------


def heads(conn: Connection) -> dict[str, Row]:
    """The change that is current, by calendar."""
    query = sa.select(_X).where(_X.c.current)
    return {r["calendar"]: dict(r) for r in conn.execute(query).mappings()}


def switch(conn: Connection, calendar: str, version: str, *, reason: str, who: str, now: datetime, done: bool) -> int:
    """Makes ``version`` the current one of ``calendar``; ``done``: no case has to follow. Gives its number."""
    conn.execute(_X.update().where(_X.c.calendar == calendar, _X.c.current).values(current=False))
    row = {
        "calendar": calendar,
        "version": version,
        "reason": reason,
        "who": who,
        "at": now,
        "current": True,
        "recomputed_at": now if done else None,
    }
    return int(conn.execute(_X.insert().values(**row).returning(_X.c.seq)).scalar_one())


def pending(conn: Connection) -> list[Row]:
    """Current changes that running cases have not all followed yet, oldest first."""
    query = sa.select(_X).where(_X.c.current, _X.c.recomputed_at.is_(None)).order_by(_X.c.seq)
    return [dict(r) for r in conn.execute(query).mappings()]


def changes_of(conn: Connection, calendar: str) -> list[int]:
    """Numbers of all changes of a calendar, oldest first."""
    return list(conn.execute(sa.select(_X.c.seq).where(_X.c.calendar == calendar).order_by(_X.c.seq)).scalars())


def followed(conn: Connection, seq: int, *, now: datetime) -> bool:
    """All cases have followed; False if somebody else said so before."""
    query = _X.update().where(_X.c.seq == seq, _X.c.recomputed_at.is_(None)).values(recomputed_at=now)
    return conn.execute(query).rowcount == 1


# -- cases that are to follow -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases that count by one calendar: those of whole ``halls``, and of single departments (hall, name)."""

    halls: tuple[str, ...]
    departments: tuple[tuple[str, str], ...] = ()

    @property
    def places(self) -> list[str]:
        """Every hall that has such cases."""
        return sorted({*self.halls, *(hall for hall, _ in self.departments)})


def departments(conn: Connection, hall_names: Iterable[str]) -> list[tuple[str, str]]:
    """(hall, department) of the open cases of these halls, as their cases have them; "" for none."""
    department = sa.func.coalesce(_C.c.department, "")
    query = sa.select(_C.c.hall, department).where(_C.c.state.in_(OPEN), _C.c.hall.in_(sorted(hall_names))).distinct()
    return [(hall, name) for hall, name in conn.execute(query).tuples()]


def stale_count(conn: Connection, scope: Scope, version: str) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(_C).where(_stale(scope, version))).scalar_one())


def stale(
    conn: Connection, scope: Scope, version: str, *, after: tuple[str, str] | None, limit: int
) -> list[tuple[str, str]]:
    """Running and paused cases in ``scope`` that stand under another version, in order of source and number."""
    query = sa.select(_C.c.source, _C.c.no).where(_stale(scope, version)).order_by(_C.c.source, _C.c.no).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(_C.c.source, _C.c.no) > sa.tuple_(*map(sa.literal, after)))
    return [(source, no) for source, no in conn.execute(query).tuples()]


def _stale(scope: Scope, version: str) -> sa.ColumnElement[bool]:
    other = sa.or_(_C.c.calendar_version != version, _C.c.calendar_version.is_(None))
    where: sa.ColumnElement[bool] = _C.c.hall.in_(scope.halls)
    if scope.departments:
        of_department = sa.tuple_(_C.c.hall, sa.func.coalesce(_C.c.department, "")).in_(scope.departments)
        where = sa.or_(where, of_department)
    return sa.and_(_C.c.state.in_(OPEN), where, other)


def halls(conn: Connection) -> list[str]:
    """Halls that cases may belong to: those of the registered sources."""
    return sorted(conn.execute(sa.select(tables.sources.c.hall).distinct()).scalars())


def provisional(conn: Connection) -> list[tuple[str, str | None, int]]:
    """Running cases by hall and department whose due date was counted over projected days."""
    query = (
        sa.select(_C.c.hall, _C.c.department, sa.func.count())
        .where(_C.c.state.in_(OPEN), _C.c.provisional.is_(True))
        .group_by(_C.c.hall, _C.c.department)
    )
    return [(hall, department, int(n)) for hall, department, n in conn.execute(query).tuples()]


def after_closing(conn: Connection, halls: Sequence[str], *, after: Row | None, limit: int) -> list[Row]:
    """Clocks that still run on closed cases (an answer owed, a follow-up), with what their ladder asks of the case."""
    k = tables.clocks
    wanted = ("hall", "kind", "department", "handler", "policy_version", "detail")
    query = (
        sa.select(k, *(_C.c[name] for name in wanted))
        .join(_C, sa.and_(_C.c.source == k.c.source, _C.c.no == k.c.no))
        .where(k.c.next_at.is_not(None), k.c.stopped_at.is_(None), _C.c.state == "closed", _C.c.hall.in_(halls))
        .order_by(k.c.source, k.c.no, k.c.target, k.c.round)
        .limit(limit)
        .with_for_update(of=(_C, k))
    )
    if after is not None:
        keys = ("source", "no", "target", "round")
        query = query.where(sa.tuple_(*(k.c[n] for n in keys)) > sa.tuple_(*(sa.literal(after[n]) for n in keys)))
    return [dict(r) for r in conn.execute(query).mappings()]


def release(conn: Connection, steps: Sequence[str], hall: str, *, not_before: datetime) -> int:
    """Lets a hall's messages of these steps go out from ``not_before`` on, all at once: an envelope for each person."""
    m = tables.messages
    mine = sa.and_(m.c.state == "queued", m.c.step.in_(steps), m.c.hall == hall)
    return conn.execute(m.update().where(mine).values(not_before=not_before)).rowcount


def told(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the dedupe keys under which a message was written."""
    m = tables.messages
    return set(conn.execute(sa.select(m.c.dedupe_key).where(m.c.dedupe_key.in_(keys))).scalars()) if keys else set()


def keep_version(conn: Connection, version: str, content: Mapping[str, Any], *, now: datetime) -> None:
    row = {"version": version, "content": content, "created_at": now}
    bulk.insert(conn, tables.calendars, [row], key=("version",))
