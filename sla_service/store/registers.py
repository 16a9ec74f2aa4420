"""What registers said last of each case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables
from sla_service.store.tables_registers import register_rows

Row = Mapping[str, Any]
Key = tuple[str, str]


def read(conn: Connection, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    rows = bulk.matching(conn, register_rows, ("source", "no"), keys)
    return {(r["source"], r["no"]): r for r in rows}


def write(conn: Connection, rows: Sequence[Row]) -> None:
    bulk.insert(conn, register_rows, rows, key=("source", "no"), update=("as_of", "seen", "before", "said"))


def closed(conn: Connection, keys: Iterable[Key]) -> set[Key]:
    """Which of these cases are closed as they stand."""
    rows = bulk.matching(conn, tables.cases, ("source", "no"), keys, columns=("source", "no", "state"))
    return {(r["source"], r["no"]) for r in rows if r["state"] == "closed"}
