"""The Celery application: broker, queues, beat schedule. Tasks carry ids or nothing; the database is the truth.

``celery -A tasks.app worker`` and ``celery -A tasks.app beat`` start the parts; ``sla up`` starts both.
No ETA and no countdown anywhere: when something is due stands in the database, beat only says "look".
"""

from __future__ import annotations

import importlib
from typing import Any

from celery import Celery
from celery.signals import celeryd_init
from kombu.entity import Queue

from sla_service.errors import BrokerError
from sla_service.settings import Settings, load
from tasks.celery57 import install as mend_celery

#: How long publishing may hold anybody up when the broker is away.
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5

INCLUDE = ("tasks.tick", "tasks.deliver", "tasks.intake", "tasks.upkeep", "tasks.doctor", "tasks.webhooks")
#: Task -> its queue.
ROUTES = {
    "sla.tick": "tick",
    "sla.deliver": "deliver",
    "sla.ingest": "intake",
    "sla.upkeep": "upkeep",
    "sla.doctor": "upkeep",
    "sla.webhooks": "webhooks",
}
#: How often cases are looked for that are still to follow a new calendar.
UPKEEP_SECONDS = 30.0


def make(settings: Settings) -> Celery:
    """The application for these settings. Raises BrokerError where no broker is named."""
    if settings.broker_url is None:
        raise BrokerError(
            "没有设置 SLA_BROKER_URL（例如 redis://127.0.0.1:6379/0）；只想在一台机器上整套运行，请用 sla up"
        )
    mend_celery()
    celery = Celery("sla", broker=settings.broker_url)
    tick = settings.tick_seconds
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=False,  # the database is the truth; sla.ingest, whose message is the event, says otherwise
        task_reject_on_worker_lost=False,
        task_queues=[Queue(name) for name in dict.fromkeys(ROUTES.values())],
        task_default_queue="tick",
        task_create_missing_queues=False,
        task_routes=ROUTES,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": CONNECT_SECONDS},
        enable_utc=True,
        timezone="Asia/Shanghai",
        beat_schedule={
            "tick": {"task": "sla.tick", "schedule": tick, "options": {"expires": max(tick, 5.0)}},
            "upkeep": {"task": "sla.upkeep", "schedule": UPKEEP_SECONDS, "options": {"expires": UPKEEP_SECONDS}},
            "doctor": {"task": "sla.doctor", "schedule": UPKEEP_SECONDS, "options": {"expires": UPKEEP_SECONDS}},
        },
        beat_max_loop_interval=max(1.0, tick),
    )
    return celery


app = make(load())


@celeryd_init.connect
def _load_tasks(**_: Any) -> None:
    """Only a worker needs the tasks and what stands behind them; beat goes without, a third of its memory less."""
    for name in (*INCLUDE, "tasks.runtime"):
        importlib.import_module(name)
