"""What became of messages beyond the send: the provider's id, receipts, acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables

Row = Mapping[str, Any]
_M, _D, _K, _R = tables.messages, tables.deliveries, tables.acks, tables.receipts


def details(conn: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By message id: provider_id, receipt (delivered, code, text, at) and ack (at, via), where there are any."""
    if not ids:
        return {}
    step = sa.and_(
        *(_K.c[name] == _M.c[name] for name in ("source", "no", "target", "round", "step")),
        _K.c.person == _M.c.recipient,
    )
    query = (
        sa.select(_M.c.id, _M.c.delivery, _D.c.provider_id, _K.c.at.label("ack_at"), _K.c.via.label("ack_via"))
        .outerjoin(_D, _D.c.id == _M.c.delivery)
        .outerjoin(_K, step)
        .where(_M.c.id.in_(ids))
    )
    rows = [dict(r) for r in conn.execute(query).mappings()]
    envelopes = [r["delivery"] for r in rows if r["delivery"] is not None]
    told = conn.execute(sa.select(_R).where(_R.c.delivery.in_(envelopes)).order_by(_R.c.id)).mappings()
    receipts = {r["delivery"]: dict(r) for r in told}  # the last one counts
    return {r["id"]: {**r, "receipt": receipts.get(r["delivery"])} for r in rows}
