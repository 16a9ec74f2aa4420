"""Questions of the doctor: what should not be there, counted, with an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables
from sla_service.store.types import as_instant, word

Row = Mapping[str, Any]
Key = tuple[str, str]

_C, _K, _M, _D, _I, _A, _L = (
    t.c
    for t in (
        tables.cases,
        tables.clocks,
        tables.messages,
        tables.deliveries,
        tables.inbox,
        tables.attempts,
        tables.audit,
    )
)


def soonest(conn: Connection, *, limit: int) -> list[Key]:
    """Running cases and paused ones, of each those that run out first; an index is read from its beginning."""
    found: list[Key] = []
    for state in ("running", "paused"):
        query = sa.select(_C.source, _C.no).where(_C.state == state, _C.accepted_at.is_not(None))
        found += [(s, n) for s, n in conn.execute(query.order_by(_C.due_latest_at).limit(limit))]
    return found


def next_cases(conn: Connection, *, after: Key, limit: int) -> list[Key]:
    """Accepted and other cases, closed ones too, in order of source and number; fewer than ``limit`` at the end."""
    key = sa.tuple_(_C.source, _C.no)
    query = sa.select(_C.source, _C.no).where(key > sa.tuple_(*map(sa.literal, after))).order_by(_C.source, _C.no)
    return [(s, n) for s, n in conn.execute(query.limit(limit))]


def case_count(conn: Connection) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(tables.cases)).scalar_one())


def steps_told(conn: Connection, keys: Sequence[Key]) -> list[Row]:
    """What was written for these cases: target, round, step, occurrence, role, and the steps it stood for."""
    names = ("source", "no", "target", "round", "step", "occurrence", "role", "detail")
    return list(bulk.matching(conn, tables.messages, ("source", "no"), keys, columns=names))


def without_next_look(conn: Connection, *, limit: int) -> list[Key]:
    """Cases with a clock that runs and that nobody will look at again."""
    query = sa.select(_K.source, _K.no).where(_K.next_at.is_(None), _K.stopped_at.is_(None)).distinct()
    return [(s, n) for s, n in conn.execute(query.limit(limit))]


def overdue_looks(conn: Connection, *, before: datetime) -> tuple[int, datetime | None]:
    """Clocks whose look is overdue since ``before``: how many, and the oldest."""
    query = sa.select(sa.func.count(), sa.func.min(_K.next_at)).where(_K.next_at < before)
    count, oldest = conn.execute(query).one()
    return int(count), as_instant(oldest)


def late_messages(conn: Connection, *, before: datetime) -> dict[str, int]:
    """Messages and envelopes that should have gone out before ``before``, by channel."""
    messages = sa.select(_M.channel).where(_M.state == word("queued"), _M.not_before < before)
    envelopes = sa.select(_D.channel).where(_D.state == word("queued"), _D.not_before < before)
    both = sa.union_all(messages, envelopes).subquery()
    return {c: int(n) for c, n in conn.execute(sa.select(both.c.channel, sa.func.count()).group_by(both.c.channel))}


def lost_leases(conn: Connection, *, before: datetime) -> int:
    """Envelopes whose worker never came back, and that nobody has taken up since."""
    query = sa.select(sa.func.count()).where(_D.state.in_((word("claimed"), word("sending"))), _D.lease_until < before)
    return int(conn.execute(query).scalar_one())


def troubled(conn: Connection, *, since: datetime) -> list[Row]:
    """Failed and unclear messages about cases that are open, by state and reason, each with one case as example."""
    query = (
        sa.select(
            _M.state,
            _M.reason,
            sa.func.count().label("n"),
            sa.func.max(_M.source).label("source"),
            sa.func.max(_M.no).label("no"),
            sa.func.max(_M.channel).label("channel"),
        )
        .join(tables.cases, sa.and_(_C.source == _M.source, _C.no == _M.no))
        .join(tables.sources, tables.sources.c.name == _M.source)
        .where(_M.state.in_((word("failed"), word("unknown"))), _M.created_at >= since)
        .where(_C.state != "closed", sa.not_(tables.sources.c.test))
        .group_by(_M.state, _M.reason)
        .order_by(_M.state, _M.reason)
    )
    return [dict(r) for r in conn.execute(query).mappings()]


def last_tries(conn: Connection, channel: str, *, since: datetime, limit: int) -> list[Row]:
    """The last finished tries on a channel, the newest first: outcome, code, started_at."""
    query = sa.select(_A.outcome, _A.code, _A.started_at).where(
        _A.channel == channel, _A.started_at >= since, _A.outcome.is_not(None)
    )
    return [dict(r) for r in conn.execute(query.order_by(_A.started_at.desc()).limit(limit)).mappings()]


def unsealed(conn: Connection, *, before: datetime) -> tuple[int, datetime | None]:
    """Rows of the audit log written before then that no block holds, and the oldest."""
    query = sa.select(sa.func.count(), sa.func.min(_L.at)).where(_L.block.is_(None), _L.at < before)
    count, oldest = conn.execute(query).one()
    return int(count), as_instant(oldest)


def waiting_events(conn: Connection, *, before: datetime) -> tuple[int, Row | None]:
    """Events that have waited for their case since before ``before``, and the oldest of them."""
    old = sa.and_(_I.status == word("waiting"), _I.received_at < before)
    count = conn.execute(sa.select(sa.func.count()).select_from(tables.inbox).where(old)).scalar_one()
    query = sa.select(_I.source, _I.no, _I.type, _I.received_at).where(old).order_by(_I.received_at).limit(1)
    oldest = conn.execute(query).mappings().one_or_none()
    return int(count), dict(oldest) if oldest else None


def open_by_calendar(conn: Connection) -> list[tuple[str, str | None, str, int]]:
    """Open cases by hall, department and calendar version: how many."""
    parts = (_C.hall, _C.department, _C.calendar_version)
    query = sa.select(*parts, sa.func.count()).where(_C.state.in_(("running", "paused"))).group_by(*parts)
    return [(hall, department, version or "", int(n)) for hall, department, version, n in conn.execute(query)]


def clock(conn: Connection) -> datetime | None:
    """What time it is where the database runs; None on SQLite, which has no clock of its own."""
    if conn.dialect.name == "sqlite":
        return None
    return as_instant(conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one())
