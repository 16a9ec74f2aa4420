"""kill -9: single children, all at once, and the supervisor, in the middle of sending."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time

import psutil
import pytest
from arena import Arena, arena
from ledger import Row, settle

from sla_service.store import inbox

pytestmark = pytest.mark.slow

SEED = 20261122  # the same kills at the same moments, as far as processes allow


#: What ``sla up`` runs, by a word of its command line.
PARTS = (" worker ", "valkey-server", " beat ", "uvicorn")
LONG = pytest.mark.long_form
ON_POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql", pytest.param("sqlite", marks=LONG)])


@ON_POSTGRESQL
def test_killed_at_random_while_sending_nothing_is_lost_and_nothing_doubled_on_wecom(
    kind, url, redis_url, tmp_path, long, book
):
    kills, people, latency = (32, 1000, 1.0) if long else (3, 40, 0.4)
    rng = random.Random(SEED)
    with arena(url, redis_url, tmp_path, people=people) as field:
        due = field.overdue(0, people)
        field.stub.control(latency=latency)
        field.beat()
        workers = [field.worker() for _ in range(2)]
        strokes = 0
        while strokes < kills and _busy(field):
            time.sleep(rng.uniform(0.0, latency))
            if strokes % 8 == 7:
                field.kill_all()
                strokes += 1
                field.beat()
                workers = [field.worker() for _ in range(2)]
                continue
            victim = rng.randrange(2)
            field.kill(workers[victim])
            strokes += 1
            workers[victim] = field.worker()
        field.stub.control(latency=0.0)
        field.settle(seconds=600 if long else 90)
        settle(field, "kill -9 while sending", due, book)
        assert field.kills >= (kills if long else 1)  # how many land in the short form is the machine's affair


def _busy(field: Arena) -> bool:
    """A kill is worth something only while calls are under way: waits until the provider hears more than before."""
    before = field.heard()
    return field.settle(until=lambda: field.heard() > before)


@LONG
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_supervisor_and_its_children_killed_again_and_again(kind, url, tmp_path, book):
    kills, people = (6, 300)
    with arena(url, "", tmp_path, people=people, SLA_VAR_DIR=str(tmp_path / "var")) as field:
        due = field.overdue(0, people)
        field.stub.control(latency=0.5)
        for n in range(kills):
            up = _up(field)
            assert _busy(field)
            if n < len(PARTS):  # one child alone: its supervisor starts it again
                _kill_child(field, up, PARTS[n])
                assert _busy(field)
            if n % 2:
                os.killpg(up.pid, signal.SIGKILL)
            field.kill(up)
            field.jump(100)  # what was in dead hands is unclear by now
        field.stub.control(latency=0.0)
        _up(field)
        field.settle()
        settle(field, "supervisor killed", due, book)


def _kill_child(field: Arena, up: subprocess.Popen[bytes], part: str) -> None:
    """kill -9 to the part of the service whose command line holds the word."""
    found = [c for c in psutil.Process(up.pid).children(recursive=True) if part in " ".join(c.cmdline())]
    assert found, part
    found[0].kill()
    field.kills += 1


def _up(field: Arena) -> subprocess.Popen[bytes]:
    child = field.start("up", "sla_service", "up", SLA_HTTP="127.0.0.1:0")
    log = field.folder / f"up{len(field.children) - 1}.log"
    field.wait(lambda: "就绪" in log.read_text("utf-8", "replace") or child.poll() is not None)
    assert child.poll() is None, log.read_text("utf-8", "replace")
    return child


@ON_POSTGRESQL
def test_killed_between_commit_and_answer_the_sender_repeats_and_meets_its_own_event(
    kind, url, redis_url, tmp_path, long, book
):
    """The web part is stopped the moment the commit can be seen; only a stop before the answer counts."""
    wanted = 5 if long else 1
    with arena(url, redis_url, tmp_path) as field:
        web, hits = field.web(), 0
        for n in range(200):
            events = [field.event("case.accepted", f"A{n}-{i}", handler="p00001") for i in range(300)]
            if not _cut_off(field, web, events):
                continue
            hits += 1
            web = field.web(field.port)
            status, _, body = field.post(events)
            assert status == 200
            assert {r["status"] for r in json.loads(body)["results"]} == {"duplicate"}
            if hits == wanted:
                break
        assert hits == wanted or not long  # the moment is a few milliseconds wide: the long form insists on it
        book(Row("killed after the commit", kind, field.kills, hits, hits, 0, 0, 0, 0))


def _cut_off(field: Arena, web: subprocess.Popen[bytes], events: list[dict]) -> bool:
    body = json.dumps(events).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {field.key}\r\nConnection: close\r\n"
        f"Content-Type: application/cloudevents-batch+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    last = events[-1]["id"]
    with socket.create_connection(("127.0.0.1", field.port), timeout=30) as sender:
        sender.sendall(head.encode() + body)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with field.app.db.read() as conn:
                if inbox.by_id(conn, [("hall", last)]):
                    break
        web.send_signal(signal.SIGSTOP)
        sender.setblocking(False)
        try:
            answered = bool(sender.recv(1))
        except BlockingIOError:
            answered = False
        if answered:
            web.send_signal(signal.SIGCONT)
            return False
        field.kill(web)
        return True
