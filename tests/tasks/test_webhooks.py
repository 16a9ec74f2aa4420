"""Real workers send what case systems are to be told, however often they are killed while they do."""

from __future__ import annotations

import os
import signal
import time

import pytest
from hooked import hook, put
from processes import hall
from receiver import Receiver

from sla_service.store import tables_webhooks

pytestmark = pytest.mark.slow

HERE = {"SLA_WEBHOOK_HTTP": "true", "SLA_WEBHOOK_PRIVATE": "true"}


def slow(_told) -> int:
    time.sleep(0.02)
    return 200


def states(service) -> set[str]:
    with service.app.db.read() as conn:
        return {row.state for row in conn.execute(tables_webhooks.webhook_events.select())}


def test_a_case_that_is_overdue_is_told_by_beat_and_worker(db_url, redis_url, tmp_path):
    with Receiver() as receiver, hall(db_url, redis_url, tmp_path, **HERE) as service:
        secret = hook(service.app, receiver, now=service.began)
        service.overdue("A")
        service.worker()
        service.beat()
        service.wait(lambda: receiver.types("A").count("reminded") == 4 and "breached" in receiver.types("A"))
        assert all(told.signed_by(secret) for told in receiver.got)


def test_without_a_beat_it_goes_out_all_the_same(sqlite_url, redis_url, tmp_path):
    with Receiver() as receiver, hall(sqlite_url, redis_url, tmp_path, **HERE) as service:
        hook(service.app, receiver, now=service.began)
        put(service.app, "A", now=service.began)
        service.worker()
        service.wait(lambda: receiver.types("A") == ["closed"])


def test_workers_killed_while_they_send_lose_nothing_and_keep_the_order(db_url, redis_url, tmp_path):
    cases = [f"C{n}" for n in range(6)]
    with Receiver(answer=slow) as receiver, hall(db_url, redis_url, tmp_path, **HERE) as service:
        hook(service.app, receiver, now=service.began)
        put(service.app, *(cases * 20), now=service.began)
        service.beat()
        for kill in range(4):
            service.env["SLA_CLOCK_SHIFT"] = str(120 * kill)  # the lease of the killed one has run out
            worker = service.worker()
            heard = len(receiver.got)
            if kill < 3:
                service.wait(lambda heard=heard: len(receiver.got) >= heard + 20)
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        service.wait(lambda: states(service) == {"sent"})
        for no in cases:
            firsts = [int(t.id.removeprefix("evt_hall")) for t in receiver.taken if t.event["subject"] == no]
            assert firsts == sorted(firsts)
            assert len(firsts) == 20
        assert 120 <= len(receiver.got) <= 120 + 3 * 8, "what was on its way when a worker was killed, and no more"
