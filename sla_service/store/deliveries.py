"""What waits on a channel, and the envelopes made of it; what becomes of them is in ``store.tries``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]
_M, _D, _A, _K = tables.messages, tables.deliveries, tables.attempts, tables.acks
_CASE_FIELDS = (
    "title",
    "kind",
    "department",
    "handler",
    "state",
    "accepted_at",
    "due_on",
    "due_latest",
    "due_latest_at",
    "due_earliest",
    "provisional",
    "calendar_version",
    "detail",
)
_CLOCK_FIELDS = ("due_on", "due_latest", "due_latest_at", "due_earliest", "provisional")
#: Outcomes after which the provider has certainly not counted the message.
_NOT_COUNTED = ("refused", "unavailable", "rate_limited")


def waiting_channels(conn: Connection, *, now: datetime) -> list[str]:
    """Channels on which something may go out, be tried again, or has a lease that ran out."""
    queued = sa.select(_M.c.channel).where(_M.c.state == "queued", _M.c.not_before <= now)
    again = sa.select(_D.c.channel).where(_D.c.state == "queued", _D.c.not_before <= now)
    expired = sa.select(_D.c.channel).where(_D.c.state.in_(("claimed", "sending")), _D.c.lease_until < now)
    return sorted(conn.execute(sa.union(queued, again, expired)).scalars())


def claim_recipients(conn: Connection, channel: str, *, now: datetime, limit: int) -> list[Row]:
    """All messages that wait for up to ``limit`` people on ``channel``, locked: one person, one envelope.

    On PostgreSQL an advisory lock per person keeps two workers from splitting what waits for him.
    """
    due = sa.and_(_M.c.state == "queued", _M.c.channel == channel, _M.c.not_before <= now)
    people = conn.execute(
        sa.select(_M.c.recipient).where(due).group_by(_M.c.recipient).order_by(sa.func.min(_M.c.id)).limit(limit)
    ).scalars()
    names = [str(p) for p in people]
    if not names:
        return []
    if conn.dialect.name != "sqlite":
        asked = sa.func.unnest(sa.cast(names, sa.ARRAY(sa.Text))).column_valued("person")
        mine = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(sa.literal(channel + ":") + asked, 0))
        names = list(conn.execute(sa.select(asked).where(mine)).scalars())
    query = (
        sa.select(_M)
        .where(due, bulk.among(conn, _M.c.recipient, names))
        .order_by(_M.c.recipient, _M.c.id)
        .with_for_update()
    )
    return [dict(r) for r in conn.execute(query).mappings()]


def with_cases(conn: Connection, ids: Sequence[int]) -> dict[int, Row]:
    """What decides whether messages still stand: their case, clock and acknowledgement as they are now, by id."""
    case, clock = tables.cases, tables.clocks
    query = (
        sa.select(
            _M.c.id,
            *(case.c[name].label(f"case_{name}") for name in _CASE_FIELDS),
            *(clock.c[name].label(f"clock_{name}") for name in _CLOCK_FIELDS),
            clock.c.stopped_at.label("clock_stopped_at"),
            clock.c.source.label("clock_source"),
            _K.c.at.label("ack_at"),
        )
        .outerjoin(case, sa.and_(case.c.source == _M.c.source, case.c.no == _M.c.no))
        .outerjoin(
            clock,
            sa.and_(
                clock.c.source == _M.c.source,
                clock.c.no == _M.c.no,
                clock.c.target == _M.c.target,
                clock.c.round == _M.c.round,
            ),
        )
        .outerjoin(
            _K,
            sa.and_(
                *(_K.c[name] == _M.c[name] for name in ("source", "no", "target", "round", "step")),
                _K.c.person == _M.c.recipient,
            ),
        )
        .where(bulk.among(conn, _M.c.id, ids))
    )
    return {r["id"]: dict(r) for r in conn.execute(query).mappings()}


def create(conn: Connection, rows: Sequence[Row], holding: Sequence[Sequence[int]]) -> list[int]:
    """Makes claimed envelopes, each around its messages (by id); gives their ids in order."""
    if not rows:
        return []
    ids = _new_ids(conn, len(rows))
    bulk.insert(conn, _D, [{"id": made, **row} for made, row in zip(ids, rows, strict=True)])
    held = [
        {"id": one, "state": "claimed", "reason": "", "delivery": made}
        for made, messages in zip(ids, holding, strict=True)
        for one in messages
    ]
    bulk.update(conn, _M, held, key=("id",))
    return ids


def _new_ids(conn: Connection, n: int) -> list[int]:
    """Ids for envelopes: asked for beforehand, so that a whole batch is one statement."""
    if conn.dialect.name == "sqlite":  # its writer is alone
        last = conn.execute(sa.select(sa.func.coalesce(sa.func.max(_D.c.id), 0))).scalar_one()
        return list(range(last + 1, last + 1 + n))
    sequence = sa.func.pg_get_serial_sequence("deliveries", "id")
    query = sa.select(sa.func.nextval(sequence)).select_from(sa.func.generate_series(1, n))
    return [int(one) for one in conn.execute(query).scalars()]


def settle_messages(conn: Connection, ids: Iterable[int], *, state: str, reason: str = "", **more: Any) -> None:
    wanted = list(ids)
    if wanted:
        conn.execute(_M.update().where(bulk.among(conn, _M.c.id, wanted)).values(state=state, reason=reason, **more))


def due_again(conn: Connection, channel: str, *, now: datetime, limit: int) -> list[Row]:
    """Envelopes that are to be tried again, locked."""
    due = (
        sa.select(_D)
        .where(_D.c.state == "queued", _D.c.channel == channel, _D.c.not_before <= now)
        .order_by(_D.c.not_before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [dict(r) for r in conn.execute(due).mappings()]


def claim_again(conn: Connection, ids: Sequence[int], *, lease_until: datetime, worker: str) -> list[Row]:
    """Envelopes to be tried again, claimed anew: attempt + 1."""
    if not ids:
        return []
    conn.execute(
        _D.update()
        .where(_D.c.id.in_(ids))
        .values(state="claimed", attempt=_D.c.attempt + 1, lease_until=lease_until, worker=worker)
    )
    return [dict(r) for r in conn.execute(sa.select(_D).where(_D.c.id.in_(ids))).mappings()]


def expired(conn: Connection, channel: str, *, now: datetime, limit: int) -> list[Row]:
    """Envelopes whose worker did not come back in time, locked."""
    query = (
        sa.select(_D)
        .where(_D.c.state.in_(("claimed", "sending")), _D.c.channel == channel, _D.c.lease_until < now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [dict(r) for r in conn.execute(query).mappings()]


def requeue(conn: Connection, delivery: int, *, at: datetime) -> None:
    """Puts an envelope, which was certainly not sent this time, (back) into the queue for ``at``."""
    conn.execute(_D.update().where(_D.c.id == delivery).values(state="queued", not_before=at, lease_until=None))


def hold(conn: Connection, ids: Sequence[int], *, until: datetime, reason: str) -> None:
    """Messages stay queued, for later, and say why; what comes for the same person meanwhile joins them."""
    if ids:
        conn.execute(_M.update().where(bulk.among(conn, _M.c.id, ids)).values(not_before=until, reason=reason))


def release(conn: Connection, channel: str | None, *, reason: str, now: datetime) -> int:
    """What waits for ``reason`` (on one channel, or all) may go now."""
    waiting = sa.and_(_M.c.state == "queued", _M.c.reason == reason)
    if channel is not None:
        waiting = sa.and_(waiting, _M.c.channel == channel)
    return conn.execute(_M.update().where(waiting).values(not_before=now, reason="")).rowcount


# -- what was sent lately -------------------------------------------------------------------------------------


def lock_channel(conn: Connection, channel: str) -> None:
    """One claim at a time on a channel, so that two workers cannot both take the last place in a window.

    SQLite has one writer anyway.
    """
    if conn.dialect.name != "sqlite":
        key = sa.func.hashtextextended(sa.literal(f"claim:{channel}"), 0)
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def spent(
    conn: Connection, channel: str, *, now: datetime, since: datetime, recipients: Sequence[str] | None = None
) -> list[tuple[str, str, datetime]]:
    """(recipient, content, when it counts from) of what a provider may have counted since then.

    The provider counts at some moment between the beginning and the end of a call, so a call counts from its end;
    one that is under way, or about to begin, counts from now on. ``since`` needs an hour's margin for long calls.
    """
    tried = sa.select(_A.c.recipient, _A.c.content, _A.c.finished_at).where(
        _A.c.channel == channel,
        _A.c.started_at > since,
        sa.or_(_A.c.outcome.is_(None), _A.c.outcome.not_in(_NOT_COUNTED)),
    )
    none = sa.null().cast(_A.c.finished_at.type).label("finished_at")
    claimed = sa.select(_D.c.recipient, _D.c.content, none).where(_D.c.state == "claimed", _D.c.channel == channel)
    if recipients is not None:
        tried = tried.where(bulk.among(conn, _A.c.recipient, recipients))
        claimed = claimed.where(bulk.among(conn, _D.c.recipient, recipients))
    # One statement, one snapshot: an envelope that is marked between two of them would be in neither.
    found = conn.execute(sa.union_all(tried, claimed))
    return [(r.recipient, r.content, r.finished_at or now) for r in found]


def messages_of(conn: Connection, delivery: int) -> list[Row]:
    return messages_in(conn, delivery, ("claimed",))


def messages_in(conn: Connection, delivery: int, states: Sequence[str]) -> list[Row]:
    """The envelope's messages that are in one of these states."""
    query = sa.select(_M).where(_M.c.delivery == delivery, _M.c.state.in_(states)).order_by(_M.c.id)
    return [dict(r) for r in conn.execute(query).mappings()]
