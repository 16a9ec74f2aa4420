"""Sending: claim with a lease, look once more, mark, call the provider outside any transaction, record.

Three short commits, each for as many envelopes as are ready for it: one thread speaks to the database, the others only
to the provider. Whoever comes back after his lease finds the attempt number moved on and records
nothing. What the provider left unclear is decided by ``delivery.retry``, never here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.delivery.outcome import Kind, Outcome, unknown
from sla_service.delivery.retry import Decision, Step, next_attempt
from sla_service.errors import ChannelError
from sla_service.services import claiming, envelopes, fallback, holding, links, receipts, webhook_events
from sla_service.services.app import App
from sla_service.services.envelopes import Envelope
from sla_service.store import deliveries

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Clock = Callable[[], datetime]

LEASE = timedelta(seconds=90)  # at least three times the provider's time-out
THREADS = 32
WORKER = f"{socket.gethostname()}:{os.getpid()}"


def deliver(app: App, channel: str, *, clock: Clock, threads: int = THREADS) -> int:
    """Sends all that waits on one channel; gives the number of calls made. Several workers may do it at once."""
    lease = max(LEASE, timedelta(seconds=3 * app.channels.open(channel).longest))
    if app.settings.public_url:
        links.ready(app, now=clock())
    _reap(app, channel, now=clock())
    calls, dry = 0, False
    backlog: deque[Envelope] = deque()
    under_way: dict[Future[Outcome], Envelope] = {}
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"send-{channel}") as pool:
        while True:
            if not backlog and not (dry and under_way):
                claimed = _claim(app, channel, now=clock(), lease=lease)
                if claimed is None and not under_way:
                    return calls
                dry = claimed is None
                backlog.extend(claimed or ())
            batch = [backlog.popleft() for _ in range(min(threads - len(under_way), len(backlog)))]
            for ready in _mark(app, batch, clock=clock, lease=lease):
                under_way[pool.submit(_call, app, ready)] = ready
                calls += 1
            if under_way:
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                _record(app, [(under_way.pop(one), one.result()) for one in done], now=clock())


def deliver_all(app: App, *, clock: Clock) -> int:
    """Sends all that waits on every channel, one channel after the other."""
    with app.db.read() as conn:
        channels = deliveries.waiting_channels(conn, now=clock())
    calls = 0
    for channel in channels:
        try:
            calls += deliver(app, channel, clock=clock)
        except ChannelError as e:  # what waits on it stays, and the others go on
            log.error("%s", e)  # noqa: TRY400 (one sentence, no traceback)
    return calls


def _claim(app: App, channel: str, *, now: datetime, lease: timedelta) -> list[Envelope] | None:
    scheme = app.channels.open(channel).scheme
    return claiming.claim(app, claiming.Claim(channel, scheme, now, now + lease, WORKER))


# -- send ---------------------------------------------------------------------------------------------------


def _mark(app: App, batch: Sequence[Envelope], *, clock: Clock, lease: timedelta) -> list[Envelope]:
    """Looks once more and marks, in one commit just before the calls; gives what is to be sent.

    What was never sent is written anew without the cases that fell away.
    """
    batch = [e for e in batch if not _too_late(app, e, now=clock())]
    if not batch:
        return []
    now, ready, taken = clock(), [], []
    with app.db.write() as conn:
        unclear = deliveries.unclear_of(conn, [e.id for e in batch if e.attempt > 1])
        fresh = [m["id"] for e in batch if e.id not in unclear for m in e.messages]
        states = deliveries.with_cases(conn, fresh) if fresh else {}
        for envelope in batch:
            looked = envelope if envelope.id in unclear else _looked(app, conn, envelope, states, now)
            if looked is None:
                continue
            words = {"body": looked.body, "content": envelopes.content(looked.body)}
            if deliveries.mark_sending(conn, looked.id, looked.attempt, lease_until=now + lease, words=words):
                ready.append(looked)
            else:
                taken.append(looked)
        deliveries.begin_attempts(conn, [_try(e, now) for e in ready])
    for envelope in taken:
        log.warning("delivery %s: attempt %s was taken over before the call", envelope.id, envelope.attempt)
    return ready


def _looked(
    app: App, conn: Connection, envelope: Envelope, states: Mapping[int, Row], now: datetime
) -> Envelope | None:
    """The envelope as it goes out, None if nothing of it stands any more."""
    messages, body = list(envelope.messages), envelope.body
    good = envelopes.still_standing(app, conn, messages, states, now)
    if not good:
        deliveries.record(conn, envelope.id, envelope.attempt, state="suppressed")
        return None
    if len(good) < len(messages) or envelope.attempt > 1:
        body = envelopes.body(app, envelope.channel, good, states, now)
    return replace(envelope, body=envelopes.linked(app, envelope, body, good), messages=tuple(good))


def _try(envelope: Envelope, now: datetime) -> Row:
    return {
        "delivery": envelope.id,
        "attempt": envelope.attempt,
        "channel": envelope.channel,
        "recipient": envelope.recipient,
        "content": envelopes.content(envelope.body),
        "started_at": now,
    }


def _too_late(app: App, envelope: Envelope, *, now: datetime) -> bool:
    """A repeat that the provider would no longer recognise must not go out."""
    if envelope.not_after is None or now <= envelope.not_after:
        return False
    late = unknown("repeat_too_late", "重发已过服务商去重时限")
    with app.db.write() as conn:
        first = deliveries.first_unclear(conn, envelope.id)
        _follow(app, conn, envelope, late, first, now=now)
    return True


def _call(app: App, envelope: Envelope) -> Outcome:
    try:
        return app.channels.open(envelope.channel).deliver(envelopes.message(app, envelope))
    except Exception as e:  # a plugin's fault must not lose the envelope: unclear is what it is
        log.exception("delivery %s: the channel %s failed", envelope.id, envelope.channel)
        return unknown("plugin_error", type(e).__name__)


# -- record -------------------------------------------------------------------------------------------------


def _record(app: App, done: Sequence[tuple[Envelope, Outcome]], *, now: datetime) -> None:
    """What was accepted in one commit, in one order for all workers; whatever else became of a try by itself."""
    taken = sorted(((e, o) for e, o in done if o.kind is Kind.ACCEPTED), key=lambda d: d[0].id)
    late = []
    if taken:
        with app.db.write() as conn:
            held = webhook_events.hold(conn, [m for e, _ in taken for m in e.messages])
            kept = [(e, o) for e, o in taken if _accepted(conn, e, o)]
            deliveries.finish_attempts(conn, [_tried(e, o) for e, o in kept], now=now)
            deliveries.settle_messages(conn, [m["id"] for e, _ in kept for m in e.messages], state="accepted")
            webhook_events.reminded(app, conn, [(e.channel, m) for e, _ in kept for m in e.messages], held, now=now)
            receipts.catch_up(app, conn, [(e.id, e.channel, o.provider_id) for e, o in kept], now=now)
        late = [e for e, o in taken if (e, o) not in kept]
    for envelope, outcome in done:
        if outcome.kind is not Kind.ACCEPTED and not _other(app, envelope, outcome, now):
            late.append(envelope)
    for envelope in late:
        log.warning("delivery %s: late record of attempt %s fenced off", envelope.id, envelope.attempt)


def _accepted(conn: Connection, envelope: Envelope, outcome: Outcome) -> bool:
    return deliveries.record(conn, envelope.id, envelope.attempt, state="accepted", provider_id=outcome.provider_id)


def _tried(envelope: Envelope, outcome: Outcome) -> Row:
    return {
        "delivery": envelope.id,
        "attempt": envelope.attempt,
        "to": f"{envelope.channel}:{envelope.recipient}",
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "text": f"{outcome.text} {outcome.hint}".strip(),
    }


def _other(app: App, envelope: Envelope, outcome: Outcome, now: datetime) -> bool:
    with app.db.write() as conn:
        unclear = deliveries.first_unclear(conn, envelope.id)
        _finish(conn, envelope, outcome, now)
        kept = _follow(app, conn, envelope, outcome, unclear, now=now)
        if kept:
            receipts.catch_up(app, conn, [(envelope.id, envelope.channel, outcome.provider_id)], now=now)
        return kept


def _finish(conn: Connection, envelope: Envelope, outcome: Outcome, now: datetime) -> None:
    deliveries.finish_attempt(
        conn,
        envelope.id,
        envelope.attempt,
        now=now,
        outcome=outcome.kind.value,
        code=outcome.code,
        text=f"{outcome.text} {outcome.hint}".strip(),
    )


def _follow(
    app: App,
    conn: Connection,
    envelope: Envelope,
    outcome: Outcome,
    unclear: datetime | None,
    *,
    now: datetime,
    began: datetime | None = None,
) -> bool:
    """Carries out what ``delivery.retry`` decides; False if the envelope is somebody else's by now."""
    decision = next_attempt(
        outcome,
        envelope.attempt,
        now=now,
        kind="escalation" if envelope.urgent else "reminder",
        scheme=app.channels.open(envelope.channel).scheme,
        message_id=f"d{envelope.id}",
        first_unclear=unclear,
        began=began,
        more_channels=any(m["via"] for m in envelope.messages),
    )
    ids = [m["id"] for m in envelope.messages]
    match decision.step:
        case Step.DONE:
            kept = deliveries.record(
                conn, envelope.id, envelope.attempt, state="accepted", provider_id=outcome.provider_id
            )
            if kept:
                deliveries.settle_messages(conn, ids, state="accepted")
        case Step.AGAIN:
            when = {"not_before": _again_at(app, envelope, decision), "not_after": decision.not_after}
            kept = deliveries.record(conn, envelope.id, envelope.attempt, state="queued", **when)
        case Step.PARKED:
            kept = deliveries.record(conn, envelope.id, envelope.attempt, state="unknown")
            if kept:
                deliveries.settle_messages(conn, ids, state="unknown", reason=decision.reason)
        case Step.NEXT_CHANNEL | Step.GIVEN_UP:
            kept = deliveries.record(conn, envelope.id, envelope.attempt, state="failed")
            if kept:
                deliveries.settle_messages(conn, ids, state="failed", reason=decision.reason)
                fallback.pass_on(app, conn, envelope.messages, decision.reason, now=now)
    return kept


