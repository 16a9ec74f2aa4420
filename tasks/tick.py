"""``sla.tick``: the heartbeat's task."""

from __future__ import annotations

from celery import Task, shared_task

from tasks import runtime


@shared_task(name="sla.tick", bind=True, ignore_result=True, soft_time_limit=240, time_limit=300)
def tick(self: Task) -> None:
    """Fires what is due and rings for every channel on which something waits, and for what systems are to be told."""
    app = runtime.service()
    expires = max(app.settings.tick_seconds, 5.0)
    for channel in runtime.tick(app):
        runtime.ring(self.app, channel, expires=expires)
    runtime.ring_for_webhooks(self.app, app, expires=expires)
