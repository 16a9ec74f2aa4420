"""The parts of the service, each by the ordinary command of its tool."""

from __future__ import annotations

import sys
from pathlib import Path

from sla_service.supervisor.address import Address
from sla_service.supervisor.child import Child

#: Threads, since a pool of processes would be grandchildren that outlive a killed parent.
_WORKER_THREADS = 8
_CELERY = (sys.executable, "-m", "celery", "-A", "tasks.app")


def web(address: Address) -> Child:
    argv = (
        "uvicorn",
        "sla_service.web.app:create_app",
        "--factory",
        "--host",
        address.host,
        "--port",
        str(address.port),
    )
    quiet = ("--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "5")
    return Child("web", (sys.executable, "-m", *argv, *quiet), grace=10)


def worker() -> Child:
    """One worker with all queues; alone with its broker it has nobody to gossip with."""
    pool = ("-P", "threads", "-c", str(_WORKER_THREADS))
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Child("worker", (*_CELERY, "worker", *pool, *alone, "-l", "WARNING"), grace=30)


def beat(state: Path) -> Child:
    """Its own schedule file, and no pid file, which a killed one would leave behind to be refused by."""
    return Child("beat", (*_CELERY, "beat", "-s", str(state / "beat-schedule"), "--pidfile=", "-l", "WARNING"), grace=5)
