"""Sending: claim with a lease, look once more, mark, call the provider outside any transaction, record.

Three short commits, each for as many envelopes as are ready for it: one thread speaks to the database, the others only
to the provider. Whoever comes back after his lease finds the attempt number moved on and records nothing
(``services.recording``).
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

from sla_service.delivery.outcome import Outcome, unknown
from sla_service.errors import ChannelError
from sla_service.services import claiming, envelopes, links, recording
from sla_service.services.app import App
from sla_service.services.envelopes import Envelope
from sla_service.store import deliveries, tries

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Clock = Callable[[], datetime]

LEASE = timedelta(seconds=90)  # at least three times the provider's time-out
THREADS = 32
GATHER = 0.02  # seconds
WORKER = f"{socket.gethostname()}:{os.getpid()}"


def deliver(app: App, channel: str, *, clock: Clock, threads: int = THREADS) -> int:
    """Sends all that waits on one channel; gives the number of calls made. Several workers may do it at once."""
    lease = max(LEASE, timedelta(seconds=3 * app.channels.open(channel).longest))
    if app.settings.public_url:
        links.ready(app, now=clock())
    recording.reap(app, channel, now=clock())
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
                if backlog:  # more to do: what is answered a moment later shares the two commits
                    done, _ = wait(under_way, timeout=GATHER)
                recording.record(app, [(under_way.pop(one), one.result()) for one in done], now=clock())


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
    batch = [e for e in batch if not recording.too_late(app, e, now=clock())]
    if not batch:
        return []
    now = clock()
    with app.db.write() as conn:
        unclear = tries.unclear_of(conn, [e.id for e in batch if e.attempt > 1])
        fresh = [m["id"] for e in batch if e.id not in unclear for m in e.messages]
        states = deliveries.with_cases(conn, fresh) if fresh else {}
        looked = [e if e.id in unclear else _looked(app, conn, e, states, now) for e in batch]
        going = [e for e in looked if e is not None]
        held = tries.mark_sending(conn, [_words(e) for e in going], lease_until=now + lease)
        ready = [e for e in going if e.id in held]
        tries.begin(conn, [_try(e, now) for e in ready])
    for envelope in going:
        if envelope.id not in held:
            log.warning("delivery %s: attempt %s was taken over before the call", envelope.id, envelope.attempt)
    return ready


def _looked(
    app: App, conn: Connection, envelope: Envelope, states: Mapping[int, Row], now: datetime
) -> Envelope | None:
    """The envelope as it goes out, None if nothing of it stands any more."""
    messages, body = list(envelope.messages), envelope.body
    good = envelopes.still_standing(app, conn, messages, states, now)
    if not good:
        tries.record(conn, envelope.id, envelope.attempt, state="suppressed")
        return None
    if len(good) < len(messages) or envelope.attempt > 1:
        body = envelopes.body(app, envelope.channel, good, states, now)
    linked = envelopes.linked(app, envelope, body, good)
    return replace(envelope, body=linked, content=envelopes.content(linked), messages=tuple(good))


def _words(envelope: Envelope) -> Row:
    return {"id": envelope.id, "attempt": envelope.attempt, "body": envelope.body, "content": envelope.content}


def _try(envelope: Envelope, now: datetime) -> Row:
    return {
        "delivery": envelope.id,
        "attempt": envelope.attempt,
        "channel": envelope.channel,
        "recipient": envelope.recipient,
        "content": envelope.content,
        "started_at": now,
    }


def _call(app: App, envelope: Envelope) -> Outcome:
    try:
        return app.channels.open(envelope.channel).deliver(envelopes.message(app, envelope))
    except Exception as e:  # a plugin's fault must not lose the envelope: unclear is what it is
        log.exception("delivery %s: the channel %s failed", envelope.id, envelope.channel)
        return unknown("plugin_error", type(e).__name__)
