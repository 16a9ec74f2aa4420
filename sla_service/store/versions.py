"""Immutable versions of policies and calendars: what a verdict was judged under can always be looked up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables


def policy(conn: Connection, version: str) -> Mapping[str, Any] | None:
    return _content(conn, tables.policies, version)


def calendar(conn: Connection, version: str) -> Mapping[str, Any] | None:
    return _content(conn, tables.calendars, version)


def keep_policy(conn: Connection, version: str, content: Mapping[str, Any], now: datetime) -> None:
    _keep(conn, tables.policies, version, content, now)


def keep_calendar(conn: Connection, version: str, content: Mapping[str, Any], now: datetime) -> None:
    _keep(conn, tables.calendars, version, content, now)


def known(conn: Connection) -> set[str]:
    """Versions of policies and calendars that are kept already."""
    both = sa.union_all(sa.select(tables.policies.c.version), sa.select(tables.calendars.c.version))
    return set(conn.execute(both).scalars())


def _content(conn: Connection, table: sa.Table, version: str) -> Mapping[str, Any] | None:
    return conn.execute(sa.select(table.c.content).where(table.c.version == version)).scalar_one_or_none()


def _keep(conn: Connection, table: sa.Table, version: str, content: Mapping[str, Any], now: datetime) -> None:
    bulk.insert(conn, table, [{"version": version, "content": content, "created_at": now}], key=("version",))
