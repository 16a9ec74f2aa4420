"""Small facts that all processes share: provider tokens, when the last tick ran."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables


def put(conn: Connection, key: str, value: str, *, now: datetime, expires_at: datetime | None = None) -> None:
    row = {"key": key, "value": value, "at": now, "expires_at": expires_at}
    bulk.insert(conn, tables.facts, [row], key=("key",), update=("value", "at", "expires_at"))


def put_once(conn: Connection, key: str, value: str, *, now: datetime, expires_at: datetime | None = None) -> bool:
    """Says it unless somebody has; False if somebody had."""
    row = {"key": key, "value": value, "at": now, "expires_at": expires_at}
    return bulk.insert(conn, tables.facts, [row], key=("key",)) == 1


def take_turn(conn: Connection, key: str, *, now: datetime, every: timedelta) -> bool:
    """Is it the caller's turn? To one of all who ask, once in ``every``; a note from the future counts for nothing."""
    f = tables.facts
    old = sa.or_(f.c.at <= now - every, f.c.at > now + every)
    if conn.execute(f.update().where(f.c.key == key, old).values(at=now)).rowcount == 1:
        return True
    return put_once(conn, key, "", now=now)


def get(conn: Connection, key: str) -> Mapping[str, Any] | None:
    """The fact as a mapping of value, at and expires_at; None if nobody said it."""
    row = conn.execute(sa.select(tables.facts).where(tables.facts.c.key == key)).mappings().one_or_none()
    return None if row is None else dict(row)


def drop(conn: Connection, key: str) -> None:
    conn.execute(tables.facts.delete().where(tables.facts.c.key == key))


def forget(conn: Connection, prefix: str, *, now: datetime) -> None:
    """Drops what has expired of the facts whose key begins so."""
    old = sa.and_(tables.facts.c.key.startswith(prefix, autoescape=True), tables.facts.c.expires_at < now)
    conn.execute(tables.facts.delete().where(old))


def starting(conn: Connection, prefix: str) -> list[Mapping[str, Any]]:
    """All facts whose key begins so."""
    query = sa.select(tables.facts).where(tables.facts.c.key.startswith(prefix, autoescape=True))
    return [dict(row) for row in conn.execute(query).mappings()]
