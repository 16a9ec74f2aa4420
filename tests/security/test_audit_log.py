"""The audit log: what is in it, and that one changed, missing or inserted row is found."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from builders import at
from story import make_app

from sla_service.errors import SlaError
from sla_service.services import audit, intake, sources
from sla_service.settings import Settings
from sla_service.store import audit as rows
from sla_service.store import tables

NOW = at("2026-11-20 09:00")
A, B = tables.audit, tables.audit_blocks


@pytest.fixture(params=["sha256", "sm3"])
def app(request, db_url):
    made = make_app(db_url)
    made.settings = Settings(audit_hash=request.param)
    yield made
    made.db.dispose()


def _fill(app, blocks: int = 3, each: int = 4) -> None:
    for b in range(blocks):
        with app.db.write() as conn:
            for n in range(each):
                audit.note(conn, NOW, "cli:test", "source.add", f"s{b}-{n}", hall="main")
        assert audit.seal(app, now=NOW + timedelta(minutes=b)) == each


def _texts(app) -> list[tuple[int, int | None]]:
    return [(f.block, f.seq) for f in audit.verify(app).findings]


def _do(app, statement) -> None:
    with app.db.write() as conn:
        conn.execute(statement)


def test_an_untouched_log_verifies(app):
    _fill(app)
    found = audit.verify(app)
    assert (found.findings, found.blocks, found.rows, found.unsealed) == ((), 3, 12, 0)


@pytest.mark.parametrize("change", [{"who": "cli:other"}, {"result": "failed"}, {"at": NOW + timedelta(seconds=1)},
                                    {"subject": "x"}, {"what": "x"}, {"detail": {"hall": "b"}}])  # fmt: skip
def test_one_changed_column_of_one_row_is_found(app, change):
    _fill(app)
    _do(app, A.update().where(A.c.seq == 6).values(**change))
    assert _texts(app) == [(2, 6)]


def test_one_missing_row_is_found_wherever_it_stood(app):
    _fill(app)
    _do(app, A.delete().where(A.c.seq == 6))
    assert _texts(app) == [(2, 7)]
    _do(app, A.delete().where(A.c.seq == 4))  # the last of its block
    assert _texts(app)[0] == (1, None)


def test_one_inserted_row_is_found(app):
    _fill(app)
    row = rows.entry(NOW, "cli:test", "source.add", "slipped in", "ok") | {"block": 2, "hash": "0" * 64}
    _do(app, A.insert().values(**row))
    assert _texts(app) == [(2, 13)]


def test_a_row_in_a_block_that_nobody_sealed_is_found(app):
    _fill(app)
    row = rows.entry(NOW, "cli:test", "source.add", "slipped in", "ok") | {"block": 9, "hash": "0" * 64}
    _do(app, A.insert().values(**row))
    assert _texts(app) == [(9, None)]


def test_a_block_taken_out_with_its_rows_is_found(app):
    _fill(app)
    _do(app, A.delete().where(A.c.block == 2))
    _do(app, B.delete().where(B.c.n == 2))
    assert (3, None) in _texts(app)


def test_a_chain_cut_at_its_end_is_found_with_a_head_kept_elsewhere(app):
    _fill(app)
    head = audit.verify(app).head
    _do(app, A.delete().where(A.c.block == 3))
    _do(app, B.delete().where(B.c.n == 3))
    assert audit.verify(app).findings == ()
    assert [f.block for f in audit.verify(app, expect=head).findings] == [2]


def test_old_rows_go_and_the_chain_still_verifies_but_not_before_180_days(app):
    _fill(app)
    with pytest.raises(SlaError, match="180"):
        audit.prune(app, days=179, now=NOW + timedelta(days=400))
    assert audit.prune(app, days=180, now=NOW + timedelta(days=181)) == 12
    audit.seal(app, now=NOW + timedelta(days=181))
    found = audit.verify(app)
    assert (found.findings, found.pruned, found.rows) == ((), 3, 1)
    _do(app, B.update().where(B.c.n == 4).values(pruned_at=NOW + timedelta(days=182)))
    _do(app, A.delete())
    assert _texts(app) == [(4, None)]


def test_the_setting_cannot_go_below_180_days():
    with pytest.raises(ValueError, match="180"):
        Settings(audit_days=179)


def test_four_writers_and_four_sealers_at_once_leave_one_whole_chain(app):
    def work(n: int) -> None:
        for i in range(10):
            with app.db.write() as conn:
                audit.note(conn, NOW, f"cli:{n}", "test", str(i))
            audit.seal(app, now=NOW)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit.seal(app, now=NOW)
    found = audit.verify(app)
    assert (found.findings, found.rows, found.unsealed) == ((), 40, 0)


def test_events_keys_and_changes_are_noted_with_who_and_result_and_without_applicants(app):
    sources.add(app, "hall", hall="main", test=False, go_live=NOW, now=NOW)
    sources.rotate(app, "hall", overlap=timedelta(hours=1), now=NOW)
    data = {"kind": "simple", "applicant": {"name": "赵六", "phone": "13800000000"}}
    event = {"specversion": "1.0", "id": "1", "source": "hall", "type": "case.accepted", "subject": "A",
             "time": NOW.isoformat(), "data": data}  # fmt: skip
    read = [intake.read(e, now=NOW, source="hall") for e in (event, event, {"id": "\x00bad"})]
    intake.receive(app, read, now=NOW, door="http", source="hall")
    with app.db.read() as conn:
        found = [dict(r) for r in conn.execute(sa.select(A).order_by(A.c.seq)).mappings()]
    assert [(r["what"], r["subject"]) for r in found] == [
        ("source.add", "hall"),
        ("source.rotate", "hall"),
        ("events", "http"),
    ]
    assert found[2]["who"] == "source:hall"
    assert found[2]["result"] == "applied=1 duplicate=1 invalid=1"
    assert all(r["who"].startswith("cli:") for r in found[:2])
    assert "赵六" not in str(found)
    assert "13800000000" not in str(found)


def test_sm3_is_the_standard_s_own():
    """GB/T 32905-2016, example 1."""
    wanted = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert rows.digest("sm3", "abc") == wanted
