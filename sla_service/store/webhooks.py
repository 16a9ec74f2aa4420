"""Sources' addresses and the outbox of what is told there: written in one transaction with it, claimed with a lease.

The order within a case is the order of ``id``: whoever writes holds the case's lock. An event may be claimed only when
no earlier one of its case is still open; other cases and other sources never wait for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables_webhooks
from sla_service.store.types import as_instant, word

Row = Mapping[str, Any]
_E, _W = tables_webhooks.webhook_events, tables_webhooks.webhooks

# As the partial indexes have them: what is bound instead would be read row by row.
_WAITING, _SENDING, _DEAD = _E.c.state == word("waiting"), _E.c.state == word("sending"), _E.c.state == word("dead")
OPEN = (word("waiting"), word("sending"))
_HOOKED = "SELECT source FROM webhooks WHERE disabled_at IS NULL"
#: What a listing shows; the body only where it is asked for.
SHOWN = tuple(c for c in _E.c if c.name not in ("body", "worker"))


# -- addresses ----------------------------------------------------------------------------------------------


def hooked(conn: Connection, sources: Iterable[str]) -> set[str]:
    """Those of the sources that want to be told. All addresses are asked for: they are few, and the text is fixed."""
    wanted = set(sources)
    return {row[0] for row in conn.exec_driver_sql(_HOOKED) if row[0] in wanted} if wanted else set()


def endpoint(conn: Connection, source: str) -> Row | None:
    row = conn.execute(sa.select(_W).where(_W.c.source == source)).mappings().one_or_none()
    return None if row is None else dict(row)


def endpoints(conn: Connection) -> list[Row]:
    return [dict(r) for r in conn.execute(sa.select(_W).order_by(_W.c.source)).mappings()]


def put(conn: Connection, source: str, url: str, *, now: datetime) -> None:
    """Sets the address; what was held against the one before is forgotten."""
    fresh = {"url": url, "set_at": now, "disabled_at": None, "failures": 0, "not_before": None}
    row = {"source": source, **fresh, "answered_at": None}
    bulk.insert(conn, _W, [row], key=("source",), update=tuple(fresh))


def remove(conn: Connection, source: str) -> bool:
    return conn.execute(_W.delete().where(_W.c.source == source)).rowcount == 1


def disable(conn: Connection, source: str, url: str, *, now: datetime) -> bool:
    """The receiver wants no more; False if the address is another one by now."""
    mine = sa.and_(_W.c.source == source, _W.c.url == url, _W.c.disabled_at.is_(None))
    return conn.execute(_W.update().where(mine).values(disabled_at=now)).rowcount == 1


def answered(conn: Connection, source: str, *, now: datetime) -> None:
    """It has taken something."""
    conn.execute(_W.update().where(_W.c.source == source).values(answered_at=now))


def recovered(conn: Connection, source: str) -> None:
    conn.execute(_W.update().where(_W.c.source == source).values(failures=0, not_before=None))


def failed(conn: Connection, source: str, *, failures: int, until: datetime) -> None:
    """The receiver as a whole is in trouble: it is left alone until ``until``."""
    conn.execute(_W.update().where(_W.c.source == source).values(failures=failures, not_before=until))


# -- the outbox ---------------------------------------------------------------------------------------------


def add(conn: Connection, rows: Sequence[Row]) -> None:
    bulk.insert(conn, _E, rows)


def due(conn: Connection, *, now: datetime) -> list[Row]:
    """Addresses for which something may be sent now; one probe of an index each, however much waits."""
    waits = sa.select(_E.c.id).where(_E.c.source == _W.c.source, _WAITING, _E.c.not_before <= now)
    lost = sa.select(_E.c.id).where(_E.c.source == _W.c.source, _SENDING, _E.c.lease_until < now)
    may = sa.or_(_W.c.not_before.is_(None), _W.c.not_before <= now)
    query = sa.select(_W).where(_W.c.disabled_at.is_(None), may, sa.or_(waits.exists(), lost.exists()))
    return [dict(r) for r in conn.execute(query.order_by(_W.c.source)).mappings()]


def lost(conn: Connection, *, now: datetime) -> bool:
    """Is there anything that a dead worker was sending?"""
    query = sa.select(_E.c.id).where(_SENDING, _E.c.lease_until < now).limit(1)
    return conn.execute(query).first() is not None


def take_back(conn: Connection, *, now: datetime) -> int:
    """What a dead worker was sending waits again: the receiver drops what it has seen, by its id."""
    gone = sa.and_(_SENDING, _E.c.lease_until < now)
    return conn.execute(_E.update().where(gone).values(state="waiting", lease_until=None)).rowcount


def claim(conn: Connection, source: str, *, now: datetime, limit: int, lease_until: datetime, worker: str) -> list[Row]:
    """Up to ``limit`` events of a source, each the first open one of its case; attempt + 1, with a lease."""
    before = _E.alias("before")
    earlier = sa.select(before.c.id).where(
        before.c.source == _E.c.source, before.c.no == _E.c.no, before.c.state.in_(OPEN), before.c.id < _E.c.id
    )
    ready = (
        sa.select(_E.c.id)
        .where(_E.c.source == source, _WAITING, _E.c.not_before <= now, ~earlier.exists())
        .order_by(_E.c.not_before, _E.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    mine = {"state": "sending", "attempt": _E.c.attempt + 1, "lease_until": lease_until, "worker": worker}
    taken = conn.execute(_E.update().where(_E.c.id.in_(ready)).values(**mine).returning(_E)).mappings()
    return sorted((dict(r) for r in taken), key=lambda r: r["id"])


def record(conn: Connection, event: int, attempt: int, *, state: str, **more: Any) -> bool:
    """Writes what became of a try; False if its lease ran out and somebody else has the event (the fence)."""
    mine = sa.and_(_E.c.id == event, _E.c.attempt == attempt, _SENDING)
    return conn.execute(_E.update().where(mine).values(state=state, lease_until=None, **more)).rowcount == 1


def bury(conn: Connection, source: str, *, due_before: datetime | None, now: datetime, answer: str) -> int:
    """What waits for a source, all of it or what was due before, is dead until somebody repeats it."""
    mine = sa.and_(_E.c.source == source, _WAITING)
    if due_before is not None:
        mine = sa.and_(mine, _E.c.not_before < due_before)
    return conn.execute(_E.update().where(mine).values(state="dead", finished_at=now, answer=answer)).rowcount


def hasten(conn: Connection, source: str, *, now: datetime, but: Collection[int]) -> int:
    """What waits for its next try is due now, but for what was answered with one of these."""
    for_itself = sa.func.coalesce(_E.c.status, 0).in_(sorted(but))
    mine = sa.and_(_E.c.source == source, _WAITING, _E.c.not_before > now, ~for_itself)
    return conn.execute(_E.update().where(mine).values(not_before=now)).rowcount


def repeat(conn: Connection, *, now: datetime, source: str | None = None, event_id: str | None = None) -> list[Row]:
    """Dead events wait again, all their tries before them; gives them."""
    wanted = sa.and_(_DEAD, _E.c.finished_at.is_not(None))
    if source is not None:
        wanted = sa.and_(wanted, _E.c.source == source)
    if event_id is not None:
        wanted = sa.and_(wanted, _E.c.event_id == event_id)
    fresh = {"state": "waiting", "attempt": 0, "not_before": now, "finished_at": None}
    back = conn.execute(_E.update().where(wanted).values(**fresh).returning(_E.c.source, _E.c.event_id))
    return [dict(r) for r in back.mappings()]


def drop(conn: Connection, source: str) -> int:
    """Forgets what has not gone out."""
    gone = sa.and_(_E.c.source == source, _E.c.state != "sent")
    return conn.execute(_E.delete().where(gone)).rowcount


def prune(conn: Connection, *, sent_before: datetime, dead_before: datetime) -> int:
    """Deletes what is long done."""
    done = _E.c.finished_at.is_not(None)
    gone = 0
    for state, before in (("sent", sent_before), ("dead", dead_before)):
        old = sa.and_(done, _E.c.state == word(state), _E.c.finished_at < before)
        gone += conn.execute(_E.delete().where(old)).rowcount
    return gone


# -- looked at ----------------------------------------------------------------------------------------------


def counts(conn: Connection, source: str) -> dict[str, int]:
    """How many of a source are ``open`` (wait, or are being sent), and how many ``dead``."""
    mine = sa.select(sa.func.count()).where(_E.c.source == source)
    dead = mine.where(_DEAD, _E.c.finished_at.is_not(None))
    held = {"open": mine.where(_E.c.state.in_(OPEN)), "dead": dead}
    return {name: int(conn.execute(query).scalar_one()) for name, query in held.items()}


def oldest_waiting(conn: Connection, source: str) -> datetime | None:
    """Since when the oldest open event of a source has been waiting."""
    query = sa.select(sa.func.min(_E.c.created_at)).where(_E.c.source == source, _E.c.state.in_(OPEN))
    return as_instant(conn.execute(query).scalar())


def figures(conn: Connection) -> dict[str, tuple[int, datetime | None]]:
    """Of all sources: how many are ``open`` and since when the oldest, and how many ``dead``."""
    query = sa.select(sa.func.count(), sa.func.min(_E.c.created_at))
    held = {"open": query.where(_E.c.state.in_(OPEN)), "dead": query.where(_DEAD, _E.c.finished_at.is_not(None))}
    found = {name: conn.execute(one).one() for name, one in held.items()}
    return {name: (int(n), as_instant(oldest)) for name, (n, oldest) in found.items()}


def listed(conn: Connection, *, source: str | None, state: str | None, limit: int) -> list[Row]:
    """The newest first."""
    query = sa.select(*SHOWN).order_by(_E.c.id.desc()).limit(limit)
    if source is not None:
        query = query.where(_E.c.source == source)
    if state is not None:
        query = query.where(_E.c.state == state)
    return [dict(r) for r in conn.execute(query).mappings()]


def one(conn: Connection, event_id: str) -> Row | None:
    row = conn.execute(sa.select(_E).where(_E.c.event_id == event_id)).mappings().one_or_none()
    return None if row is None else dict(row)