def _again_at(app: App, envelope: Envelope, decision: Decision) -> datetime | None:
    """A repeat keeps the sending hours, unless the provider would have forgotten by then what it is to drop."""
    if decision.at is None or decision.not_after is not None:
        return decision.at
    return holding.in_hours(app, envelope.messages, decision.at)


def _reap(app: App, channel: str, *, now: datetime) -> None:
    """Takes up what a dead worker left: what was only claimed is queued again, what was being sent is unclear."""
    with app.db.write() as conn:
        for row in deliveries.expired(conn, channel, now=now, limit=500):
            if row["state"] == "claimed":
                deliveries.requeue(conn, row["id"], at=now)
                continue
            envelope = envelopes.read(row, deliveries.messages_of(conn, row["id"]))
            lost = unknown("lease_expired", "发送途中进程中断")
            key = (envelope.id, envelope.attempt)
            unclear = deliveries.first_unclear(conn, envelope.id)
            deliveries.finish_attempt(conn, *key, now=now, outcome=lost.kind.value, code=lost.code, text=lost.text)
            began = deliveries.first_unclear(conn, envelope.id)  # this try's own beginning, or an earlier one's
            _follow(app, conn, envelope, lost, unclear, now=now, began=began)
            log.warning("delivery %s: its worker went away during attempt %s", *key)
