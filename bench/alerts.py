"""6,000 escalations due at once: found, claimed, rendered and accepted by a WeCom that takes 50 ms per call.

``python bench/alerts.py [--cases 6000] [--workers 2] [--sqlite]``: real PostgreSQL (or SQLite), worker processes, and
the stub provider in a process of its own. The goal is 30 seconds with two workers.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from builders import at  # noqa: E402
from servers import Postgres  # noqa: E402
from story import CONFIG  # noqa: E402
from stub_provider.client import StubClient  # noqa: E402

from sla_service.calendars.layers import default_calendar  # noqa: E402
from sla_service.domain.directory import Directory, Person  # noqa: E402
from sla_service.services import dispatch, intake, ticking  # noqa: E402
from sla_service.services.app import App, Calendars  # noqa: E402
from sla_service.services.channels import Channels  # noqa: E402
from sla_service.services.config import Config, load_config  # noqa: E402
from sla_service.settings import Settings  # noqa: E402
from sla_service.store import migrate, sources  # noqa: E402
from sla_service.store.engine import Database  # noqa: E402

ACCEPTED, DUE = "2026-11-20 10:12", "2026-11-26 09:05"
BATCH = 1000


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=6000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--sqlite", action="store_true")
    o = parser.parse_args()
    with ExitStack() as stack:
        if o.sqlite:
            database = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/sla.db"
        else:
            database = stack.enter_context(Postgres()).url
        migrate.upgrade(database)
        command = [sys.executable, "-m", "tests.stub_provider", "--latency", str(o.latency)]
        stub = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
        stack.callback(stub.terminate)
        base = stub.stdout.readline().strip()
        app = application(database, o.cases, base, lambda: at(DUE))
        accept(app, o.cases)
        begun = time.perf_counter()
        done = ticking.fire_due(app, now=at(DUE))
        ticked = time.perf_counter() - begun
        gate, calls = mp.get_context("spawn").Barrier(o.workers + 1), mp.get_context("spawn").Queue()
        args = (database, o.cases, base, gate, calls)
        workers = [mp.get_context("spawn").Process(target=worker, args=args) for _ in range(o.workers)]
        for process in workers:
            process.start()
        gate.wait()
        begun = time.perf_counter()
        counts = [calls.get() for _ in workers]
        took = time.perf_counter() - begun
        shown = StubClient(base).stats["shown"]
        where = "SQLite" if o.sqlite else "PostgreSQL"
        print(f"{where}, {o.workers} workers, {o.latency * 1000:.0f} ms per call: {done.messages} messages")
        print(f"  found by the tick in {ticked:.1f} s")
        print(f"  claimed, rendered, accepted in {took:.1f} s ({sum(counts) / took:.0f}/s; per worker {counts})")
        print(f"  shown {shown}, each once: {shown == done.messages == sum(counts)}; together {ticked + took:.1f} s")
        app.db.dispose()


if __name__ == "__main__":
    main()
