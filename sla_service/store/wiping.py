"""Emptying a source: everything that came from it and everything that followed, the source itself stays."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from sla_service.store import tables, tables_registers, tables_webhooks

#: In an order that foreign keys allow; clocks go with their cases.
_HELD = (
    tables_webhooks.webhook_events,
    tables.messages,
    tables.journal,
    tables.clocks,
    tables.cases,
    tables.inbox,
    tables.kept,
    tables_registers.register_rows,
)


def wipe(conn: Connection, source: str) -> dict[str, int]:
    """Deletes all rows of a source; gives how many of each table.

    Envelopes stay: one may hold messages about other sources' cases too, and its tries are never taken back.
    """
    return {t.name: conn.execute(t.delete().where(t.c.source == source)).rowcount for t in _HELD}
