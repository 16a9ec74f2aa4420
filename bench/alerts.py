"""Alerts: 6,000 due at once within 30 s, and 100 a second that each wait no longer than a tick and a second.

Real databases with durability on, worker processes, and a WeCom of its own process that takes 50 ms per call. Counted
is the whole way: found by the tick, claimed, rendered, taken by the provider, recorded. ``python bench/alerts.py
[--quick] [--cases 6000] [--rate 100]``; the broker's part of the way (a few milliseconds) is left out.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

import sqlalchemy as sa  # noqa: E402
from builders import at  # noqa: E402
from common import Line, arguments, databases, dump, table  # noqa: E402
from story import CONFIG  # noqa: E402
from stub_provider.client import StubClient  # noqa: E402

from sla_service.calendars.layers import default_calendar  # noqa: E402
from sla_service.domain.directory import Directory, Person  # noqa: E402
from sla_service.services import dispatch, intake, ticking  # noqa: E402
from sla_service.services.app import App, Calendars  # noqa: E402
from sla_service.services.channels import Channels  # noqa: E402
from sla_service.services.config import Config, load_config  # noqa: E402
from sla_service.settings import Settings  # noqa: E402
from sla_service.store import migrate, sources, tables  # noqa: E402
from sla_service.store.engine import Database  # noqa: E402

ACCEPTED, DUE = "2026-11-20 10:12", "2026-11-26 09:05"
BATCH = 1000
SPAWN = mp.get_context("spawn")


def config(n: int, stub: str) -> Config:
    """Each case has a handler of its own: nothing is bundled away."""
    found = load_config(CONFIG)
    people = tuple(Person(f"p{i}", f"员工{i}", wecom=f"p{i}", department="社会事务科") for i in range(n))
    target = found.policy.targets[0]
    breach = next(s for s in target.ladder if s.key == "breach")
    only = replace(breach, to=("handler",), via=("wecom",), all=False)
    url = f"wecomapp://ww1:stub-secret@1000002/?base={stub}"
    return replace(
        found,
        policy=replace(found.policy, version="bench", targets=(replace(target, ladder=(only,)),)),
        directory=Directory(people),
        channels={"wecom": replace(found.channels["wecom"], url=url)},
    )


def application(database: str, n: int, stub: str, clock: Any) -> App:
    db = Database(database)
    conf = config(n, stub)
    return App(Settings(), db, conf, Calendars(default_calendar()), Channels(conf.channels, db, {}, clock=clock))


def worker(database: str, n: int, stub: str, gate: Any, calls: Any) -> None:
    begun: list[float] = []

    def clock() -> datetime:
        return at(DUE) + timedelta(seconds=time.monotonic() - begun[0] if begun else 0)

    app = application(database, n, stub, clock)
    app.channels.open("wecom")
    gate.wait()
    begun.append(time.monotonic())
    calls.put(dispatch.deliver(app, "wecom", clock=clock))


def accept(app: App, n: int) -> None:
    now = at(ACCEPTED)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=now, now=now)
    for begin in range(0, n, BATCH):
        events = [
            {
                "specversion": "1.0",
                "id": f"e{i}",
                "source": "hall",
                "type": "case.accepted",
                "subject": f"BBC-{i:05}",
                "time": now.isoformat(),
                "data": {"kind": "simple", "title": "诊所名称核准", "department": "社会事务科", "handler": f"p{i}"},
            }
            for i in range(begin, min(begin + BATCH, n))
        ]
        intake.receive(app, [intake.read(e, now=now) for e in events], now=now, door="bench")


@contextmanager
def hall(database: str, n: int, latency: float) -> Iterator[tuple[App, str]]:
    """A migrated database with n accepted cases, and the provider."""
    migrate.upgrade(database)
    command = [sys.executable, "-m", "tests.stub_provider", "--latency", str(latency)]
    stub = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    try:
        base = stub.stdout.readline().strip()
        app = application(database, n, base, lambda: at(DUE))
        accept(app, n)
        yield app, base
        app.channels.close()
        app.db.dispose()
    finally:
        stub.terminate()
        stub.wait()


def at_once(database: str, where: str, o: argparse.Namespace) -> Line:
    """All cases are due in one instant: how long until the provider has taken the last message?"""
    n = o.cases
    with hall(database, n, o.latency / 1000) as (app, base):
        begun = time.perf_counter()
        done = ticking.fire_due(app, now=at(DUE))
        ticked = time.perf_counter() - begun
        gate, calls = SPAWN.Barrier(o.workers + 1), SPAWN.Queue()
        workers = [SPAWN.Process(target=worker, args=(database, n, base, gate, calls)) for _ in range(o.workers)]
        for process in workers:
            process.start()
        gate.wait()
        begun = time.perf_counter()
        counts = [calls.get() for _ in workers]
        took = time.perf_counter() - begun
        shown = StubClient(base).stats["shown"]
        for process in workers:
            process.join()
        if not shown == done.messages == sum(counts) == n:
            raise SystemExit(f"{where}: {n} cases, {done.messages} messages, {sum(counts)} calls, {shown} shown")
        log(o, f"{where}: tick {ticked:.1f} s, calls per worker {counts}, {n / took:.0f}/s, each shown once")
        total = ticked + took
        goal = 30 * n / 6000
    return Line(f"{where}: {n} due at once, {o.workers} workers", total, goal, "s", total / goal, 1.0, most=True)


# -- latency under a steady load --------------------------------------------------------------------------------


def beat(database: str, n: int, stub: str, start: float, end: float, tick: float, bells: list[Any]) -> None:
    """What ``sla.tick`` does, every ``tick`` seconds: fire, then ring for the workers."""
    app = application(database, n, stub, lambda: virtual(start))
    at_ = start
    while at_ < end:
        at_ += tick
        time.sleep(max(0.0, at_ - time.monotonic()))
        ticking.fire_due(app, now=virtual(start))
        for bell in bells:
            bell.set()


def virtual(start: float) -> datetime:
    return at(DUE) + timedelta(seconds=time.monotonic() - start)


def answering(database: str, n: int, stub: str, start: float, end: float, bell: Any) -> None:
    app = application(database, n, stub, lambda: virtual(start))
    app.channels.open("wecom")
    while time.monotonic() < end:
        if bell.wait(0.2):
            bell.clear()
            dispatch.deliver(app, "wecom", clock=lambda: virtual(start))


def steady(database: str, where: str, o: argparse.Namespace) -> list[Line]:
    """Cases fall due one after the other: how long from then until the provider has taken the message?"""
    n = o.rate * o.seconds
    with hall(database, n, o.latency / 1000) as (app, base):
        first = at(DUE) + timedelta(seconds=1)
        with app.db.write() as conn:
            rows = [{"k": f"BBC-{i:05}", "t": first + timedelta(seconds=i / o.rate)} for i in range(n)]
            mine = tables.clocks.update().where(tables.clocks.c.no == sa.bindparam("k"))
            conn.execute(mine.values(next_at=sa.bindparam("t")), rows)
        start = time.monotonic() + 3  # the processes need a moment to come up
        fired = start + o.seconds + 2 * o.tick
        bells = [SPAWN.Event() for _ in range(o.workers)]
        given = (database, n, base, start)
        parts = [SPAWN.Process(target=answering, args=(*given, fired + o.tick, bell)) for bell in bells]
        parts.append(SPAWN.Process(target=beat, args=(*given, fired, o.tick, bells)))
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        with app.db.read() as conn:
            taken = sa.select(tables.messages.c.no, tables.attempts.c.finished_at).join(
                tables.attempts, tables.attempts.c.delivery == tables.messages.c.delivery
            )
            finished = {row.no: row.finished_at for row in conn.execute(taken)}
    waits = sorted((finished[row["k"]] - row["t"]).total_seconds() for row in rows if row["k"] in finished)
    if len(waits) != n:
        raise SystemExit(f"{where}: {n} cases, {len(waits)} messages taken")
    p50, p99 = (waits[min(n - 1, int(n * share))] for share in (0.5, 0.99))
    log(
        o,
        f"{where}: {o.rate}/s for {o.seconds} s, tick {o.tick} s: p50 {p50:.2f} s, p99 {p99:.2f} s, {waits[-1]:.2f} s",
    )
    goal = o.tick + 1
    what = f"{where}: p99 from due to accepted, {o.rate}/s, tick {o.tick:g} s"
    return [Line(what, p99, goal, "s", p99 / goal, 1.0, most=True)]


def log(o: argparse.Namespace, text: str) -> None:
    if not o.json:
        print(text, flush=True)


def main() -> None:
    o = arguments(__doc__, cases=6000, workers=2, latency=50, rate=100, seconds=30, tick=5)
    if o.quick:
        o.cases, o.seconds = 1000, 10
    lines: list[Line] = []
    for part in (lambda *a: [at_once(*a)], steady):
        with databases() as urls:
            for where, url in urls.items():
                lines += part(url, where, o)
    dump(lines) if o.json else table(lines)


if __name__ == "__main__":
    main()
