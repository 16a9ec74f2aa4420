"""All doors, one state: any history through HTTP, stream, Celery and file, twice and shuffled, as if once in order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from builders import at
from door import Door, open_door
from histories import EARLY, NEAR, events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla_service import systime
from sla_service.services import file_input, files_in, intake
from sla_service.store import tables, wiping
from tasks import intake as celery_door
from tasks import runtime, stream

NOW = "2027-03-02 10:00"  # after everything that a history holds
#: When it was looked at and whom messages found on the way, not what it is.
OWN = frozenset(("updated_at", "watermark", "next_at", "breached_at", "falls"))


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """CloudEvents of two cases with ids of their own, nearly always with their acceptances."""
    ids = st.sampled_from([f"e{n}" for n in range(12)])
    drawn = draw(st.lists(events(ids, times=NEAR), max_size=12))
    for n in range(draw(st.integers(0, 2))):
        drawn.append(draw(events(st.just(f"start{n}"), st.just("case.accepted"), EARLY)))
    only = {e.id: e for e in drawn}.values()
    return [_raw(e, f"S{draw(st.integers(1, 2))}") for e in only]


def _raw(event: Any, no: str) -> dict[str, Any]:
    head = {"specversion": "1.0", "source": "hall", "id": event.id, "type": event.type, "subject": no}
    return {**head, "time": event.time.isoformat(), "data": dict(event.data)}


class Doors:
    """The four doors of one hall."""

    def __init__(self, door: Door, client: redis.Redis, folder: Path) -> None:
        self.door, self.client, self.folder = door, client, folder
        self.consumer = stream.Consumer(door.hall.app, client, name="me")
        self.consumer.once(block_ms=10)

    def http(self, batch: list[dict[str, Any]]) -> None:
        for one in batch:
            assert self.door.post(one).status_code == 200

    def http_batch(self, batch: list[dict[str, Any]]) -> None:
        assert self.door.post(batch, "application/cloudevents-batch+json").status_code == 200

    def stream(self, batch: list[dict[str, Any]]) -> None:
        for one in batch:
            self.client.xadd(stream.STREAM, {"event": json.dumps(one)})
        while self.consumer.once(block_ms=1):
            pass

    def celery(self, batch: list[dict[str, Any]]) -> None:
        celery_door.ingest.run(batch)

    def file(self, batch: list[dict[str, Any]]) -> None:
        path = self.folder / "e.jsonl"
        path.write_text("\n".join(map(json.dumps, batch)), "utf-8")
        watch = files_in.Watch(lambda *_: None, lambda _: None, lambda *_: None)
        with file_input.opened(str(path), None) as found:  # type: ignore[arg-type]
            files_in.take(self.door.hall.app, found, files_in.Wish(), self.folder / "r", watch, now=at(NOW))

    def state(self) -> Any:
        hall = self.door.hall
        cases = [{k: v for k, v in r.items() if k not in OWN} for r in hall.rows(tables.cases)]
        clocks = [{k: v for k, v in r.items() if k not in OWN} for r in hall.rows(tables.clocks)]
        inbox = sorted((r["id"], r["no"], r["status"], r["problem"]) for r in hall.rows(tables.inbox))
        return sorted(map(_text, cases)), sorted(map(_text, clocks)), inbox

    def empty(self) -> None:
        with self.door.hall.app.db.write() as conn:
            wiping.wipe(conn, "hall")
            conn.execute(sa.delete(tables.facts))


def _text(row: Any) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False, default=str)


@pytest.fixture
def doors(db_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    shift = at(NOW) - systime.now()
    monkeypatch.setattr(systime, "shift", lambda: shift)
    with open_door(db_url, NOW) as door, redis.Redis.from_url(redis_url) as client:
        monkeypatch.setattr(runtime, "_app", door.hall.app)
        yield Doors(door, client, tmp_path)


@given(history=histories(), rng=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_through_all_doors_is_what_it_is_in_order(
    doors: Doors, history: list[dict[str, Any]], rng: random.Random
) -> None:
    doors.empty()
    ordered = sorted(history, key=lambda e: (datetime.fromisoformat(e["time"]), e["id"]))
    for one in ordered:
        read = intake.read(one, now=at(NOW))
        intake.receive(doors.door.hall.app, [read], now=at(NOW), door="test")
    wanted = doors.state()
    doors.empty()
    ways: list[Callable[[list[dict[str, Any]]], None]] = [
        doors.http,
        doors.http_batch,
        doors.stream,
        doors.celery,
        doors.file,
    ]
    parcels = [(way, [e for e in history if rng.random() < 0.4]) for way in ways]
    parcels.append((rng.choice(ways), list(history)))  # whatever was left out comes once more
    rng.shuffle(parcels)
    for way, parcel in parcels:
        rng.shuffle(parcel)
        if parcel:
            way(parcel)
    assert doors.state() == wanted
