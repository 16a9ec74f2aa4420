"""Messages of which nobody can say for certain how often they were shown: never, once or twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables
from sla_service.store.types import word


def listed(conn: Connection, *, since: datetime, limit: int | None = None) -> list[Mapping[str, Any]]:
    """Every message with a try since then that had no clear outcome, oldest first: channel, recipient, case, state.

    ``tries`` above 1 means that it may have been shown twice, state ``unknown`` that it was given up unclear. An
    independent question: it asks the tries, not what sending made of them.
    """
    m, a = tables.messages, tables.attempts
    vague = sa.or_(a.c.outcome.is_(None), a.c.outcome == word("unknown"))  # as the index says it
    tried = sa.select(m.c.id).join(a, a.c.delivery == m.c.delivery).where(vague, a.c.started_at >= since)
    index = m.c.state.in_((word("failed"), word("unknown")))  # its words, so that it is used
    given_up = sa.select(m.c.id).where(m.c.state == word("unknown"), index, m.c.created_at >= since)
    tries = sa.select(sa.func.count()).where(a.c.delivery == m.c.delivery).correlate(m).scalar_subquery()
    query = (
        sa.select(m.c.channel, m.c.recipient, m.c.source, m.c.no, m.c.step, m.c.state, tries.label("tries"))
        .where(m.c.id.in_(sa.union(tried, given_up)))
        .order_by(m.c.id)
        .limit(limit)
    )
    return [dict(r) for r in conn.execute(query).mappings()]
