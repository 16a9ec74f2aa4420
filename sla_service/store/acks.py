"""Who has said "seen" to which step of which case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]
KEY = ("source", "no", "target", "round", "step", "person")
_M, _K, _D = tables.messages, tables.acks, tables.deliveries


def delivery(conn: Connection, id_: int) -> Row | None:
    """One envelope."""
    row = conn.execute(sa.select(_D).where(_D.c.id == id_)).mappings().one_or_none()
    return None if row is None else dict(row)


def told(conn: Connection, *, delivery: int) -> list[Row]:
    """The messages that went into an envelope, but for those that fell away before it was sent."""
    query = sa.select(_M).where(_M.c.delivery == delivery, _M.c.state != "suppressed").order_by(_M.c.id)
    return [dict(r) for r in conn.execute(query).mappings()]


def told_person(conn: Connection, source: str, no: str, person: str) -> list[Row]:
    """What one person has been, or is about to be, told about a case."""
    mine = sa.and_(_M.c.source == source, _M.c.no == no, _M.c.recipient == person)
    query = sa.select(_M).where(mine, _M.c.state.not_in(("suppressed", "failed"))).order_by(_M.c.id)
    return [dict(r) for r in conn.execute(query).mappings()]


def add(conn: Connection, messages: Sequence[Row], person: str, *, via: str, now: datetime) -> list[Row]:
    """Notes it for the steps of these messages; gives the rows that are new. The first word stands."""
    rows = {}
    for message in messages:
        row = {name: message[name] for name in KEY[:-1]} | {"person": person, "at": now, "via": via}
        rows[tuple(row[name] for name in KEY)] = row
    known = {tuple(r[name] for name in KEY) for r in of_steps(conn, messages, person)}
    new = [row for key, row in rows.items() if key not in known]
    bulk.insert(conn, _K, new, key=KEY)
    return list(new)


def of_steps(conn: Connection, messages: Sequence[Row], person: str) -> list[Row]:
    """What this person has said to the steps of these messages, in their order."""
    cases = list({(m["source"], m["no"]) for m in messages})
    if not cases:
        return []
    steps = [(m["source"], m["no"], m["target"], m["round"], m["step"]) for m in messages]
    query = sa.select(_K).where(_K.c.person == person, sa.tuple_(_K.c.source, _K.c.no).in_(cases))
    rows = {tuple(r[name] for name in KEY[:-1]): dict(r) for r in conn.execute(query).mappings()}
    return [rows[step] for step in dict.fromkeys(steps) if step in rows]
