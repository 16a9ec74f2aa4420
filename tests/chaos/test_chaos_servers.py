"""The servers go away: broker flushed and killed, PostgreSQL killed, with work in flight."""

from __future__ import annotations

import json

import pytest
import redis
from arena import arena
from ledger import settle
from servers import Postgres, Valkey

from sla_service.store import inbox, migrate

pytestmark = pytest.mark.slow


LONG = pytest.mark.long_form


@LONG
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_broker_flushed_and_killed_with_work_in_flight(kind, url, tmp_path, book):
    people = 200
    with Valkey() as broker, arena(url, broker.url, tmp_path, people=people) as field:
        due = field.overdue(0, people)
        field.stub.control(latency=0.5)
        field.beat()
        worker = field.worker()
        field.wait(lambda: field.heard() > 0)
        with redis.Redis.from_url(broker.url) as client:
            client.flushall()
        heard = field.heard()
        field.wait(lambda: field.heard() > heard or not field.open_work(), 60)
        broker.kill()
        field.kills += 1
        broker.start()
        field.settle(seconds=60)
        assert worker.poll() is None, "the worker left with its broker"
        row = settle(field, "broker flushed, killed", due, book)
        assert row.sent == row.due  # no worker died, so nothing was unclear


@LONG
def test_postgresql_killed_and_started_again(redis_url, tmp_path, book):
    people = 200
    with Postgres(durable=True) as server:
        migrate.upgrade(server.url)
        with arena(server.url, redis_url, tmp_path, people=people) as field:
            due = field.overdue(0, people)
            field.stub.control(latency=0.5)
            field.web()
            field.beat()
            worker = field.worker()
            field.wait(lambda: field.heard() > 0)
            taken = _taken_until(field, server)
            status, headers, _ = field.post(field.event("case.accepted", "B-away", handler="p00001"))
            assert (status, bool(headers.get("Retry-After") or headers.get("retry-after"))) == (503, True)
            assert field.get("/healthz")[0] == 200
            assert field.get("/readyz")[0] == 503
            server.start()
            field.app.db.engine.dispose()
            field.wait(lambda: field.get("/readyz")[0] == 200)
            with field.app.db.read() as conn:
                kept = {r["id"] for r in inbox.by_id(conn, [("hall", i) for i in taken])}
            assert kept == set(taken), "answered with 200, and gone"
            field.settle()
            assert worker.poll() is None
            settle(field, "PostgreSQL killed", due, book)


def _taken_until(field, server) -> list[str]:
    """Sends events and kills the database in the middle; gives the ids that were answered with 200."""
    taken = []
    for n in range(30):
        event = field.event("case.accepted", f"B{n}", handler="p00001")
        status, _, body = field.post(event)
        if status == 200 and json.loads(body)["results"][0]["status"] == "applied":
            taken.append(event["id"])
        if n == 20:
            server.kill()
            field.kills += 1
        if status == 503:
            return taken
    return taken
