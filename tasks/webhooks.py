"""``sla.webhooks``: sends what waits for case systems at their own addresses."""

from __future__ import annotations

from celery import shared_task

from tasks import runtime


@shared_task(name="sla.webhooks", ignore_result=True, soft_time_limit=240, time_limit=300)
def send() -> None:
    """Sends all that is due; does nothing if this worker is at it already."""
    runtime.send_webhooks(runtime.service())
