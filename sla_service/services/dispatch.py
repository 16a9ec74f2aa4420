"""Sending: claim with a lease, look once more, mark, call the provider outside any transaction, record.

Three short commits per envelope. Whoever comes back after his lease finds the attempt number moved on and records
nothing. What the provider left unclear is decided by ``delivery.retry``, never here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.delivery.message import Message, Recipient
from sla_service.delivery.outcome import Outcome, unknown
from sla_service.delivery.registry import Channel
from sla_service.delivery.render import once_each, words
from sla_service.delivery.retry import Step, next_attempt
from sla_service.errors import ChannelError
from sla_service.services import fallback, standing
from sla_service.services.app import App
from sla_service.store import deliveries

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Clock = Callable[[], datetime]

LEASE = timedelta(seconds=90)  # at least three times the provider's time-out
PEOPLE = 64  # envelopes per claim
THREADS = 32
WORKER = f"{socket.gethostname()}:{os.getpid()}"
SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A claimed delivery with its messages."""

    id: int
    attempt: int
    channel: str
    recipient: str
    body: Mapping[str, Any]
    urgent: bool
    messages: tuple[Row, ...]
    not_after: datetime | None = None


def deliver(app: App, channel: str, *, clock: Clock, threads: int = THREADS) -> int:
    """Sends all that waits on one channel; gives the number of calls made. Several workers may do it at once."""
    calls = 0
    lease = max(LEASE, timedelta(seconds=3 * app.channels.open(channel).longest))
    _reap(app, channel, now=clock())
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"send-{channel}") as pool:
        while True:
            claimed = _claim(app, channel, now=clock(), lease=lease)
            if not claimed:
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


# -- claim --------------------------------------------------------------------------------------------------


def _claim(app: App, channel: str, *, now: datetime, lease: timedelta) -> list[Envelope]:
    with app.db.write() as conn:
        rows = deliveries.claim_again(conn, channel, now=now, lease_until=now + lease, worker=WORKER, limit=PEOPLE)
        found = [_envelope(row, deliveries.messages_of(conn, row["id"])) for row in rows]
        waiting = deliveries.claim_recipients(conn, channel, now=now, limit=PEOPLE)
        states = deliveries.with_cases(conn, [m["id"] for m in waiting]) if waiting else {}
        for recipient, group in groupby(waiting, key=lambda m: m["recipient"]):
            made = _wrap(app, conn, channel, recipient, list(group), states, now, lease)
            if made is not None:
                found.append(made)
    return found


def _wrap(
    app: App,
    conn: Connection,
    channel: str,
    recipient: str,
    messages: Sequence[Row],
    states: Mapping[int, Row],
    now: datetime,
    lease: timedelta,
) -> Envelope | None:
    """Puts what still stands into one envelope; the rest is suppressed with its reason."""
    good = _standing(app, conn, messages, states, now)
    if not good:
        return None
    urgent = any(m["detail"].get("urgent") for m in good)
    body = _body(app, channel, good, states, now)
    row = {
        "channel": channel,
        "recipient": recipient,
        "body": body,
        "urgent": urgent,
        "state": "claimed",
        "not_before": now,
        "attempt": 1,
        "lease_until": now + lease,
        "worker": WORKER,
        "created_at": now,
    }
    made = deliveries.create(conn, row, [m["id"] for m in good])
    return Envelope(made, 1, channel, recipient, body, urgent, tuple(good))


def _standing(
    app: App, conn: Connection, messages: Sequence[Row], states: Mapping[int, Row], now: datetime
) -> list[Row]:
    good: list[Row] = []
    gone: dict[str, list[int]] = {}
    for message in messages:
        why = standing.fault(message, states[message["id"]], app.config.directory, now=now)
        if why is None:
            good.append(message)
        else:
            gone.setdefault(why, []).append(message["id"])
    for why, ids in gone.items():
        deliveries.settle_messages(conn, ids, state="suppressed", reason=why)
    return good


def _envelope(row: Row, messages: Sequence[Row]) -> Envelope:
    return Envelope(
        id=row["id"],
        attempt=row["attempt"],
        channel=row["channel"],
        recipient=row["recipient"],
        body=row["body"],
        urgent=row["urgent"],
        messages=tuple(messages),
        not_after=row["not_after"],
    )


