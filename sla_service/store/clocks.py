"""Claiming clocks that need a look, and setting when they need the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]

_K = tables.clocks
_CASE_PART = ("hall", "kind", "department", "handler", "state", "policy_version", "calendar_version", "detail")
_OF_CASE = tuple(tables.cases.c[name] for name in _CASE_PART)
_OF_SOURCE = (tables.sources.c.test, tables.sources.c.batch_delay)
_PEEK = "SELECT min(next_at) FROM clocks WHERE next_at IS NOT NULL"


def next_at(conn: Connection) -> datetime | None:
    """When the first clock needs a look; costs one index probe however many are running."""
    first: datetime | str | None = conn.exec_driver_sql(_PEEK).scalar()
    return datetime.fromisoformat(first) if isinstance(first, str) else first


def claim(conn: Connection, *, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Due clocks with their cases, locked until the transaction ends; those that others hold are skipped.

    The case is locked too: an event that is being taken in and a look at the ladder must not pass each other.
    """
    lite = conn.dialect.name == "sqlite"
    parts = (("k", tuple(_K.c)), ("c", _OF_CASE), ("s", _OF_SOURCE))
    shown = ", ".join(bulk.shown(conn, alias, columns) for alias, columns in parts)
    # The limit stands in the text: for a prepared statement PostgreSQL would plan a tenth of all clocks.
    sql = (
        f"SELECT {shown} FROM clocks AS k "  # noqa: S608
        "JOIN cases AS c ON c.source = k.source AND c.no = k.no JOIN sources AS s ON s.name = k.source "
        f"WHERE k.next_at <= {'?' if lite else '%s'} ORDER BY k.next_at LIMIT {limit:d}"
        f"{'' if lite else ' FOR UPDATE OF k, c SKIP LOCKED'}"
    )
    columns = [column for _, of in parts for column in of]
    return bulk.fetch(conn, sql, (bulk.instant(conn, now),), columns)


def reschedule(conn: Connection, rows: Sequence[Row]) -> None:
    """Writes watermark, breached_at and next_at of claimed clocks in one statement."""
    bulk.update(conn, _K, rows, key=("source", "no", "target", "round"))
