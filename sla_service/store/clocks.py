"""Claiming clocks that need a look, and setting when they need the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]

_K = tables.clocks
_C = tables.cases
_CASE_PART = ("hall", "kind", "department", "handler", "state", "policy_version", "calendar_version", "detail")
_CLAIM = (
    sa.select(_K, *(_C.c[name] for name in _CASE_PART), tables.sources.c.test)
    .join(_C, sa.and_(_C.c.source == _K.c.source, _C.c.no == _K.c.no))
    .join(tables.sources, tables.sources.c.name == _K.c.source)
    .where(_K.c.next_at <= sa.bindparam("now"))
    .order_by(_K.c.next_at)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True, of=[_K, _C])
)
_PEEK = sa.select(sa.func.min(_K.c.next_at)).where(_K.c.next_at.is_not(None))


def next_at(conn: Connection) -> datetime | None:
    """When the first clock needs a look; costs one index probe however many are running."""
    return conn.execute(_PEEK).scalar()


def claim(conn: Connection, *, now: datetime, limit: int) -> list[Row]:
    """Due clocks with their cases, locked until the transaction ends; those that others hold are skipped.

    The case is locked too: an event that is being taken in and a look at the ladder must not pass each other.
    """
    rows = conn.execute(_CLAIM, {"now": now, "limit": limit}).mappings()
    return [dict(r) for r in rows]


def reschedule(conn: Connection, rows: Sequence[Row]) -> None:
    """Writes watermark, breached_at and next_at of claimed clocks in one statement."""
    bulk.update(conn, _K, rows, key=("source", "no", "target", "round"))
