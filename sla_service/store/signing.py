"""Where signing secrets lie: as services seal them, one row each, the newest last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables_webhooks

Row = Mapping[str, Any]
_S = tables_webhooks.signing_secrets


def add(conn: Connection, row: Row) -> None:
    bulk.insert(conn, _S, [row])


def of_source(conn: Connection, source: str, use: str, *, now: datetime) -> list[Row]:
    """The secrets that hold, the newest first."""
    held = sa.or_(_S.c.expires_at.is_(None), _S.c.expires_at > now)
    query = sa.select(_S).where(_S.c.source == source, _S.c.use == use, held)
    newest = _S.c.expires_at.is_not(None), _S.c.created_at.desc(), _S.c.id
    return [dict(r) for r in conn.execute(query.order_by(*newest)).mappings()]


def everyone(conn: Connection) -> list[Row]:
    return [dict(r) for r in conn.execute(sa.select(_S).order_by(_S.c.created_at, _S.c.id)).mappings()]


def expire(conn: Connection, source: str, use: str, *, at: datetime) -> int:
    """Lets all present secrets end at ``at``, unless they end before; gives how many."""
    later = sa.or_(_S.c.expires_at.is_(None), _S.c.expires_at > at)
    query = _S.update().where(_S.c.source == source, _S.c.use == use, later).values(expires_at=at)
    return conn.execute(query).rowcount


def drop(conn: Connection, source: str, use: str) -> None:
    conn.execute(_S.delete().where(_S.c.source == source, _S.c.use == use))


def rewrite(conn: Connection, secrets: Iterable[tuple[str, str]]) -> None:
    """Pairs of id and what is to lie there."""
    for secret_id, sealed in secrets:
        conn.execute(_S.update().where(_S.c.id == secret_id).values(secret=sealed))


def touch(conn: Connection, secret_id: str, *, now: datetime) -> None:
    """Notes that a secret was used, to the minute."""
    stale = sa.or_(_S.c.last_used_at.is_(None), _S.c.last_used_at < now - timedelta(minutes=1))
    conn.execute(_S.update().where(_S.c.id == secret_id, stale).values(last_used_at=now))
