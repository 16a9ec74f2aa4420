"""Registered case systems and their keys. A key is shown once; the database holds the hash of its secret part."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]
_PREFIX = "sla"


def by_name(conn: Connection, names: Iterable[str]) -> dict[str, Row]:
    wanted = sorted(set(names))
    rows = conn.execute(sa.select(tables.sources).where(tables.sources.c.name.in_(wanted))).mappings()
    return {r["name"]: dict(r) for r in rows}


def everyone(conn: Connection) -> list[Row]:
    rows = conn.execute(sa.select(tables.sources).order_by(tables.sources.c.name)).mappings()
    return [dict(r) for r in rows]


def keys(conn: Connection, source: str | None = None) -> list[Row]:
    query = sa.select(tables.source_keys).order_by(tables.source_keys.c.created_at)
    if source is not None:
        query = query.where(tables.source_keys.c.source == source)
    return [dict(r) for r in conn.execute(query).mappings()]


def delay_of(conn: Connection, name: str) -> timedelta:
    """How long after the due instant a source's breaches are announced."""
    query = sa.select(tables.sources.c.batch_delay).where(tables.sources.c.name == name)
    return timedelta(seconds=conn.scalar(query) or 0)


def set_delay(conn: Connection, name: str, delay: timedelta) -> None:
    conn.execute(
        tables.sources.update().where(tables.sources.c.name == name).values(batch_delay=int(delay.total_seconds()))
    )


def wake(conn: Connection, name: str, *, now: datetime) -> int:
    """Lets every clock that the tick still watches be looked at now; gives how many.

    One that was looked at after it had run out, and whose breach was held back, goes back to that instant: what the
    delay held has not been told.
    """
    table = tables.clocks
    names = ("source", "no", "target", "round", "due_latest_at")
    held = sa.select(*(table.c[n] for n in names)).where(
        table.c.source == name,
        table.c.breached_at.is_(None),
        table.c.stopped_at.is_(None),
        table.c.due_latest_at <= now,
        table.c.watermark >= table.c.due_latest_at,
    )
    rows = [dict(r) for r in conn.execute(held).mappings()]
    key = names[:-1]
    back = [{n: row[n] for n in key} | {"watermark": row["due_latest_at"] - timedelta(microseconds=1)} for row in rows]
    bulk.update(conn, table, back, key=key)
    watched = sa.and_(table.c.source == name, table.c.next_at > now)
    return conn.execute(table.update().where(watched).values(next_at=now)).rowcount


def add(
    conn: Connection, name: str, *, hall: str, test: bool, go_live: datetime, now: datetime, batch_delay: int = 0
) -> bool:
    """Registers a source; False if there is one of that name already. ``batch_delay`` in seconds."""
    row = {"name": name, "hall": hall, "test": test, "go_live": go_live, "created_at": now, "batch_delay": batch_delay}
    return bulk.insert(conn, tables.sources, [row], key=("name",)) == 1


def new_key(conn: Connection, source: str, *, now: datetime) -> str:
    """Makes a key and gives it, the only time that anybody sees it: ``sla_<id>_<secret>``."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {"id": key_id, "source": source, "hash": _hash(secret), "created_at": now}
    bulk.insert(conn, tables.source_keys, [row])
    return f"{_PREFIX}_{key_id}_{secret}"


def expire_keys(conn: Connection, source: str, *, at: datetime) -> int:
    """Lets all present keys of a source end at ``at`` (rotation with overlap)."""
    table = tables.source_keys
    open_ended = sa.or_(table.c.expires_at.is_(None), table.c.expires_at > at)
    query = table.update().where(table.c.source == source, open_ended).values(expires_at=at)
    return conn.execute(query).rowcount


def owner(conn: Connection, key: str, *, now: datetime) -> str | None:
    """The source whose key this is, None if it is nobody's or has expired. The hash is compared in constant time."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    table = tables.source_keys
    row = conn.execute(sa.select(table).where(table.c.id == key_id)).mappings().one_or_none()
    stored = row["hash"] if row else _hash("")
    right = hmac.compare_digest(stored, _hash(secret))
    if row is None or not right or prefix != _PREFIX or (row["expires_at"] is not None and row["expires_at"] <= now):
        return None
    return str(row["source"])


def touch_key(conn: Connection, key: str, *, now: datetime) -> None:
    """Notes that a key was used, to the minute: not a write per request."""
    table, key_id = tables.source_keys, key.split("_")[1]
    stale = sa.or_(table.c.last_used_at.is_(None), table.c.last_used_at < now - timedelta(minutes=1))
    conn.execute(table.update().where(table.c.id == key_id, stale).values(last_used_at=now))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
