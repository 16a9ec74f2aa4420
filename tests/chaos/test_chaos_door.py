"""The Redis stream under fire: its readers killed at random, its broker killed and restarted, a writer that goes on."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from arena import Arena, arena
from hall_files import person
from ledger import Row
from servers import Valkey

from sla_service.services.streams import DEAD, FIELD, GROUP, STREAM
from sla_service.store import tables

pytestmark = [pytest.mark.slow, pytest.mark.long_form]

EVENTS = 4_000
SEED = 20261122
#: A reader's entries are taken over when they have lain for a minute, by the broker's own clock, which no test moves.
TAKEN_OVER = 150.0


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_what_stands_in_the_stream_is_taken_in_once_whoever_is_killed(kind, url, tmp_path, book):
    rng = random.Random(SEED)
    with Valkey(durable=True) as broker, arena(url, broker.url, tmp_path, people=10) as field:
        workers = [field.worker() for _ in range(2)]
        field.beat()
        writer = Writer(field, broker.url)
        writer.start()
        for stroke in range(12):
            time.sleep(rng.uniform(0.3, 1.0))
            if stroke % 6 == 5:
                broker.kill()
                field.kills += 1
                broker.start()
                continue
            victim = rng.randrange(2)
            field.kill(workers[victim])
            workers[victim] = field.worker()
        writer.join(120)
        assert not writer.is_alive()
        field.wait(lambda: len(_taken(field)) == EVENTS, TAKEN_OVER)
        with redis.Redis.from_url(broker.url) as client:
            field.wait(lambda: client.xpending(STREAM, GROUP)["pending"] == 0, TAKEN_OVER)
            assert client.xlen(DEAD) == 0
        statuses = _taken(field)
        assert set(statuses.values()) == {"applied"}
        cases = field.rows(sa.select(tables.cases.c.no).where(tables.cases.c.accepted_at.is_not(None)))
        assert len(cases) == EVENTS // 2
        lost = EVENTS - len(statuses)
        book(Row(f"stream: {writer.written} entries", kind, field.kills, EVENTS, len(statuses), lost, 0, 0, 0))


class Writer(threading.Thread):
    """A case system that writes to the stream, and writes again what the broker has not confirmed."""

    def __init__(self, field: Arena, url: str) -> None:
        super().__init__(daemon=True)
        self.client = redis.Redis.from_url(url, socket_timeout=5)
        self.events = [e for n in range(EVENTS // 2) for e in _history(field, n)]
        self.written = 0

    def run(self) -> None:
        for begin in range(0, len(self.events), 20):
            while not self._write(self.events[begin : begin + 20]):
                time.sleep(0.2)
            time.sleep(0.04)
        self.client.close()

    def _write(self, events: list[dict[str, Any]]) -> bool:
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for event in events:
                    pipe.xadd(STREAM, {FIELD: json.dumps(event)})
                self.written += len(pipe.execute())
        except redis.RedisError:
            return False
        return True


def _history(field: Arena, n: int) -> list[dict[str, Any]]:
    who = person(n % 10)
    accepted = field.event("case.accepted", f"S{n:05}", handler=who)
    return [accepted, {**field.event("case.signed", f"S{n:05}", handler=who), "id": f"S{n:05}/signed"}]


def _taken(field: Arena) -> dict[str, str]:
    i = tables.inbox.c
    return {r["id"]: r["status"] for r in field.rows(sa.select(i.id, i.status))}
