"""``sla.doctor``: the regular visit, and word to the outside that all is well.

A task of its own beside ``sla.upkeep``, which a new calendar may keep busy for long.
"""

from __future__ import annotations

import logging

from celery import shared_task

from sla_service import systime
from sla_service.services import broker_look, checkup, heartbeat
from tasks import runtime

log = logging.getLogger(__name__)


@shared_task(name="sla.doctor", ignore_result=True, soft_time_limit=540, time_limit=600)
def doctor() -> None:
    """Makes the visit when it is due, whichever worker hears of it first."""
    app = runtime.service()
    before = checkup.last(app)
    url = app.settings.broker_url or ""
    visit = checkup.make(
        app,
        now=systime.now(),
        real_now=lambda: systime.now() - systime.shift(),
        broker=lambda: broker_look.problem(url),
    )
    if visit is None:
        return
    known = frozenset(before.findings) if before is not None else frozenset()
    for code, level in visit.findings:
        if (code, level) in known:  # said once: a warning may stand for weeks
            continue
        log.log(logging.ERROR if level == "error" else logging.WARNING, "sla doctor: %s (%s)", code, level)
    if visit.well and app.settings.heartbeat_url is not None:
        heartbeat.call(app.settings.heartbeat_url.get_secret_value())
