"""``sla.deliver``: sends what waits on one channel."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict

from celery import shared_task

from sla_service import systime
from sla_service.errors import ChannelError
from sla_service.services import dispatch
from tasks import runtime

log = logging.getLogger(__name__)

#: A provider that hangs must not hold every thread of the worker, or the other channels would wait with it.
_AT_ONCE = 2
_busy: defaultdict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(_AT_ONCE))


@shared_task(name="sla.deliver", ignore_result=True, soft_time_limit=840, time_limit=900)
def deliver(channel: str) -> None:
    """Sends all that waits on ``channel``; does nothing if enough threads of this worker are at it already."""
    gate = _busy[channel]
    if not gate.acquire(blocking=False):
        return
    try:
        dispatch.deliver(runtime.service(), channel, clock=systime.now)
    except ChannelError as e:  # one sentence; what waits stays queued and the doctor shows it
        log.error("%s", e)  # noqa: TRY400
    finally:
        gate.release()
