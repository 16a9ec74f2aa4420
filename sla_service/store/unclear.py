"""Messages of which nobody can say for certain how often they were shown: never, once or twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables


def listed(conn: Connection, *, since: datetime) -> list[Mapping[str, Any]]:
    """Every message with a try since then that had no clear outcome, oldest first: channel, recipient, case, state.

    ``tries`` above 1 means that it may have been shown twice, state ``unknown`` that it was given up unclear. An
    independent question: it asks the tries, not what sending made of them.
    """
    m, a = tables.messages, tables.attempts
    vague = sa.select(a.c.delivery).where(
        a.c.started_at >= since, sa.or_(a.c.outcome == "unknown", a.c.outcome.is_(None))
    )
    tries = sa.select(sa.func.count()).where(a.c.delivery == m.c.delivery).correlate(m).scalar_subquery()
    query = (
        sa.select(m.c.channel, m.c.recipient, m.c.source, m.c.no, m.c.step, m.c.state, tries.label("tries"))
        .where(sa.or_(m.c.delivery.in_(vague), sa.and_(m.c.state == "unknown", m.c.created_at >= since)))
        .order_by(m.c.id)
    )
    return [dict(r) for r in conn.execute(query).mappings()]
