"""Messages: written with a dedupe key in the transaction that decides them, sent by nobody here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

_M = tables.messages


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Adds messages; one whose dedupe key is there already is left alone. Gives how many were new."""
    return bulk.insert(conn, tables.messages, rows, key=("dedupe_key",))


def waiting_moves(conn: Connection, keys: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Messages about due dates that a calendar has moved which have not gone out yet, locked, oldest first."""
    wanted = sorted(keys)
    if not wanted:
        return []
    columns = (_M.c[name] for name in ("id", "source", "no", "target", "round", "role", "detail"))
    mine = sa.tuple_(_M.c.source, _M.c.no).in_(wanted)
    query = sa.select(*columns).where(mine, _M.c.state == "queued", _M.c.step.like("due_changed %"))
    return [dict(r) for r in conn.execute(query.order_by(_M.c.id).with_for_update()).mappings()]


def overtake(conn: Connection, ids: Sequence[int]) -> None:
    """Messages that a later one stands for."""
    if ids:
        mine = sa.and_(_M.c.id.in_(ids), _M.c.state == "queued")
        conn.execute(_M.update().where(mine).values(state="suppressed", reason="moved"))


def note(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds lines to the journal of cases."""
    bulk.insert(conn, tables.journal, rows)
