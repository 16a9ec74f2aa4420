"""``sla.upkeep``: what has time: cases that are still to follow a new calendar, the watch over next year's notice,
what was told to case systems long ago, applicants' data whose time is over.
"""

from __future__ import annotations

import logging
import threading

from celery import shared_task

from sla_service import systime
from sla_service.services import calendar_follow, calendar_watch, personal, webhooks
from tasks import runtime

log = logging.getLogger(__name__)

_at_it = threading.Lock()


@shared_task(name="sla.upkeep", ignore_result=True, soft_time_limit=840, time_limit=900)
def upkeep() -> None:
    """Goes on where an import was stopped; does nothing if this worker is at it already."""
    if not _at_it.acquire(blocking=False):
        return
    try:
        app = runtime.service()
        done = calendar_follow.go_on(app, clock=systime.now)
        if done.cases or done.failed:
            log.info("%s cases followed the new calendar, %s could not", done.cases, done.failed)
        calendar_watch.watch(app, now=systime.now())
        webhooks.prune(app, now=systime.now())
        gone = personal.expire(app, now=systime.now())
        if gone:
            log.info("applicants' data of %s rows has had its time", gone)
    finally:
        _at_it.release()
