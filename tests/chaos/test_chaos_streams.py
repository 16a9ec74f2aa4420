"""Events doubled, shuffled, in four parallel streams through all four doors: the same state as once, in order.

100,000 events in the long form, 2,000 in the short one; ``SLA_TEST_CHAOS_CASES`` scales it (ten events each).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from arena import Arena, arena
from builders import at
from hall_files import person
from ledger import Row
from story import make_app

from sla_service.services import intake, streams
from sla_service.services.config import load_config
from sla_service.store import sources, tables

pytestmark = pytest.mark.slow

BATCH = 200
OWN = ("updated_at", "watermark", "next_at")  # when it was written, and what sending made of it


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_four_streams_in_any_order_come_to_the_same_as_one_in_order(
    kind, url, redis_url, sqlite_template, tmp_path, book, long
):
    cases = int(os.environ.get("SLA_TEST_CHAOS_CASES", "10000" if long else "200"))
    with arena(url, redis_url, tmp_path, people=10) as field:
        events = list(_histories(cases))
        parts = _streams(events)
        field.web()
        field.start("worker", "celery", "-A", "tasks.app", "worker", "-Q", "intake", "-P", "threads", "-c", "2")
        doors = [_http, _stream, _celery, _file]
        began = time.monotonic()
        errors: list[Exception] = []
        threads = [
            threading.Thread(target=_guarded, args=(d, field, s, errors)) for d, s in zip(doors, parts, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        field.wait(lambda: _count(field) == len(events), 1200)
        field.wait(lambda: _count(field, "waiting") == 0, 120)
        first = {r["door"] for r in field.rows(sa.select(tables.inbox.c.door).distinct())}
        # Every event comes through two doors and stands under the one that was first; of a few, one door may be none.
        assert first >= {"http", "stream", "celery"} if long else len(first) > 1
        seconds = time.monotonic() - began
        alone = tmp_path / "alone.db"
        alone.write_bytes(sqlite_template.read_bytes())
        wanted = _in_order(field, f"sqlite:///{alone}", events)
        assert _state(field.app) == wanted
        sent = sum(map(len, parts))
        print(f"{kind}: {sent} events sent, {len(events)} taken, {seconds:.0f} s")
        book(Row(f"{sent} events, four streams", kind, 0, len(events), sent, 0, 0, 0, 0))


def _histories(cases: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(7)
    for n in range(cases):
        moment = at("2026-03-02 09:00") + timedelta(minutes=rng.randrange(60 * 24 * 200))
        story: list[tuple[str, dict[str, Any]]] = [
            ("case.accepted", {"kind": "simple", "department": "一科", "handler": person(n % 10)}),
            ("case.signed", {"handler": person(n % 10)}),
            ("case.assigned", {"handler": person((n + 1) % 10)}),
            ("case.paused", {"reason": "hearing", "applicant_informed_at": moment.isoformat()}),
            ("case.resumed", {}),
            ("case.classified", {"kind": "complex"}),
            ("case.progressed", {"text": "进展"}),
            ("case.closed", {"outcome": "resolved", "replied_at": (moment + timedelta(days=9)).isoformat()}),
            ("case.reopened", {"reason": "不满意"}),
            ("case.closed", {"outcome": "resolved", "replied_at": (moment + timedelta(days=11)).isoformat()}),
        ]
        for i, (type_, data) in enumerate(story):
            head = {"specversion": "1.0", "id": f"{n}/{i}", "source": "hall", "subject": f"S{n}", "type": type_}
            yield {**head, "time": (moment + timedelta(days=i, hours=1)).isoformat(), "data": data}


def _streams(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Every event in two of four streams, each stream in an order of its own."""
    rng = random.Random(11)
    streams: list[list[dict[str, Any]]] = [[], [], [], []]
    for event in events:
        for s in rng.sample(range(4), 2):
            streams[s].append(event)
    for stream in streams:
        rng.shuffle(stream)
    return streams


def _guarded(door: Any, field: Arena, stream: list[dict[str, Any]], errors: list[Exception]) -> None:
    try:
        door(field, stream)
    except Exception as e:  # noqa: BLE001 (a thread's failure is told by the test)
        errors.append(e)


def _http(field: Arena, stream: list[dict[str, Any]]) -> None:
    for begin in range(0, len(stream), BATCH):
        status, _, body = field.post(stream[begin : begin + BATCH])
        assert status == 200, body
        assert {r["status"] for r in json.loads(body)["results"]} <= {"applied", "duplicate", "waiting", "rejected"}


def _stream(field: Arena, stream: list[dict[str, Any]]) -> None:
    with redis.Redis.from_url(field.env["SLA_BROKER_URL"]) as client:
        for begin in range(0, len(stream), BATCH):
            with client.pipeline(transaction=False) as pipe:
                for event in stream[begin : begin + BATCH]:
                    pipe.xadd(streams.STREAM, {"event": json.dumps(event)})
                pipe.execute()


def _celery(field: Arena, stream: list[dict[str, Any]]) -> None:
    from celery import Celery

    sender = Celery(broker=field.env["SLA_BROKER_URL"])
    for begin in range(0, len(stream), BATCH):
        sender.send_task("sla.ingest", args=[stream[begin : begin + BATCH]], queue="intake")
    sender.close()


def _file(field: Arena, stream: list[dict[str, Any]]) -> None:
    path = field.folder / "stream.jsonl"
    path.write_text("\n".join(map(json.dumps, stream)), "utf-8")
    argv = [sys.executable, "-m", "sla_service", "ingest", str(path), "--json"]
    done = subprocess.run(argv, cwd=field.folder, env=field.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _in_order(field: Arena, url: str, events: list[dict[str, Any]]) -> Any:
    app = make_app(url, config=load_config(field.config))
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=field.now, now=field.now)
    for begin in range(0, len(events), 500):
        read = [intake.read(e, now=field.now) for e in events[begin : begin + 500]]
        intake.receive(app, read, now=field.now, door="test")
    found = _state(app)
    app.db.dispose()
    return found


def _state(app: Any) -> Any:
    with app.db.read() as conn:
        cases = [dict(r) for r in conn.execute(sa.select(tables.cases)).mappings()]
        clocks = [dict(r) for r in conn.execute(sa.select(tables.clocks)).mappings()]
        i = tables.inbox.c
        inbox = sorted(tuple(r) for r in conn.execute(sa.select(i.id, i.status, i.problem)))
    return _plain(cases), _plain(clocks), inbox


def _plain(rows: list[dict[str, Any]]) -> list[str]:
    kept = ({k: v for k, v in r.items() if k not in OWN} for r in rows)
    return sorted(json.dumps(r, sort_keys=True, ensure_ascii=False, default=str) for r in kept)


def _count(field: Arena, *statuses: str) -> int:
    query = sa.select(sa.func.count()).select_from(tables.inbox)
    if statuses:
        query = query.where(tables.inbox.c.status.in_(statuses))
    return int(field.rows(query)[0]["count_1"])
