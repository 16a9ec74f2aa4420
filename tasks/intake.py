"""``sla.ingest``: the door for systems that speak Celery. Its message is the event, so it is acknowledged late."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task, shared_task
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from sla_service import systime
from sla_service.services import intake, taking
from sla_service.store.engine import unavailable
from tasks import runtime

BATCH = 500
#: Seconds between tries while the database is away.
RETRY_SECONDS = 5


@shared_task(name="sla.ingest", bind=True, ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def ingest(self: Task, events: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Takes one event or a list. Bodies that do not fit are kept with their reason, like at every door.

    Without a time limit: Celery acknowledges what ran into one, and then the events would be nowhere.
    """
    items = events if isinstance(events, list) else [events]
    for begin in range(0, len(items), BATCH):
        while True:
            now = systime.now()
            read = [intake.read(raw, now=now) for raw in items[begin : begin + BATCH]]
            try:
                taking.take(runtime.service(), read, now=now, door="celery")
                break
            except Exception as e:
                if not unavailable(e):
                    raise
                if runtime.stopping(RETRY_SECONDS):
                    _put_back(self.app, items[begin:])
                    return


def _put_back(celery: Celery, items: list[dict[str, Any]]) -> None:
    """Into the queue again, for another worker, before this message is acknowledged.

    Not by rejecting it: what a worker of 5.7.0 that is stopping puts back so is in no queue afterwards.
    """
    try:
        celery.send_task("sla.ingest", args=[items], queue="intake", retry=False)
    except OperationalError as e:  # the broker is away as well: it holds the message, and gives it out again
        raise Reject(type(e).__name__, requeue=True) from None
