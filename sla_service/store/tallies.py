"""Sums that only grow: added to by whoever seals the audit log, read by the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from sla_service.store.tables_tallies import tallies

Name = tuple[str, str, str]  # what, kind, result


def add(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds what rows of the audit log say: events by door and status, tries by channel and outcome."""
    found: Counter[Name] = Counter()
    for row in rows:
        if row["what"] == "events":
            for event in row["detail"]["events"]:
                found["events", row["subject"], event[1]] += 1
        elif row["what"] == "alert":
            found["alerts", row["subject"].partition(":")[0], row["result"]] += 1
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    for (what, kind, result), n in sorted(found.items()):
        query = insert(tallies).values(what=what, kind=kind, result=result, n=n)
        more = {"n": tallies.c.n + query.excluded.n}
        conn.execute(query.on_conflict_do_update(index_elements=("what", "kind", "result"), set_=more))


def read(conn: Connection) -> dict[Name, int]:
    return {(r.what, r.kind, r.result): int(r.n) for r in conn.execute(sa.select(tallies))}
