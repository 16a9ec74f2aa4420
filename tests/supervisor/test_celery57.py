"""A broker that restarts while messages are unacknowledged, with and without ``tasks.celery57``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from servers import Valkey
from waiting import until

ROOT = Path(__file__).parent.parent.parent

_APP = """
import os, pathlib, time
from celery import Celery
if os.environ["MENDED"] == "yes":
    from tasks import celery57
    celery57.install()
app = Celery("late", broker=os.environ["BROKER"])
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_max_retries=None,
                broker_connection_retry_on_startup=True)

@app.task
def hold(number):
    pathlib.Path(f"held-{number}").touch()
    while not pathlib.Path("let-go").exists():
        time.sleep(0.02)

@app.task
def after():
    pathlib.Path("after").touch()
"""

Worker = tuple[subprocess.Popen[bytes], Callable[[str], None]]


@pytest.fixture
def broker() -> Iterator[Valkey]:
    with Valkey(durable=True) as server:
        yield server


@pytest.fixture
def start(broker: Valkey, tmp_path: Path) -> Iterator[Callable[[bool], Worker]]:
    (tmp_path / "late.py").write_text(_APP)
    started = []

    def run(mended: bool) -> Worker:
        env = {**os.environ, "BROKER": broker.url, "MENDED": "yes" if mended else "no", "PYTHONPATH": str(ROOT)}
        celery = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "late"]
        pool = ["-P", "threads", "-c", "4", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        with (tmp_path / "log").open("wb") as log:
            worker = subprocess.Popen([*celery, "worker", *pool], cwd=tmp_path, env=env, stdout=log, stderr=log)
        started.append(worker)

        def send(task: str) -> None:
            subprocess.run([*celery, "call", *task.split()], cwd=tmp_path, env=env, check=True, capture_output=True)

        return worker, send

    yield run
    for worker in started:
        worker.kill()
        worker.wait()


def _lose_the_broker_under_work(broker: Valkey, send: Callable[[str], None], folder: Path) -> None:
    for number in range(3):
        send(f"late.hold --args [{number}]")
    until(lambda: len(list(folder.glob("held-*"))) == 3)
    broker.kill()
    # Back too soon, and the client connects again before the worker has noticed anything.
    until(lambda: "Connection to broker lost" in (folder / "log").read_text())
    broker.start()


@pytest.mark.slow
def test_a_worker_survives_the_restart_of_its_broker_and_goes_on(broker, start, tmp_path):
    worker, send = start(True)
    _lose_the_broker_under_work(broker, send, tmp_path)
    (tmp_path / "let-go").touch()
    send("late.after")
    until((tmp_path / "after").exists)
    assert worker.poll() is None


@pytest.mark.slow
def test_without_the_workaround_it_does_not_so_the_workaround_is_still_needed(broker, start, tmp_path):
    worker, send = start(False)
    _lose_the_broker_under_work(broker, send, tmp_path)

    def verdict() -> str:
        if "Unrecoverable error" in (tmp_path / "log").read_text():
            return "ended"
        with closing(redis.Redis.from_url(broker.url)) as client:  # consuming again: it waits for messages
            return "survived" if any(one["cmd"] == "brpop" for one in client.client_list()) else ""

    assert until(verdict) == "ended", "Celery has mended it: remove tasks/celery57.py and this file"
    assert "object has no attribute 'hostname'" in (tmp_path / "log").read_text()
    (tmp_path / "let-go").touch()  # it waits for its tasks before it goes
    assert worker.wait() == 1
