"""What came in and what became of it, for those who look after the doors: events, and bodies that became none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables

Row = Mapping[str, Any]
_I, _K = tables.inbox, tables.kept

EVENT_STATUSES = frozenset(("applied", "waiting", "rejected", "voided"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None and empty leave a side open."""

    statuses: tuple[str, ...] = ()
    source: str | None = None
    no: str | None = None
    ids: tuple[str, ...] = ()
    since: datetime | None = None


def events(conn: Connection, wanted: Wanted, *, limit: int) -> list[Row]:
    """Events of the inbox, the latest arrivals first."""
    query = sa.select(_I).where(*_where(_I, wanted)).order_by(_I.c.received_at.desc(), _I.c.source, _I.c.id)
    if wanted.no is not None:
        query = query.where(_I.c.no == wanted.no)
    return [dict(r) for r in conn.execute(query.limit(limit)).mappings()]


def bodies(conn: Connection, wanted: Wanted, *, after: int | None = None, limit: int) -> list[Row]:
    """Bodies that became no event, the latest first; ``after``: those before this number. Cases stand inside them."""
    query = sa.select(_K).where(*_where(_K, wanted)).order_by(_K.c.seq.desc())
    if after is not None:
        query = query.where(_K.c.seq < after)
    return [dict(r) for r in conn.execute(query.limit(limit)).mappings()]


def settle(conn: Connection, numbers: Sequence[int], *, status: str) -> None:
    """Notes that bodies need no more looking after; they themselves stay."""
    conn.execute(_K.update().where(_K.c.seq.in_(list(numbers))).values(status=status))


def _where(table: sa.Table, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [table.c.status.in_(wanted.statuses)] if wanted.statuses else []
    if wanted.source is not None:
        found.append(table.c.source == wanted.source)
    if wanted.ids:
        found.append(table.c.id.in_(wanted.ids))
    if wanted.since is not None:
        found.append(table.c.received_at >= wanted.since)
    return found
