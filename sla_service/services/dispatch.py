"""Sending: claim with a lease, look once more, mark, call the provider outside any transaction, record.

Three short commits per envelope. Whoever comes back after his lease finds the attempt number moved on and records
nothing. What the provider left unclear is decided by ``delivery.retry``, never here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.delivery.outcome import Outcome, unknown
from sla_service.delivery.registry import Channel
from sla_service.delivery.retry import Decision, Step, next_attempt
from sla_service.errors import ChannelError
from sla_service.services import claiming, envelopes, fallback, holding, links, receipts
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
    calls = 0
    lease = max(LEASE, timedelta(seconds=3 * app.channels.open(channel).longest))
    if app.settings.public_url:
        links.ready(app, now=clock())
    _reap(app, channel, now=clock())
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"send-{channel}") as pool:
        while True:
            claimed = _claim(app, channel, now=clock(), lease=lease)
            if claimed is None:
                return calls
            calls += sum(pool.map(lambda e: _send(app, e, clock=clock, lease=lease), claimed))


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


def _send(app: App, envelope: Envelope, *, clock: Clock, lease: timedelta) -> bool:
    channel = app.channels.open(envelope.channel)
    if envelope.not_after is not None and clock() > envelope.not_after:
        late = unknown("repeat_too_late", "重发已过服务商去重时限")
        with app.db.write() as conn:
            first = deliveries.first_unclear(conn, envelope.id)
            _follow(app, conn, envelope, channel.scheme, late, first, now=clock())
        return False
    ready = _mark(app, envelope, now=clock(), lease=lease)
    if ready is None:
        return False
    outcome = _call(app, channel, ready)
    _record(app, ready, channel.scheme, outcome, now=clock())
    return True


def _mark(app: App, envelope: Envelope, *, now: datetime, lease: timedelta) -> Envelope | None:
    """Looks once more and marks. What was never sent is written anew without the cases that fell away."""
    with app.db.write() as conn:
        messages = list(envelope.messages)
        body = envelope.body
        if deliveries.first_unclear(conn, envelope.id) is None:
            states = deliveries.with_cases(conn, [m["id"] for m in messages])
            good = envelopes.still_standing(app, conn, messages, states, now)
            if not good:
                deliveries.record(conn, envelope.id, envelope.attempt, state="suppressed")
                return None
            if len(good) < len(messages) or envelope.attempt > 1:
                body = envelopes.body(app, envelope.channel, good, states, now)
            body = envelopes.linked(app, envelope, body, good)
            messages = good
        words = {"body": body, "content": envelopes.content(body)}
        mine = deliveries.mark_sending(
            conn, envelope.id, envelope.attempt, now=now, lease_until=now + lease, words=words
        )
    if not mine:
        log.warning("delivery %s: attempt %s was taken over before the call", envelope.id, envelope.attempt)
        return None
    return replace(envelope, body=body, messages=tuple(messages))


def _call(app: App, channel: Channel, envelope: Envelope) -> Outcome:
    try:
        return channel.deliver(envelopes.message(app, envelope))
    except Exception as e:  # a plugin's fault must not lose the envelope: unclear is what it is
        log.exception("delivery %s: the channel %s failed", envelope.id, envelope.channel)
        return unknown("plugin_error", type(e).__name__)


# -- record -------------------------------------------------------------------------------------------------


def _record(app: App, envelope: Envelope, scheme: str, outcome: Outcome, *, now: datetime) -> None:
    with app.db.write() as conn:
        unclear = deliveries.first_unclear(conn, envelope.id)
        deliveries.finish_attempt(
            conn,
            envelope.id,
            envelope.attempt,
            now=now,
            outcome=outcome.kind.value,
            code=outcome.code,
            text=f"{outcome.text} {outcome.hint}".strip(),
        )
        kept = _follow(app, conn, envelope, scheme, outcome, unclear, now=now)
        if kept:
            receipts.catch_up(app, conn, envelope.id, envelope.channel, outcome.provider_id, now=now)
    if not kept:
        log.warning("delivery %s: late record of attempt %s fenced off", envelope.id, envelope.attempt)


def _follow(
    app: App,
    conn: Connection,
    envelope: Envelope,
    scheme: str,
    outcome: Outcome,
    unclear: datetime | None,
    *,
    now: datetime,
) -> bool:
    """Carries out what ``delivery.retry`` decides; False if the envelope is somebody else's by now."""
    decision = next_attempt(
        outcome,
        envelope.attempt,
        now=now,
        kind="escalation" if envelope.urgent else "reminder",
        scheme=scheme,
        message_id=f"d{envelope.id}",
        first_unclear=unclear,
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
            scheme = app.channels.open(envelope.channel).scheme
            _follow(app, conn, envelope, scheme, lost, unclear, now=now)
            log.warning("delivery %s: its worker went away during attempt %s", *key)
