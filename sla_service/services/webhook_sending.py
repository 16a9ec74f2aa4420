"""Sending what waits in the outbox: claim with a lease, POST outside any transaction, record.

Two short commits. Of a worker that dies in between, the lease runs out and the event goes out again under the same id:
at least once, in order per case. One receiver never holds up another: each has a few connections at most, and one that
fails as a whole is left alone for a while, then tried with one event until it answers.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery import standard_webhooks as scheme
from sla_service.delivery.webhook_client import Answer, Poster
from sla_service.errors import SlaError
from sla_service.services import audit, signing
from sla_service.services.app import App
from sla_service.store import webhooks

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Clock = Callable[[], datetime]
Keys = dict[str, tuple[datetime | None, tuple[bytes, ...]]]

#: The waits after each try, as the Standard Webhooks specification proposes: ten tries in a good three days.
WAITS: Final = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
#: A receiver that fails as a whole is left alone for this long at most; meanwhile its events keep their own times.
LONGEST_REST: Final = timedelta(minutes=5)
#: What has been due for so long, and its receiver did not answer all the while, is dead.
LIFE: Final = timedelta(hours=84)

LEASE: Final = timedelta(seconds=90)  # connecting, TLS and the whole answer, and a name server that dawdles
THREADS: Final = 16
PER_SOURCE: Final = 4
#: After this many seconds nothing more is claimed; the next tick rings again.
BUDGET: Final = 45.0
_LOOK_SECONDS: Final = 1.0
_REMEMBERED: Final = timedelta(seconds=3)
_JITTER: Final = 0.1
_FIRST_REST: Final = 5.0
_ANSWERED_EVERY: Final = timedelta(minutes=1)
_GONE: Final = 410
#: Answers that speak of one event, not of the receiver as a whole.
_OF_EVENT: Final = frozenset({400, 409, 413, 415, 422})
WORKER: Final = f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class _Try:
    """One event on its way to its receiver."""

    endpoint: Row
    event: Row
    keys: tuple[bytes, ...] = field(repr=False)


def waiting(app: App, *, now: datetime) -> bool:
    """Is there anything to send now?"""
    with app.db.read() as conn:
        return bool(webhooks.due(conn, now=now))


def send(
    app: App,
    poster: Poster,
    *,
    clock: Clock,
    threads: int = THREADS,
    budget: float = BUDGET,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Sends what is due; gives the number of tries. Several workers may do it at once.

    ``stop`` says that this worker is to end: what is under way is waited for, nothing more is begun.
    """
    tries, end = 0, time.monotonic() + budget
    under_way: dict[Future[Answer], _Try] = {}
    busy: Counter[str] = Counter()
    keys: Keys = {}
    _take_back(app, now=clock())
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="webhook") as pool:
        while True:
            if time.monotonic() < end and len(under_way) < threads and not stop():
                for one in _claim(app, busy, threads - len(under_way), keys, now=clock()):
                    under_way[pool.submit(_post, poster, one, clock())] = one
                    busy[one.event["source"]] += 1
                    tries += 1
            if not under_way:
                return tries
            # Not until the slowest has answered: for other receivers something may have come meanwhile.
            done, _ = wait(under_way, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            finished = [(under_way.pop(f), f.result()) for f in done]
            busy.subtract(one.event["source"] for one, _ in finished)
            if finished:
                _record(app, finished, now=clock())


def _take_back(app: App, *, now: datetime) -> None:
    """What dead workers were sending waits again."""
    with app.db.read() as conn:
        lost = webhooks.lost(conn, now=now)
    if lost:
        with app.db.write() as conn:
            webhooks.take_back(conn, now=now)


def _claim(app: App, busy: Mapping[str, int], free: int, known: Keys, *, now: datetime) -> list[_Try]:
    """As many as there are threads for, a few of each receiver; of one that is in trouble a single one."""
    with app.db.read() as conn:
        due = [e for e in webhooks.due(conn, now=now) if busy[e["source"]] < _most(e)]
    found: list[_Try] = []
    if not due:
        return found
    with app.db.write() as conn:
        for endpoint in due:
            source = endpoint["source"]
            limit = min(_most(endpoint) - busy[source], free - len(found))
            if limit <= 0:
                continue
            try:
                keys = _keys(app, conn, source, known, now)
            except SlaError as e:
                log.error("%s", e)  # noqa: TRY400 (one sentence, no traceback)
                _rest(conn, endpoint, now, least=LONGEST_REST)
                continue
            mine = webhooks.claim(conn, source, now=now, limit=limit, lease_until=now + LEASE, worker=WORKER)
            found += [_Try(endpoint, event, keys) for event in mine]
    return found


def _keys(app: App, conn: Connection, source: str, known: Keys, now: datetime) -> tuple[bytes, ...]:
    """What signs for a source, looked up anew after a few seconds."""
    at, keys = known.get(source, (None, ()))
    if at is None or not at <= now < at + _REMEMBERED:
        keys = signing.signing_keys(conn, app.settings, source, now=now)
        known[source] = now, keys
    return keys


def _most(endpoint: Row) -> int:
    return 1 if endpoint["failures"] else PER_SOURCE


def _post(poster: Poster, one: _Try, now: datetime) -> Answer:
    body = one.event["body"].encode()
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "sla-service",
        **scheme.sign(one.keys, one.event["event_id"], now, body),
    }
    try:
        return poster.post(one.endpoint["url"], body, headers)
    except Exception as e:  # a fault of ours must not take the others of its batch along, nor be tried for ever
        log.exception("webhook %s: attempt %s failed", *_name(one))
        return Answer(None, f"发送时程序出错（{type(e).__name__}），已记入日志。")


