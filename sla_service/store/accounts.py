"""Accounts of the pages and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk
from sla_service.store.tables_accounts import accounts, sessions

Row = Mapping[str, Any]


def add(conn: Connection, row: Row) -> bool:
    """False if there is an account of that name already."""
    return bulk.insert(conn, accounts, [row], key=("name",)) == 1


def get(conn: Connection, name: str, *, lock: bool = False) -> Row | None:
    query = sa.select(accounts).where(accounts.c.name == name)
    found = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return dict(found) if found is not None else None


def everyone(conn: Connection) -> list[Row]:
    return [dict(r) for r in conn.execute(sa.select(accounts).order_by(accounts.c.name)).mappings()]


def exist(conn: Connection) -> bool:
    return conn.execute(sa.select(accounts.c.name).limit(1)).first() is not None


def change(conn: Connection, name: str, **values: Any) -> bool:
    return conn.execute(accounts.update().where(accounts.c.name == name).values(**values)).rowcount == 1


def remove(conn: Connection, name: str) -> bool:
    close_all(conn, name)
    return conn.execute(accounts.delete().where(accounts.c.name == name)).rowcount == 1


# -- sessions -----------------------------------------------------------------------------------------------------


def open_session(conn: Connection, row: Row) -> None:
    bulk.insert(conn, sessions, [row])


def session(conn: Connection, id_: str) -> Row | None:
    """The session with its account's columns; None if there is none."""
    query = sa.select(sessions, *(c for c in accounts.c if c.name not in ("created_at", "hash")))
    joined = query.join(accounts, accounts.c.name == sessions.c.account).where(sessions.c.id == id_)
    found = conn.execute(joined).mappings().one_or_none()
    return dict(found) if found is not None else None


def seen(conn: Connection, id_: str, *, now: datetime) -> None:
    conn.execute(sessions.update().where(sessions.c.id == id_).values(seen_at=now))


def close(conn: Connection, id_: str) -> None:
    conn.execute(sessions.delete().where(sessions.c.id == id_))


def close_all(conn: Connection, account: str, *, but: str = "") -> None:
    conn.execute(sessions.delete().where(sessions.c.account == account, sessions.c.id != but))


def sweep(conn: Connection, *, idle_since: datetime, begun_before: datetime) -> int:
    """Takes out sessions that have ended by time; gives how many."""
    ended = sa.or_(sessions.c.seen_at < idle_since, sessions.c.created_at < begun_before)
    return conn.execute(sessions.delete().where(ended)).rowcount
