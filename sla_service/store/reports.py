"""Delivery receipts and the envelopes they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]
_D, _R, _M, _A = tables.deliveries, tables.receipts, tables.messages, tables.attempts


def add(conn: Connection, row: Row) -> bool:
    """Keeps a receipt; False if the same one was there already."""
    return bulk.insert(conn, _R, [row], key=("key",)) == 1


def by_provider(conn: Connection, channel: str, provider_id: str) -> int | None:
    query = sa.select(_D.c.id).where(_D.c.channel == channel, _D.c.provider_id == provider_id).limit(1)
    return conn.execute(query).scalar()


def by_id(conn: Connection, channel: str, delivery: int) -> int | None:
    return conn.execute(sa.select(_D.c.id).where(_D.c.id == delivery, _D.c.channel == channel)).scalar()


def unclear(conn: Connection, channel: str, recipients: Sequence[str], *, since: datetime) -> list[int]:
    """Envelopes to these people of which nobody knows yet whether they went out."""
    tried = sa.select(_A.c.delivery).where(
        _A.c.channel == channel,
        _A.c.recipient.in_(recipients),
        _A.c.started_at > since,
        sa.or_(_A.c.outcome.is_(None), _A.c.outcome == "unknown"),
    )
    open_ = _D.c.state.in_(("unknown", "sending", "queued"))
    return list(conn.execute(sa.select(_D.c.id).where(_D.c.id.in_(tried), open_)).scalars())


def state_of(conn: Connection, delivery: int) -> str | None:
    query = sa.select(_D.c.state).where(_D.c.id == delivery).with_for_update()
    return conn.execute(query).scalar()


def settle(conn: Connection, delivery: int, *, state: str, reason: str) -> None:
    """What the receipt says goes for the envelope and for the messages in it that were waiting for word."""
    conn.execute(_D.update().where(_D.c.id == delivery).values(state=state))
    open_ = _M.c.state.in_(("accepted", "unknown", "claimed"))
    conn.execute(_M.update().where(_M.c.delivery == delivery, open_).values(state=state, reason=reason))


def waiting(conn: Connection, sent: Sequence[tuple[int, str, str | None]]) -> list[tuple[int, Row]]:
    """Receipts for envelopes (id, channel, provider's id), each with its envelope, in the order in which they came."""
    if not sent:
        return []
    of = {(channel, provider_id): delivery for delivery, channel, provider_id in sent if provider_id}
    stray = sa.and_(_R.c.delivery.is_(None), sa.tuple_(_R.c.channel, _R.c.provider_id).in_(list(of)))
    mine = bulk.among(conn, _R.c.delivery, [delivery for delivery, _, _ in sent])
    rows = conn.execute(sa.select(_R).where(sa.or_(mine, stray) if of else mine).order_by(_R.c.id)).mappings()
    return [(r["delivery"] or of[r["channel"], r["provider_id"]], dict(r)) for r in rows]


def belongs(conn: Connection, receipt: int, delivery: int) -> None:
    conn.execute(_R.update().where(_R.c.id == receipt).values(delivery=delivery))
