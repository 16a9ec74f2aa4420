"""Messages: written with a dedupe key in the transaction that decides them, sent by nobody here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Adds messages; one whose dedupe key is there already is left alone. Gives how many were new."""
    return bulk.insert(conn, tables.messages, rows, key=("dedupe_key",))


def note(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds lines to the journal of cases."""
    bulk.insert(conn, tables.journal, rows)