# -- record -------------------------------------------------------------------------------------------------


def _record(app: App, finished: Sequence[tuple[_Try, Answer]], *, now: datetime) -> None:
    """What came of the tries, in one commit, in one order for all workers."""
    with app.db.write() as conn:
        for one, answer in sorted(finished, key=lambda f: f[0].event["id"]):
            if not _kept(conn, one, answer, now):
                log.warning("webhook %s: late record of attempt %s fenced off", *_name(one))
                continue
            if answer.taken:
                _back(conn, one.endpoint, now)
            elif answer.status == _GONE:
                _gone(conn, one.endpoint, now)
            elif answer.status in _OF_EVENT:
                _recovered(conn, one.endpoint, now)
            else:
                _rest(conn, one.endpoint, now, least=_asked(answer))
                webhooks.bury(conn, one.endpoint["source"], due_before=now - LIFE, now=now, answer="接收方一直没有应答")


def _kept(conn: Connection, one: _Try, answer: Answer, now: datetime) -> bool:
    event = one.event
    told: dict[str, Any] = {"status": answer.status, "answer": answer.text or f"HTTP {answer.status}"}
    key = event["id"], event["attempt"]
    if answer.taken:
        return webhooks.record(conn, *key, state="sent", finished_at=now, **told)
    if answer.status == _GONE or event["attempt"] > len(WAITS):
        log.warning("webhook %s: given up after attempt %s", *_name(one))
        return webhooks.record(conn, *key, state="dead", finished_at=now, **told)
    at = now + max(_spread(WAITS[event["attempt"] - 1], one), _asked(answer))
    return webhooks.record(conn, *key, state="waiting", not_before=at, **told)


def _back(conn: Connection, endpoint: Row, now: datetime) -> None:
    _recovered(conn, endpoint, now)
    said = endpoint["answered_at"]
    if said is None or said + _ANSWERED_EVERY <= now:
        webhooks.answered(conn, endpoint["source"], now=now)


def _recovered(conn: Connection, endpoint: Row, now: datetime) -> None:
    """It answers again: what had failed with the receiver as a whole need not wait out its time."""
    if endpoint["failures"]:
        webhooks.recovered(conn, endpoint["source"])
        webhooks.hasten(conn, endpoint["source"], now=now, but=_OF_EVENT)


def _gone(conn: Connection, endpoint: Row, now: datetime) -> None:
    """410: it wants no more. What waits can be repeated once an address is set again."""
    source = endpoint["source"]
    if webhooks.disable(conn, source, endpoint["url"], now=now):
        dead = webhooks.bury(conn, source, due_before=None, now=now, answer="接收方回答 410，已停用")
        audit.note(conn, now, "service", "webhook.disabled", source, "410", dead=dead + 1)
        log.warning("webhook of %s answered 410 and is disabled", source)


def _rest(conn: Connection, endpoint: Row, now: datetime, *, least: timedelta) -> None:
    failures = endpoint["failures"] + 1
    seconds = min(_FIRST_REST * 2.0 ** min(failures - 1, 16), LONGEST_REST.total_seconds())
    until = now + max(timedelta(seconds=seconds), least)
    webhooks.failed(conn, endpoint["source"], failures=failures, until=until)


def _asked(answer: Answer) -> timedelta:
    """For how long the receiver has asked to be left alone (Retry-After of 429 and 503)."""
    return timedelta(seconds=answer.retry_after or 0.0) if answer.status in (429, 503) else timedelta()


def _spread(wait: timedelta, one: _Try) -> timedelta:
    """A little more, by the event and the try: what failed together does not come back together."""
    digest = hashlib.sha256(":".join(map(str, _name(one))).encode()).digest()
    return wait * (1 + _JITTER * int.from_bytes(digest[:4]) / 2**32)


def _name(one: _Try) -> tuple[str, int]:
    return one.event["event_id"], one.event["attempt"]
