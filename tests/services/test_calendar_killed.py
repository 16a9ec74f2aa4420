"""A real import, killed with signal 9 in the middle of its batches: the next command goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import at
from notices import BRIDGED_2027
from story import CONFIG, make_app

from sla_service import systime
from sla_service.services import calendar_force, calendar_watch, intake
from sla_service.store import sources, tables

ROOT = Path(__file__).parent.parent.parent
NOW = at("2026-12-28 10:00")
CASES = 3000
PEOPLE = ("zhangsan", "lisi", "wangwu")


@pytest.fixture
def app(db_url):
    """A hall with many running cases, each due on 2027-01-12 as far as anybody knows."""
    made = make_app(db_url, clock=lambda: NOW)
    made.calendars = calendar_force.open_calendars(made.db, made.config.directory, now=NOW)
    with made.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=NOW, now=NOW)
    for first in range(0, CASES, 500):
        intake.receive(made, [intake.read(event(n), now=NOW) for n in range(first, first + 500)], now=NOW, door="test")
    yield made
    made.channels.close()
    made.db.dispose()


def event(n):
    head = {"specversion": "1.0", "id": f"e{n}", "source": "hall", "type": "case.accepted", "subject": f"C-{n:04}"}
    data = {"kind": "complex", "department": "社会事务科", "handler": PEOPLE[n % 3]}
    return {**head, "time": NOW.isoformat(), "data": data}


def command(url, folder):
    notice = folder / "通知.txt"
    notice.write_text(BRIDGED_2027, encoding="utf-8")
    shift = (NOW - systime.now() + systime.shift()).total_seconds()
    plain = {k: v for k, v in os.environ.items() if not k.startswith("SLA_")}
    settings = {"SLA_DATABASE_URL": url, "SLA_CONFIG_DIR": str(CONFIG), "SLA_CLOCK_SHIFT": str(shift)}
    argv = [sys.executable, "-m", "sla_service", "calendar", "import", str(notice), "--apply", "--json"]
    return argv, {"env": {**plain, **settings, "PYTHONPATH": str(ROOT)}, "cwd": folder}


def under_new(app, conn):
    """How many cases stand under the 2027 notice; the date says so."""
    moved = tables.cases.c.due_on == at("2027-01-11").date()
    return conn.execute(sa.select(sa.func.count()).select_from(tables.cases).where(moved)).scalar_one()


def kill_when_begun(app, child):
    """With the first batch that is there; five more are to come."""
    while True:
        with app.db.read() as conn:
            begun = under_new(app, conn)
        if begun:
            child.send_signal(signal.SIGKILL)
            child.wait()
            return
        assert child.poll() is None, "it ended before anybody could kill it"
        time.sleep(0.002)


def test_an_import_killed_in_the_middle_is_finished_by_the_next_and_each_holder_is_told_once(app, db_url, tmp_path):
    argv, how = command(db_url, tmp_path)
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        kill_when_begun(app, child)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == -signal.SIGKILL
    with app.db.read() as conn:
        left = CASES - under_new(app, conn)
    assert 0 < left < CASES
    assert calendar_watch.standing(app, now=NOW, calendar="main").waiting == left

    again = subprocess.run(argv, capture_output=True, check=True, **how)
    said = json.loads(again.stdout)
    assert (said["recomputed"], said["failed"], said["versions"]) == (left, 0, {})

    with app.db.read() as conn:
        assert under_new(app, conn) == CASES
        journal = conn.execute(sa.select(tables.journal.c.no).where(tables.journal.c.what == "due_changed")).scalars()
        messages = conn.execute(sa.select(tables.messages.c.no, tables.messages.c.not_before)).all()
    assert sorted(journal) == sorted(f"C-{n:04}" for n in range(CASES))
    assert sorted(no for no, _ in messages) == sorted(f"C-{n:04}" for n in range(CASES))
    assert len({at for _, at in messages}) == 1  # all go at once: one envelope for each person
    assert calendar_watch.standing(app, now=NOW, calendar="main").waiting == 0
