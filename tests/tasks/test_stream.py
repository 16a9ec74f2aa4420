"""The stream door: acknowledged after the commit, taken over from the dead, poison put aside with its reason."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import redis
import sqlalchemy as sa
from story import story

from sla_service import systime
from sla_service.errors import StoreError
from sla_service.services import streams, taking
from sla_service.store import sources, tables
from tasks import runtime, stream


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as made:
        yield made


def add(client, body) -> bytes:
    return client.xadd(stream.STREAM, {"event": body if isinstance(body, str | bytes) else json.dumps(body)})


def drain(consumer) -> int:
    total = 0
    while done := consumer.once(block_ms=10):
        total += done
    return total


@pytest.fixture
def hall(db_url, monkeypatch):
    with story(db_url, "2026-11-20 10:00") as made:
        yield made


@pytest.fixture
def consumer(hall, client):
    made = stream.Consumer(hall.app, stream.connect("redis://unused"), name="me")
    made.client = client
    made.once(block_ms=10)  # makes the group
    return made


def test_entries_become_events_and_are_acknowledged(hall, client, consumer):
    for n in range(3):
        add(client, hall.event("case.accepted", no=f"S{n}", kind="simple"))
    assert drain(consumer) == 3
    assert {r["no"] for r in hall.rows(tables.cases)} == {"S0", "S1", "S2"}
    assert client.xpending(stream.STREAM, stream.GROUP)["pending"] == 0
    assert {r["door"] for r in hall.rows(tables.inbox)} == {"stream"}


def test_entries_from_before_the_first_worker_count(hall, client):
    add(client, hall.event("case.accepted", kind="simple"))
    late = stream.Consumer(hall.app, client, name="late")
    late.once(block_ms=10)
    assert drain(late) == 1


def test_poison_goes_aside_with_its_reason_and_its_neighbours_go_on(hall, client, consumer):
    add(client, "not json")
    client.xadd(stream.STREAM, {"other": "x"})
    add(client, hall.event("case.accepted", no="BAD", kind="urgent"))
    add(client, hall.event("case.accepted", no="GOOD", kind="simple"))
    assert drain(consumer) == 4
    assert [r["no"] for r in hall.rows(tables.cases)] == ["GOOD"]
    reasons = [fields[b"reason"].decode() for _, fields in client.xrange(stream.DEAD)]
    assert len(reasons) == 3
    assert any("data.kind" in r for r in reasons)
    assert {k["status"] for k in hall.rows(tables.kept)} == {"invalid"}
    assert client.xpending(stream.STREAM, stream.GROUP)["pending"] == 0


def test_what_a_dead_worker_had_taken_is_taken_over(hall, client, consumer, monkeypatch):
    add(client, hall.event("case.accepted", kind="simple"))
    client.xreadgroup(stream.GROUP, "dead", {stream.STREAM: ">"})
    monkeypatch.setattr(stream, "IDLE_MS", 0)
    consumer._claim_at = 0.0
    assert drain(consumer) == 1
    assert hall.case()["state"] == "running"
    assert client.xpending(stream.STREAM, stream.GROUP)["pending"] == 0


def test_the_same_entry_twice_is_harmless(hall, client, consumer):
    event = hall.event("case.accepted", kind="simple")
    add(client, event)
    add(client, event)
    drain(consumer)
    assert len(hall.rows(tables.inbox)) == 1


def test_trimming_spares_what_nobody_has_taken_or_acknowledged(hall, client, consumer):
    add(client, hall.event("case.accepted", no="DONE", kind="simple"))
    drain(consumer)
    taken = add(client, hall.event("case.accepted", no="TAKEN", kind="simple"))
    client.xreadgroup(stream.GROUP, "slow", {stream.STREAM: ">"})
    new = add(client, hall.event("case.accepted", no="NEW", kind="simple"))
    consumer._trim_at = 0.0
    consumer._trim()
    left = [i for i, _ in client.xrange(stream.STREAM)]
    assert taken in left
    assert new in left


def test_a_flushed_broker_starts_the_group_anew(hall, client, consumer):
    client.flushdb()
    add(client, hall.event("case.accepted", kind="simple"))
    consumer.once(block_ms=10)
    assert drain(consumer) == 1


def test_the_loop_stops_when_told(hall, client, consumer):
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    add(client, hall.event("case.accepted", kind="simple"))
    for _ in range(200):
        if hall.rows(tables.cases):
            break
        stop.wait(0.05)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert hall.case()["state"] == "running"


def test_an_event_that_brings_out_a_fault_of_ours_is_put_aside_and_its_neighbours_go_on(
    hall, client, consumer, monkeypatch
):
    honest = taking.receive

    def receive(app, items, **how):
        if any(i.event is not None and i.event.subject == "BUG" for i in items):
            raise ZeroDivisionError
        return honest(app, items, **how)

    monkeypatch.setattr(taking, "receive", receive)
    for no in ("A", "BUG", "B"):
        add(client, hall.event("case.accepted", no=no, kind="simple"))
    assert drain(consumer) == 3
    assert sorted(r["no"] for r in hall.rows(tables.cases)) == ["A", "B"]
    (kept,) = hall.rows(tables.kept)
    assert "BUG" in kept["raw"]
    ((_, fields),) = client.xrange(stream.DEAD)
    assert fields[b"reason"].decode() == "服务处理这个事件时出错，原文已保留，请联系管理员。"
    assert client.xpending(stream.STREAM, stream.GROUP)["pending"] == 0


def test_how_far_the_stream_is_can_be_asked_without_a_broker(hall, client, consumer):
    assert streams.noted(hall.app) is None
    drain(consumer)
    assert streams.noted(hall.app).lag == 0
    add(client, hall.event("case.accepted", kind="simple"))
    add(client, "not json")
    state = streams.look(client, now=hall.now)
    assert (state.lag, state.pending, state.dead, state.length) == (2, 0, 0, 2)
    assert abs(state.oldest_at - systime.now()) < timedelta(minutes=1)
    client.xreadgroup(stream.GROUP, "slow", {stream.STREAM: ">"}, count=1)
    assert (streams.look(client, now=hall.now).lag, streams.look(client, now=hall.now).pending) == (1, 1)
    drain(consumer)
    consumer._state_at = 0.0
    consumer._tell()
    noted = streams.noted(hall.app)
    assert (noted.lag, noted.pending, noted.dead, noted.oldest_at) == (0, 1, 1, None)


def test_lag_is_counted_where_redis_cannot_tell_it(hall, client, consumer):
    gone = add(client, hall.event("case.accepted", kind="simple"))
    add(client, hall.event("case.signed"))
    client.xdel(stream.STREAM, gone)
    assert streams.look(client, now=hall.now).lag == 1


def test_what_was_put_aside_can_be_repeated_when_its_reason_is_gone(hall, client, consumer):
    add(client, {**hall.event("case.accepted", no="LATE", kind="simple"), "source": "new"})
    client.xadd(stream.STREAM, {"other": "x"})
    drain(consumer)
    newest, oldest = streams.dead(client, limit=10)
    assert "没有字段 event" in newest.reason
    assert "来源 new 没有登记" in oldest.reason
    assert not streams.repeat(client, newest)
    with hall.app.db.write() as conn:
        sources.add(conn, "new", hall="main", test=False, go_live=hall.now, now=hall.now)
    assert streams.repeat(client, oldest)
    drain(consumer)
    assert [r["no"] for r in hall.rows(tables.cases)] == ["LATE"]
    assert [d.id for d in streams.dead(client, limit=10)] == [newest.id]


def test_names_of_readers_that_have_ended_go_but_never_one_with_entries_of_its_own(hall, client, consumer, monkeypatch):
    add(client, hall.event("case.accepted", kind="simple"))
    client.xreadgroup(stream.GROUP, "holds one", {stream.STREAM: ">"})
    client.xgroup_createconsumer(stream.STREAM, stream.GROUP, "gone")
    consumer._trim_at = 0.0
    consumer._trim()
    names = {c["name"].decode() for c in client.xinfo_consumers(stream.STREAM, stream.GROUP)}
    assert names >= {"gone", "holds one"}
    monkeypatch.setattr(stream, "GONE_MS", -1)
    consumer._trim_at = 0.0
    consumer._trim()
    assert {c["name"] for c in client.xinfo_consumers(stream.STREAM, stream.GROUP)} - {b"me"} == {b"holds one"}


def test_the_door_opens_when_the_database_comes_after_the_worker(hall, client, redis_url, monkeypatch):
    tries = []

    def build():
        tries.append(1)
        if len(tries) == 1:
            raise sa.exc.OperationalError("", {}, Exception("connection refused"))
        if len(tries) == 2:
            raise StoreError("sla db upgrade")
        return hall.app

    stop = threading.Event()
    hall.app.settings = hall.app.settings.model_copy(update={"broker_url": redis_url})
    for name, value in (("_app", None), ("build", build), ("_stop", stop), ("RETRY_SECONDS", 0.05)):
        monkeypatch.setattr(runtime, name, value)
    add(client, hall.event("case.accepted", kind="simple"))
    thread = threading.Thread(target=runtime._open_stream)
    thread.start()
    for _ in range(200):
        if hall.rows(tables.cases):
            break
        stop.wait(0.05)
    stop.set()
    thread.join(30)
    assert hall.case()["state"] == "running"
    assert len(tries) == 3
