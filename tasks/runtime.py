"""One App per worker process, and a worker that ticks itself when it hears no beat."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from kombu.exceptions import OperationalError

from sla_service import systime
from sla_service.bootstrap import build
from sla_service.errors import SlaError
from sla_service.services import audit, digests, ticking, webhook_sending, webhooks
from sla_service.services.app import App
from sla_service.services.dispatch import deliver_all
from sla_service.store.engine import unavailable
from tasks import stream

log = logging.getLogger(__name__)

_lock = threading.Lock()
_app: App | None = None
_stop = threading.Event()
_webhooks = threading.Lock()

#: Missed beats after which a worker looks for itself.
SILENT_BEATS = 3
#: Seconds between looks for a database that is not there when the worker starts.
RETRY_SECONDS = 5.0


def service() -> App:
    """The App of this process, built at the first task."""
    global _app  # noqa: PLW0603
    with _lock:
        if _app is None:
            _app = build()
        return _app


@worker_process_init.connect
def _forked(**_: Any) -> None:
    """A forked child must not share its parent's connections."""
    global _app  # noqa: PLW0603
    if _app is not None:
        _app.db.engine.dispose(close=False)
        _app = None


@worker_ready.connect
def _watch(**_: Any) -> None:
    threading.Thread(target=_listen, name="beat-watch", daemon=True).start()
    threading.Thread(target=_open_stream, name="stream-door", daemon=True).start()


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _stop.set()


def stopping(seconds: float) -> bool:
    """Waits; True as soon as this worker is told to stop."""
    return _stop.wait(seconds)


def _once_there() -> App | None:
    """The App as soon as there is a database to build it on; None if this worker is told to stop before."""
    while True:
        try:
            return service()
        except Exception as e:
            if not (unavailable(e) or isinstance(e, SlaError)):  # not there, or not migrated yet
                log.exception("the service cannot be built")
            log.warning("waiting for the database: %s", type(e).__name__)
        if _stop.wait(RETRY_SECONDS):
            return None


def _open_stream() -> None:
    """The Redis stream door, for as long as this worker lives."""
    app = _once_there()
    if app is not None and app.settings.broker_url is not None:
        stream.Consumer(app, stream.connect(app.settings.broker_url)).run(_stop)


def _listen() -> None:
    """No beat at all must cost latency only: when the last tick is too old, this worker ticks."""
    app = _once_there()
    if app is None:
        return
    patience = timedelta(seconds=max(app.settings.tick_seconds, 1) * SILENT_BEATS)
    while not _stop.wait(patience.total_seconds() / SILENT_BEATS):
        try:
            now = systime.now()
            if ticking.last_tick(app) + patience < now:
                log.info("no beat since %s: looking for myself", patience)
                tick(app)
                # Beside, since a receiver that does not answer must not hold up people's messages.
                threading.Thread(target=_send_beside, args=[app], name="webhooks", daemon=True).start()
                deliver_all(app, clock=systime.now)
        except Exception as e:  # the watch must outlive a database that is away
            if not unavailable(e):
                log.exception("the watch over the beat failed")


def _send_beside(app: App) -> None:
    try:
        send_webhooks(app)
    except Exception as e:
        if not unavailable(e):
            log.exception("what case systems are to be told could not be sent")


def tick(app: App) -> list[str]:
    """Fires what is due; gives the channels on which something waits."""
    now = systime.now()
    ticking.beat_heard(app, now=now)
    done = ticking.fire_due(app, now=now)
    digests.fire(app, now=now)
    if done.clocks:
        log.info("tick: %s clocks, %s messages, %s breaches", done.clocks, done.messages, done.breaches)
    audit.seal(app, now=now)
    return ticking.waiting(app, now=systime.now())


def ring(celery: Any, channel: str, *, expires: float) -> None:
    """Tells the workers that something waits on a channel. A broker that is away costs nothing: the next tick rings."""
    _publish(celery, "sla.deliver", channel, expires=expires)


def ring_for_webhooks(celery: Any, app: App, *, expires: float) -> None:
    """The same for what case systems are to be told."""
    if webhook_sending.waiting(app, now=systime.now()):
        _publish(celery, "sla.webhooks", expires=expires)


def send_webhooks(app: App) -> None:
    """Sends what case systems are to be told, unless this process is at it already."""
    if not _webhooks.acquire(blocking=False):
        return
    try:
        tries = webhook_sending.send(app, webhooks.poster(app.settings), clock=systime.now, stop=_stop.is_set)
        if tries:
            log.info("webhooks: %s tries", tries)
    finally:
        _webhooks.release()


def _publish(celery: Any, task: str, *args: str, expires: float) -> None:
    try:
        celery.send_task(task, args=args, retry=False, expires=expires)
    except OperationalError as e:
        log.warning("broker away, %s waits for the next tick: %s", " ".join((task, *args)), type(e).__name__)
