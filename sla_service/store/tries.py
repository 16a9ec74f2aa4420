"""Tries of envelopes: marked before the call, recorded after it, fenced by attempt; whole batches in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import audit, bulk, tables

Row = Mapping[str, Any]
_D, _A = tables.deliveries, tables.attempts
_TEXT = 500  # characters of a provider's answer that are kept


def mine(conn: Connection, tries: Sequence[tuple[int, int]], *, states: Sequence[str]) -> set[int]:
    """The fence: which envelopes still stand at the caller's attempt (id, attempt), in one of ``states``; locked."""
    if not tries:
        return set()
    held = (
        sa.select(_D.c.id, _D.c.attempt)
        .where(bulk.among(conn, _D.c.id, [id_ for id_, _ in tries]), _D.c.state.in_(states))
        .order_by(_D.c.id)  # one order of locks for everybody
        .with_for_update()
    )
    now = {(row.id, row.attempt) for row in conn.execute(held)}
    return {id_ for id_, attempt in tries if (id_, attempt) in now}


def mark_sending(conn: Connection, rows: Sequence[Row], *, lease_until: datetime) -> set[int]:
    """The last commit before the calls; gives the envelopes that are still the caller's.

    ``rows`` have id, attempt and what goes out: body and content.
    """
    held = mine(conn, [(r["id"], r["attempt"]) for r in rows], states=("claimed",))
    marked = [
        {"id": r["id"], "state": "sending", "lease_until": lease_until, "body": r["body"], "content": r["content"]}
        for r in rows
        if r["id"] in held
    ]
    bulk.update(conn, _D, marked, key=("id",))
    return held


def begin(conn: Connection, rows: Sequence[Row]) -> None:
    """One row per try, with the mark's commit: delivery, attempt, channel, recipient, content, started_at."""
    bulk.insert(conn, _A, rows)


def accepted(conn: Connection, rows: Sequence[Row]) -> set[int]:
    """Writes that these tries (id, attempt, provider_id) were accepted; gives those that were still the caller's."""
    held = mine(conn, [(r["id"], r["attempt"]) for r in rows], states=("claimed", "sending"))
    done = [
        {"id": r["id"], "state": "accepted", "lease_until": None, "provider_id": r["provider_id"]}
        for r in rows
        if r["id"] in held
    ]
    bulk.update(conn, _D, done, key=("id",))
    return held


def record(conn: Connection, delivery: int, attempt: int, *, state: str, **more: Any) -> bool:
    """Writes what became of a try; False if the lease ran out and somebody else has it now (the fence)."""
    ours = sa.and_(_D.c.id == delivery, _D.c.attempt == attempt, _D.c.state.in_(("claimed", "sending")))
    values = {"state": state, "lease_until": None, **more}
    return conn.execute(_D.update().where(ours).values(**values)).rowcount == 1


def finish(conn: Connection, rows: Sequence[Row], *, now: datetime) -> None:
    """Writes the outcome of tries, once each: whoever comes after his lease does not turn unclear into clear.

    ``rows`` have delivery, attempt, outcome, code and text; ``to`` (channel and recipient) is for the audit log.
    """
    if not rows:
        return
    open_ = _unfinished(conn, rows)
    fresh = [r for r in rows if (r["delivery"], r["attempt"]) in open_]
    kept = [
        {**{k: r[k] for k in ("delivery", "attempt", "outcome", "code")}, "text": r["text"][:_TEXT], "finished_at": now}
        for r in fresh
    ]
    bulk.update(conn, _A, kept, key=("delivery", "attempt"))
    audit.add(conn, [_entry(r, now) for r in fresh])


def _unfinished(conn: Connection, rows: Sequence[Row]) -> set[tuple[int, int]]:
    query = (
        sa.select(_A.c.delivery, _A.c.attempt)
        .where(bulk.among(conn, _A.c.delivery, [r["delivery"] for r in rows]), _A.c.finished_at.is_(None))
        .order_by(_A.c.delivery, _A.c.attempt)
        .with_for_update()
    )
    return {(r.delivery, r.attempt) for r in conn.execute(query)}


def _entry(row: Row, now: datetime) -> dict[str, Any]:
    detail = {"delivery": row["delivery"], "attempt": row["attempt"], "code": row["code"]}
    return audit.entry(now, "service", "alert", row["to"], row["outcome"], **detail)


def unclear_of(conn: Connection, ids: Sequence[int]) -> set[int]:
    """Those of the envelopes that may have gone out before."""
    if not ids:
        return set()
    query = sa.select(_A.c.delivery).where(bulk.among(conn, _A.c.delivery, ids), _A.c.outcome == "unknown")
    return set(conn.execute(query).scalars())


def first_unclear(conn: Connection, delivery: int) -> datetime | None:
    """When the first try with an unclear outcome went out."""
    query = sa.select(_A.c.started_at).where(_A.c.delivery == delivery, _A.c.outcome == "unknown")
    return conn.execute(query.order_by(_A.c.attempt).limit(1)).scalar()
