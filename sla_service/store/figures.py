"""What the metrics show of the database. Each question but the census follows an index over what is open or recent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables
from sla_service.store.queries import light_is
from sla_service.store.types import as_instant, word

_C, _M, _D, _A = (t.c for t in (tables.cases, tables.messages, tables.deliveries, tables.attempts))
_OPEN = ("running", "paused")
#: In the words of the two indexes over them.
_UNDER_WAY = (_D.state == word("queued"), _D.state.in_((word("claimed"), word("sending"))))

Group = tuple[int, datetime | None]  # how many, and the oldest


def census(conn: Connection, *, now: datetime) -> list[Mapping[str, Any]]:
    """Open cases by hall and calendar version: how many show each light, how many stand on projected days.

    Reads every open case, so whoever asks keeps the answer for a while.
    """
    sums = {name: light_is(name, now) for name in ("red", "yellow", "green", "grey")}
    sums["projected"] = _C.provisional.is_(True)
    counted = [sa.func.sum(sa.case((test, 1), else_=0)).label(name) for name, test in sums.items()]
    query = sa.select(_C.hall, _C.calendar_version, *counted).where(_C.state.in_(_OPEN))
    rows = conn.execute(query.group_by(_C.hall, _C.calendar_version)).mappings()
    return [{**r, **{name: int(r[name] or 0) for name in sums}} for r in rows]


def queued_messages(conn: Connection, *, now: datetime) -> dict[str, Group]:
    """Messages that wait for an envelope, by channel; the oldest of those that may go out now."""
    ready = sa.func.min(sa.case((_M.not_before <= now, _M.not_before)))
    query = sa.select(_M.channel, sa.func.count(), ready).where(_M.state == word("queued")).group_by(_M.channel)
    return {channel: (int(n), as_instant(oldest)) for channel, n, oldest in conn.execute(query)}


def envelopes(conn: Connection) -> dict[tuple[str, str], Group]:
    """Envelopes that are under way, by channel and state, with the oldest."""
    found: dict[tuple[str, str], Group] = {}
    channel_of = _D.channel.concat("")  # else SQLite would go through all envelopes in the order of their channels
    for where in _UNDER_WAY:
        query = sa.select(channel_of, _D.state, sa.func.count(), sa.func.min(_D.created_at)).where(where)
        for channel, state, n, oldest in conn.execute(query.group_by(channel_of, _D.state)):
            found[channel, state] = int(n), as_instant(oldest)
    return found


def tries(conn: Connection, channel: str, *, since: datetime) -> dict[str, int]:
    """Tries on a channel since then, by outcome; ``open`` for those that have none yet."""
    query = sa.select(_A.outcome, sa.func.count()).where(_A.channel == channel, _A.started_at >= since)
    return {outcome or "open": int(n) for outcome, n in conn.execute(query.group_by(_A.outcome))}
