"""``sla.ingest``: the door for systems that speak Celery. Its message is the event, so it is acknowledged late."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from sla_service import systime
from sla_service.services import intake
from sla_service.store.engine import unavailable
from tasks import runtime

BATCH = 500
#: Seconds between tries while the database is away.
RETRY_SECONDS = 5


@shared_task(
    name="sla.ingest",
    bind=True,
    ignore_result=True,
    acks_late=True,
    reject_on_worker_lost=True,
    soft_time_limit=240,
    time_limit=300,
)
def ingest(self: Task, events: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Takes one event or a list. Bodies that do not fit are kept with their reason, like at every door."""
    app = runtime.service()
    items = events if isinstance(events, list) else [events]
    for begin in range(0, len(items), BATCH):
        now = systime.now()
        read = [intake.read(raw, now=now) for raw in items[begin : begin + BATCH]]
        while True:
            try:
                intake.receive(app, read, now=now, door="celery")
                break
            except Exception as e:
                if not unavailable(e):
                    raise
                if runtime.stopping(RETRY_SECONDS):  # unacknowledged: it comes back to another worker
                    self.reject(requeue=True)
                    raise