def _body(app: App, channel: str, messages: Sequence[Row], states: Mapping[int, Row], now: datetime) -> dict[str, Any]:
    """What is frozen: a repeat has to be the same to the byte."""
    items = once_each([standing.item(app, m, states[m["id"]], now=now) for m in messages])
    made = words(items, url=_link(app, messages))
    body: dict[str, Any] = {"title": made.title, "body": made.body}
    if any(m["detail"].get("sandbox") for m in messages):
        body["sandbox"] = True
    conf = app.config.channels.get(channel)
    breach = any(i.overdue for i in items)
    template = conf.templates.get("breach" if breach else "reminder") if conf else None
    if template is not None:
        first = min(items, key=lambda i: i.urgency)
        case = first.no if len(items) == 1 else f"{first.no}等{len(items)}件"
        late = str(max(0, -(first.left or 0)))
        due = f"{first.due_on:%m-%d}" if first.due_on else ""
        known = {"case": case, "due": due, "days": late, "n": str(len(items))}
        body |= {"template": template.id, "values": [known.get(name, "") for name in template.values]}
        body["names"] = list(template.names)
    return body


def _link(app: App, messages: Sequence[Row]) -> str | None:
    base = app.settings.public_url
    if base is None or len(messages) != 1:
        return base
    source, no = (fallback.quoted(messages[0][k]) for k in ("source", "no"))
    return f"{base.rstrip('/')}/cases/{source}/{no}"


# -- send ---------------------------------------------------------------------------------------------------


def _send(app: App, envelope: Envelope, *, clock: Clock, lease: timedelta) -> bool:
    channel = app.channels.open(SANDBOX if envelope.body.get("sandbox") else envelope.channel)
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
        states = deliveries.with_cases(conn, [m["id"] for m in messages])
        body = envelope.body
        if deliveries.first_unclear(conn, envelope.id) is None:
            good = _standing(app, conn, messages, states, now)
            if not good:
                deliveries.record(conn, envelope.id, envelope.attempt, state="suppressed")
                return None
            if len(good) < len(messages) or envelope.attempt > 1:
                body = _body(app, envelope.channel, good, states, now)
            messages = good
        mine = deliveries.mark_sending(conn, envelope.id, envelope.attempt, now=now, lease_until=now + lease, body=body)
    if not mine:
        log.warning("delivery %s: attempt %s was taken over before the call", envelope.id, envelope.attempt)
        return None
    return replace(envelope, body=body, messages=tuple(messages))


def _call(app: App, channel: Channel, envelope: Envelope) -> Outcome:
    person = app.config.directory.person(envelope.recipient)
    to = Recipient(envelope.recipient)
    if person is not None:
        to = Recipient(person.id, person.name, person.phone, person.wecom)
    body = envelope.body
    message = Message(
        id=f"d{envelope.id}",
        title=body["title"],
        body=body["body"],
        to=(to,),
        template=body.get("template"),
        names=tuple(body.get("names", ())),
        values=tuple(body.get("values", ())),
    )
    try:
        return channel.deliver(message)
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
            when = {"not_before": decision.at, "not_after": decision.not_after}
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


def _reap(app: App, channel: str, *, now: datetime) -> None:
    """Takes up what a dead worker left: what was only claimed is queued again, what was being sent is unclear."""
    with app.db.write() as conn:
        for row in deliveries.expired(conn, channel, now=now, limit=500):
            if row["state"] == "claimed":
                deliveries.requeue(conn, row["id"], now=now)
                continue
            envelope = _envelope(row, deliveries.messages_of(conn, row["id"]))
            lost = unknown("lease_expired", "发送途中进程中断")
            key = (envelope.id, envelope.attempt)
            unclear = deliveries.first_unclear(conn, envelope.id)
            deliveries.finish_attempt(conn, *key, now=now, outcome=lost.kind.value, code=lost.code, text=lost.text)
            scheme = app.channels.open(envelope.channel).scheme
            _follow(app, conn, envelope, scheme, lost, unclear, now=now)
            log.warning("delivery %s: its worker went away during attempt %s", *key)
