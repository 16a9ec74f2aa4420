"""Real workers and beats: each message exactly once, whatever becomes of beat and broker."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
import redis
import sqlalchemy as sa
from celery import Celery
from listening import listening
from processes import hall

from sla_service.services import checkup, ticking
from sla_service.store import tables

pytestmark = pytest.mark.slow

TOLD = ["sms 张三", "sms 李四", "wecom 张三", "wecom 李四"]


def test_worker_and_beat_send_what_is_due(db_url, redis_url, tmp_path):
    with hall(db_url, redis_url, tmp_path) as service:
        service.overdue("A", "B")
        service.worker()
        service.beat()
        service.wait(lambda: service.sent() == TOLD)


def test_two_beats_and_two_workers_send_once(db_url, redis_url, tmp_path):
    with hall(db_url, redis_url, tmp_path) as service:
        service.overdue(*(f"C{n}" for n in range(20)))
        for _ in range(2):
            service.worker()
            service.beat()
        service.wait(lambda: len(service.sent()) >= len(TOLD) and service.waiting() == 0)
        time.sleep(3)  # more beats
        assert service.sent() == TOLD


def test_a_worker_that_hears_no_beat_looks_for_itself(sqlite_url, redis_url, tmp_path):
    with hall(sqlite_url, redis_url, tmp_path) as service:
        service.overdue("A")
        service.worker()
        service.wait(lambda: service.sent() == TOLD)


def test_a_flushed_broker_changes_nothing_but_latency(pg_url, redis_url, tmp_path):
    with hall(pg_url, redis_url, tmp_path) as service:
        worker = service.worker()
        service.beat()
        service.wait(lambda: "succeeded" in service.logs())
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        service.overdue("A")
        service.wait(lambda: service.sent() == TOLD)
        assert worker.poll() is None


def test_events_sent_by_celery_are_taken_in(sqlite_url, redis_url, tmp_path):
    with hall(sqlite_url, redis_url, tmp_path) as service:
        service.worker()
        sender = Celery(broker=redis_url)
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "hall",
            "type": "case.accepted",
            "subject": "A",
            "time": "2026-11-02T09:00:00+08:00",
            "data": {"kind": "simple", "handler": "zhangsan", "department": "社会事务科"},
        }
        sender.send_task("sla.ingest", args=[[event, event]], queue="intake")
        service.wait(lambda: service.sent() == TOLD)
        sender.close()


def test_a_worker_without_a_broker_says_what_to_set(tmp_path, sqlite_url):
    import subprocess
    import sys

    with hall(sqlite_url, "", tmp_path) as service:
        del service.env["SLA_BROKER_URL"]
        command = [sys.executable, "-m", "celery", "-A", "tasks.app", "worker"]
        done = subprocess.run(command, env=service.env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "SLA_BROKER_URL" in done.stderr + done.stdout


def test_a_worker_reads_the_stream_of_its_broker(sqlite_url, redis_url, tmp_path):
    with hall(sqlite_url, redis_url, tmp_path) as service:
        service.worker()
        data = {"kind": "simple", "handler": "zhangsan", "department": "社会事务科"}
        head = {"specversion": "1.0", "id": "1", "source": "hall", "type": "case.accepted", "subject": "A"}
        event = {**head, "time": "2026-11-02T09:00:00+08:00", "data": data}
        with redis.Redis.from_url(redis_url) as client:
            client.xadd("sla:events", {"event": json.dumps(event)})
        service.wait(lambda: service.sent() == TOLD)


@pytest.mark.parametrize("well", [True, False], ids=["all is well", "an event waits"])
def test_the_outside_hears_of_the_service_only_while_all_is_well(well, sqlite_url, redis_url, tmp_path):
    with listening() as (url, calls), hall(sqlite_url, redis_url, tmp_path, SLA_HEARTBEAT_URL=f"{url}/ping") as service:
        if not well:
            service.closed_without_acceptance("Z", since=timedelta(days=2))
        service.worker()
        service.beat()
        service.wait(lambda: ticking.last_tick(service.app) != ticking.NEVER)
        with Celery(broker=redis_url) as sender:
            sender.send_task("sla.doctor", queue="upkeep")
        service.wait(lambda: checkup.last(service.app) is not None)
        service.wait(lambda: "succeeded" in service.logs().rpartition("sla.doctor")[2])
        assert calls == (["/ping"] if well else [])
        errors = [code for code, level in checkup.last(service.app).findings if level == "error"]
        assert errors == ([] if well else ["waiting"])  # warnings, such as next year's calendar, are no alarm


def test_applicants_of_cases_closed_long_ago_go_without_being_asked_for(sqlite_url, redis_url, tmp_path):
    with hall(sqlite_url, redis_url, tmp_path, SLA_APPLICANT_DAYS="100") as service:
        applicant = {"name": "赵六", "phone": "13800000000"}
        service.closed_long_ago("OLD", since=timedelta(days=101), applicant=applicant)
        service.closed_long_ago("NEW", since=timedelta(days=99), applicant=applicant)
        service.worker()
        with Celery(broker=redis_url) as sender:
            sender.send_task("sla.upkeep", queue="upkeep")
        service.wait(lambda: "erased" in _applicant(service, "OLD"))
        assert _applicant(service, "NEW") == applicant


def _applicant(service, no: str) -> dict:
    i = tables.inbox.c
    with service.app.db.read() as conn:
        data = conn.execute(sa.select(i.data).where(i.no == no, i.type == "case.accepted")).scalar_one()
    return data["applicant"]
