"""Workers that hang past their lease, and more or fewer beats and workers than there should be."""

from __future__ import annotations

import signal
import threading

import pytest
import sqlalchemy as sa
from arena import arena
from ledger import settle

from sla_service.store import tables

pytestmark = pytest.mark.slow
LONG = pytest.mark.long_form


def test_a_worker_stopped_past_its_lease_comes_back_and_its_late_record_is_fenced_off(
    pg_url, redis_url, tmp_path, book
):
    with arena(pg_url, redis_url, tmp_path, people=10) as field:
        due = field.overdue(0, 10)
        field.stub.control(latency=1.5)
        sleeper = field.worker()
        for _ in range(40):
            field.wait(lambda: _calling(field))
            sleeper.send_signal(signal.SIGSTOP)
            if not _in_transaction(field):
                break
            sleeper.send_signal(signal.SIGCONT)  # it would hold its locks: that is the database's time-out's affair
        field.stub.control(latency=0.0)
        field.worker()
        field.jump(100)
        field.settle()
        sleeper.send_signal(signal.SIGCONT)
        field.wait(lambda: "fenced off" in field.logs("worker0"))
        field.settle()
        settle(field, "stopped past its lease", due, book)
        assert sleeper.poll() is None


def _calling(field) -> bool:
    """Calls are on their way: the provider takes its time over each."""
    return bool(field.rows(sa.select(tables.deliveries.c.id).where(tables.deliveries.c.state == "sending").limit(1)))


def _in_transaction(field) -> bool:
    """Looks at the sleeper's connections: ours and the other worker's are not open yet or idle."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE '%in transaction%' AND datname = current_database()"
    with field.app.db.read() as conn:
        return bool(conn.execute(sa.text(query)).scalar_one())


@LONG
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("beats", "workers"), [(0, 1), (2, 4)], ids=["no beat", "two beats four workers"])
def test_however_many_beats_and_workers_each_message_goes_out_once(
    kind, url, beats, workers, redis_url, tmp_path, book
):
    with arena(url, redis_url, tmp_path, people=100) as field:
        due = field.overdue(0, 100)
        field.stub.control(latency=0.5)
        ticks = [threading.Thread(target=field.look) for _ in range(4)]  # the same tick, four times at once
        for tick in ticks:
            tick.start()
        for _ in range(beats):
            field.beat()
        for _ in range(workers):
            field.worker()
        for tick in ticks:
            tick.join()
        field.settle()
        _clocks_of_yesterday(field)
        field.look()
        field.settle()
        row = settle(field, f"{beats} beats, {workers} workers", due, book)
        assert row.sent == row.due


def _clocks_of_yesterday(field) -> None:
    """As after a restored backup, or a look that was lost: every step lies ahead again. The dedupe key remembers."""
    k = tables.clocks.c
    with field.app.db.write() as conn:
        conn.execute(tables.clocks.update().values(watermark=k.started_at, next_at=field.now))
