"""The machine under the service: a full disk, a database that only reads, a clock set back, three time zones."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from arena import arena
from hall_files import person
from ledger import Row, settle

from sla_service.store import inbox, tables

pytestmark = pytest.mark.slow
LONG = pytest.mark.long_form


@LONG
def test_a_full_disk_is_one_clear_answer_and_nothing_half_written(sqlite_url, redis_url, tmp_path, book):
    with arena(sqlite_url, redis_url, tmp_path) as field:
        web = field.web()
        assert field.post(field.event("case.accepted", "A1", handler=person(1)))[0] == 200
        process = psutil.Process(web.pid)
        _, most = process.rlimit(resource.RLIMIT_FSIZE)
        process.rlimit(resource.RLIMIT_FSIZE, (4096, most))  # the file system takes no more
        events = [field.event("case.accepted", f"B{n}", handler=person(1)) for n in range(50)]
        status, headers, body = field.post(events)
        assert (status, headers.get("retry-after") is not None) == (503, True), body
        assert "没有收下" in json.loads(body)["detail"]
        assert field.get("/healthz")[0] == 200
        assert _stored(field, events) == 0
        process.rlimit(resource.RLIMIT_FSIZE, (most, most))
        assert field.post(events)[0] == 200
        assert _stored(field, events) == 50
        assert sqlite3.connect(field.app.db.url.database).execute("PRAGMA integrity_check").fetchone() == ("ok",)
        book(Row("disk full", "sqlite", 0, 50, 50, 0, 0, 0, 0))


@LONG
def test_a_database_that_only_reads_is_one_clear_answer(pg_url, redis_url, tmp_path, book):
    with arena(pg_url, redis_url, tmp_path) as field:
        field.web()
        assert field.post(field.event("case.accepted", "A1", handler=person(1)))[0] == 200
        _read_only(pg_url, "on")
        event = field.event("case.accepted", "A2", handler=person(1))
        field.wait(lambda: field.post(event)[0] != 200)  # the first one may meet the connection that was cut
        status, headers, body = field.post(event)
        assert (status, headers.get("retry-after") is not None) == (503, True), body
        assert field.get("/v1/calendar/2026")[0] in (200, 401)
        _read_only(pg_url, "off")
        field.wait(lambda: field.post(event)[0] == 200)
        assert _stored(field, [event]) == 1
        book(Row("database reads only", "postgresql", 0, 1, 1, 0, 0, 0, 0))


def _read_only(url: str, how: str) -> None:
    """As after a failover to a standby: the server is there and takes nothing."""
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    name = url.rpartition("/")[2]
    with psycopg.connect(plain, autocommit=True, options="-c default_transaction_read_only=off") as conn:
        conn.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {how}')
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )


def _stored(field, events) -> int:
    field.app.db.engine.dispose()
    with field.app.db.read() as conn:
        return len(inbox.by_id(conn, [("hall", e["id"]) for e in events]))


@LONG
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_clock_set_back_an_hour_tells_nobody_twice_and_nobody_less(kind, url, redis_url, tmp_path, book):
    with arena(url, redis_url, tmp_path, people=20) as field:
        field.beat()
        field.worker()
        due = field.overdue(0, 10)
        field.settle()
        field.jump(-3600)
        due += field.overdue(10, 20)
        field.settle()
        row = settle(field, "clock back an hour", due, book)
        assert row.sent == row.due


@LONG
def test_in_three_time_zones_the_due_dates_are_the_same(tmp_path, book):
    lines = []
    for n in range(60):
        head = {"specversion": "1.0", "id": f"e{n}", "source": "hall", "subject": f"Z{n}"}
        when = f"2026-{1 + n % 12:02}-{1 + n % 28:02}T{n % 24:02}:30:00+08:00"
        data = {"kind": ("simple", "complex", "special")[n % 3], "handler": "zhangsan"}
        lines.append(json.dumps({**head, "type": "case.accepted", "time": when, "data": data}))
    (tmp_path / "events.jsonl").write_text("\n".join(lines), "utf-8")
    found = [_due_dates(tmp_path, zone) for zone in ("UTC", "Asia/Shanghai", "America/New_York")]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 60
    book(Row("three time zones", "sqlite", 0, 60, 60, 0, 0, 0, 0))


def _due_dates(folder, zone: str) -> list[tuple]:
    path = folder / f"{zone.replace('/', '-')}.db"
    env = {"TZ": zone, "SLA_DATABASE_URL": f"sqlite:///{path}", "PATH": "/usr/bin:/bin", "SLA_CLOCK_SHIFT": "31536000"}
    argv = [sys.executable, "-m", "sla_service", "ingest", str(folder / "events.jsonl"), "--source", "hall", "--silent"]
    done = subprocess.run(argv, cwd=folder, env={**_python(), **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    engine = sa.create_engine(f"sqlite:///{path}")
    k = tables.clocks.c
    with engine.connect() as conn:
        rows = [tuple(r) for r in conn.execute(sa.select(k.no, k.due_on, k.due_latest_at, k.next_at).order_by(k.no))]
    engine.dispose()
    return rows


def _python() -> dict[str, str]:
    from arena import ROOT

    return {"PYTHONPATH": str(ROOT)}
