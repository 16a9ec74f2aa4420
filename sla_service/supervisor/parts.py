"""The parts of the service, each by the ordinary command of its tool."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from sla_service.supervisor.address import Address
from sla_service.supervisor.broker import Broker
from sla_service.supervisor.child import Child

#: Threads, since a pool of processes would be grandchildren that outlive a killed parent.
_WORKER_THREADS = 8
# -q: no banner. The warning about root is about pickled messages, and only JSON is taken here.
_CELERY = (sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "-q", "-A", "tasks.app")


def all_parts(address: Address, state: Path, broker: Broker | None) -> tuple[Child, ...]:
    """In the order of starting. Without a broker of our own the parts find SLA_BROKER_URL in their environment."""
    env = {"SLA_HTTP": str(address)} | ({"SLA_BROKER_URL": broker.url} if broker else {})
    own = (broker.child,) if broker else ()
    return (*own, *(_with(env, part) for part in (worker(), beat(state), web(address))))


def _with(env: Mapping[str, str], part: Child) -> Child:
    return dataclasses.replace(part, env={**part.env, **env})


def web(address: Address) -> Child:
    app = ("uvicorn", "sla_service.web.app:create_app", "--factory")
    where = ("--host", address.host, "--port", str(address.port))
    quiet = ("--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "5")
    return Child("web", (sys.executable, "-m", *app, *where, *quiet), grace=10)


def worker() -> Child:
    """One worker for all queues; alone with its broker it has nobody to gossip with."""
    pool = ("-P", "threads", "-c", str(_WORKER_THREADS))
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Child("worker", (*_CELERY, "worker", *pool, *alone, "-l", "WARNING"), grace=30, noise=("Warm shutdown",))


def beat(state: Path) -> Child:
    """Its own schedule file, and no pid file, which a killed one would leave behind to be refused by.

    Its first word is a tick away in any case, so it lets the others load first.
    """
    schedule = ("-s", str(state / "beat-schedule"), "--pidfile=")
    return Child("beat", (*_CELERY, "beat", *schedule, "-l", "WARNING"), grace=5, delay=1)
