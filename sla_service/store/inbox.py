"""The inbox: every event that came in, once; and beside it every body that could not become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.domain.events import Event
from sla_service.store import bulk, tables

Row = Mapping[str, Any]
_COLUMNS = tables.inbox.c
_CHANGING = tuple(c.name for c in _COLUMNS if c.name not in ("source", "id"))


def history(conn: Connection, keys: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """All events of the cases ``(source, no)``."""
    return bulk.matching(conn, tables.inbox, ("source", "no"), keys)


def by_id(conn: Connection, ids: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Events by ``(source, id)``, whichever case they belong to."""
    return bulk.matching(conn, tables.inbox, ("source", "id"), ids)


def append(conn: Connection, rows: Sequence[Row]) -> None:
    """Adds new events. An id that another transaction has just used is an IntegrityError: look again, then."""
    bulk.insert(conn, tables.inbox, rows)


def change(conn: Connection, rows: Sequence[Row]) -> None:
    """Rewrites events whose status moved or whose rejected body was corrected."""
    bulk.insert(conn, tables.inbox, rows, key=("source", "id"), update=_CHANGING)


def keep(conn: Connection, rows: Sequence[Row]) -> None:
    """Keeps bodies that did not become events (``kept``), so that nothing that came in is lost."""
    bulk.insert(conn, tables.kept, rows)


def event_of(row: Row) -> Event:
    return Event(row["source"], row["id"], row["type"], row["no"], row["time"], row["data"])
