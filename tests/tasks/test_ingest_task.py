"""``sla.ingest``: its message is the event, so nothing may become of it but a row in the database or another try."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from celery import Celery
from processes import hall as real_hall
from servers import free_port
from story import story

from sla_service.services import taking
from sla_service.store import tables
from tasks import intake as door
from tasks import runtime


@pytest.fixture
def hall(db_url, monkeypatch):
    with story(db_url, "2026-11-20 10:00") as made:
        monkeypatch.setattr(runtime, "_app", made.app)
        yield made


def test_one_event_or_a_list_is_taken_and_what_does_not_fit_is_kept(hall):
    door.ingest.run(hall.event("case.accepted", no="A", kind="simple"))
    door.ingest.run([hall.event("case.accepted", no="B", kind="simple"), {"id": "x"}, "no event at all"])
    assert sorted(r["no"] for r in hall.rows(tables.cases)) == ["A", "B"]
    assert {r["door"] for r in hall.rows(tables.inbox)} == {"celery"}
    assert len(hall.rows(tables.kept)) == 2


def test_an_event_that_brings_out_a_fault_of_ours_is_kept_and_its_neighbours_go_on(hall, monkeypatch):
    honest = taking.receive

    def receive(app, items, **how):
        if any(i.event is not None and i.event.subject == "BUG" for i in items):
            raise ZeroDivisionError
        return honest(app, items, **how)

    monkeypatch.setattr(taking, "receive", receive)
    door.ingest.run([hall.event("case.accepted", no=no, kind="simple") for no in ("A", "BUG", "B")])
    assert sorted(r["no"] for r in hall.rows(tables.cases)) == ["A", "B"]
    (kept,) = hall.rows(tables.kept)
    assert "BUG" in kept["raw"]
    assert kept["problem"] == taking.FAULT


@pytest.mark.slow
def test_a_message_outlives_a_worker_that_is_stopped_while_the_database_is_away(sqlite_url, redis_url, tmp_path):
    with real_hall(sqlite_url, redis_url, tmp_path) as field, Celery(broker=redis_url) as sender:
        there, field.env["SLA_DATABASE_URL"] = sqlite_url, f"postgresql://nobody@127.0.0.1:{free_port()}/away"
        first = field.worker()
        field.wait(lambda: " ready." in field.logs())
        head = {"specversion": "1.0", "id": "1", "source": "hall", "type": "case.accepted", "subject": "S"}
        event = {**head, "time": field.began.isoformat(), "data": {}}
        sender.send_task("sla.ingest", args=[event], queue="intake")
        field.wait(lambda: "sla.ingest[" in field.logs())
        first.terminate()
        first.wait(90)
        field.env["SLA_DATABASE_URL"] = there
        field.worker()
        field.wait(lambda: _inbox(field) == ["1"])


def _inbox(field):
    with field.app.db.read() as conn:
        return list(conn.execute(sa.select(tables.inbox.c.id)).scalars())
