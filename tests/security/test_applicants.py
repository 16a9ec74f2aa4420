"""Applicants' data: sealed at rest, masked when shown, erased without a trace in figures or chain."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from builders import at
from pydantic import SecretStr
from story import make_app

from sla_service.domain import masking
from sla_service.errors import SlaError
from sla_service.services import audit, intake, personal
from sla_service.settings import Settings
from sla_service.store import sources, tables

NOW = at("2026-11-20 09:00")
KEY, NEXT = "k" * 40, "n" * 40
NAME, PHONE = "赵六六", "13800001234"


def _settings(key: str | None = KEY, old: str | None = None, **more) -> Settings:
    return Settings(data_key=SecretStr(key) if key else None, data_key_old=SecretStr(old) if old else None, **more)


@pytest.fixture
def app(db_url):
    made = make_app(db_url)
    made.settings = _settings()
    with made.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=NOW, now=NOW)
    yield made
    made.db.dispose()


def _event(no: str = "A", event_id: str = "1", type_: str = "case.accepted", time=NOW, **data) -> dict:
    if type_ == "case.accepted":
        data = {"kind": "simple", "applicant": {"name": NAME, "phone": PHONE, "id_card": "x"}, **data}
    head = {"specversion": "1.0", "id": event_id, "source": "hall", "type": type_, "subject": no}
    return {**head, "time": time.isoformat(), "data": data}


def _send(app, *events, now=NOW) -> list[str]:
    read = [intake.read(e, now=now, source="hall") for e in events]
    return [r.status for r in intake.receive(app, read, now=now, door="http", source="hall")]


def _everything(app) -> str:
    """All that stands in the database, as one text."""
    with app.db.read() as conn:
        rows = [list(map(str, r)) for t in tables.metadata.sorted_tables for r in conn.execute(sa.select(t))]
    return json.dumps(rows, ensure_ascii=False)


def test_with_a_key_no_applicant_stands_readable_anywhere_in_the_database(app):
    broken = _event(no="B", event_id="2") | {"time": "yesterday"}
    assert _send(app, _event(), broken) == ["applied", "invalid"]
    text = _everything(app)
    assert NAME not in text
    assert json.dumps(NAME)[1:-1] not in text
    assert PHONE not in text


def test_what_is_sealed_is_shown_masked_without_the_key_and_whole_with_it_and_a_reason(app):
    _send(app, _event())
    with app.db.read() as conn:
        kept = conn.execute(sa.select(tables.inbox.c.data)).scalar_one()["applicant"]
    assert (kept["name"], kept["phone"]) == ("赵*", "138****1234")
    found = personal.show(app, "hall", "A", now=NOW, why="核对")
    assert found == [{"event": "1", "name": NAME, "phone": PHONE, "id_card": "x"}]
    with app.db.read() as conn:
        noted = conn.execute(sa.select(tables.audit).where(tables.audit.c.what == "applicant.show")).mappings().one()
    assert (noted["subject"], noted["detail"]) == ("hall/A", {"why": "核对"})


def test_a_repeat_of_a_sealed_event_is_still_a_duplicate(app):
    assert _send(app, _event()) == ["applied"]
    assert _send(app, _event()) == ["duplicate"]
    assert _send(app, _event(title="x")) == ["conflict"]


def test_a_new_key_opens_what_the_old_one_sealed_and_seals_it_anew(app):
    _send(app, *(_event(no=f"A{n}", event_id=str(n)) for n in range(30)))
    app.settings = _settings(NEXT)
    with pytest.raises(SlaError, match="SLA_DATA_KEY_OLD"):
        personal.show(app, "hall", "A1", now=NOW, why="核对")
    app.settings = _settings(NEXT, old=KEY)
    assert personal.show(app, "hall", "A1", now=NOW, why="核对")[0]["name"] == NAME
    assert personal.reseal(app, now=NOW) == 30
    assert personal.reseal(app, now=NOW) == 0
    app.settings = _settings(NEXT)
    assert personal.show(app, "hall", "A1", now=NOW, why="核对")[0]["name"] == NAME


def test_bodies_that_could_not_become_events_go_over_to_the_new_key_too(app):
    broken = _event(event_id="2") | {"time": "yesterday"}
    assert _send(app, _event(), broken) == ["applied", "invalid"]
    app.settings = _settings(NEXT, old=KEY)
    assert personal.reseal(app, now=NOW) == 2
    assert personal.reseal(app, now=NOW) == 0
    app.settings = _settings(NEXT)
    with app.db.read() as conn:
        row = conn.execute(sa.select(tables.kept)).mappings().one()
    assert PHONE in personal.opened_raw(app.settings, row["source"], row["id"], row["raw"])
    assert personal.erase(app, "hall", "A", now=NOW) == 2


def test_what_came_before_there_was_a_key_is_sealed_by_the_same_command(app):
    app.settings = _settings(None)
    _send(app, _event())
    assert PHONE in _everything(app)
    app.settings = _settings()
    assert personal.reseal(app, now=NOW) == 1
    assert PHONE not in _everything(app)


def test_a_sealed_text_moved_to_another_row_or_changed_does_not_open():
    box = personal.Vault(KEY)
    sealed = box.seal("secret", "a")
    assert box.open(sealed, "a") == "secret"
    for wrong, place in ((sealed, "b"), (sealed[:-6] + "AAAA==", "a")):
        with pytest.raises(SlaError):
            box.open(wrong, place)


def test_erased_is_erased_everywhere_and_neither_due_date_nor_chain_moves(app):
    app.settings = _settings(None)  # the worse case: everything in the clear
    _send(app, _event(), _event(no="B", event_id="2"))
    _send(app, _event(event_id="3") | {"time": "yesterday"}, _event(type_="case.closed", event_id="1", outcome="x"))
    audit.seal(app, now=NOW)
    before = _cases(app)
    assert personal.erase(app, "hall", "A", now=NOW) == 3
    text = _everything(app)
    assert text.count(PHONE) == 1  # B's
    assert _cases(app) == before
    closing = _event(event_id="9", type_="case.closed", time=NOW, outcome="resolved", replied_at=NOW.isoformat())
    assert _send(app, closing) == ["applied"]
    audit.seal(app, now=NOW)
    assert audit.verify(app).findings == ()


def _cases(app):
    with app.db.read() as conn:
        return [dict(r) for r in conn.execute(sa.select(tables.cases).order_by(tables.cases.c.no)).mappings()]


def test_applicants_of_cases_closed_long_ago_go_by_themselves(app):
    app.settings = _settings(None, applicant_days=100)
    close = {"type_": "case.closed", "outcome": "resolved", "replied_at": NOW.isoformat()}
    _send(app, _event(), _event(no="B", event_id="2"), _event(event_id="3", **close))
    assert personal.expire(app, now=NOW + timedelta(days=99)) == 0
    assert personal.expire(app, now=NOW + timedelta(days=101)) == 1
    text = _everything(app)
    assert text.count(PHONE) == 1  # B still runs


def test_bodies_that_could_not_become_events_go_by_themselves_too(app):
    app.settings = _settings(None, applicant_days=100)
    broken = {"time": "yesterday"}
    assert _send(app, _event(event_id="1") | broken) == ["invalid"]
    later = NOW + timedelta(days=50)
    assert _send(app, _event(event_id="2") | broken, now=later) == ["invalid"]
    assert personal.expire(app, now=NOW + timedelta(days=99)) == 0
    assert personal.expire(app, now=NOW + timedelta(days=101)) == 1
    assert _everything(app).count(PHONE) == 1
    assert personal.expire(app, now=later + timedelta(days=101)) == 1
    assert PHONE not in _everything(app)
    assert personal.expire(app, now=later + timedelta(days=102)) == 0


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"name": "赵六", "phone": "13800000000"}, {"name": "赵*", "phone": "138****0000"}),
        ({"name": "赵*", "phone": "138****0000"}, {"name": "赵*", "phone": "138****0000"}),
        ({"name": "欧阳修", "phone": "138 0000-0000"}, {"name": "欧*", "phone": "138****0000"}),
        ({"phone": "12345"}, {"phone": "****"}),
        ({"name": "赵六", "id_card": "3301…", "sealed": "v1"}, {"name": "赵*"}),
        ({}, {}),
    ],
)
def test_masked_is_masked_once_and_for_all(given, shown):
    assert masking.applicant(given) == shown
    assert masking.applicant(masking.applicant(given)) == shown
