"""Batch ingest against hand-written loops that write the same rows in the same batches.

    python bench/ingest.py [--cases 2000] [--rounds 5] [--batch 500] [--quick] [--json]

Ours takes events as decoded JSON: checks them, locks the cases, reads their histories, folds, works out due dates and
next looks, writes, commits, answers with the case as it stands. Every batch brings one event to each of as many
cases, one step of a story after the other, so that histories grow. What it writes is recorded (inbox, cases, clocks,
journal), and the loops write exactly those values again, batch by batch, one transaction each, durable like ours.
They look at nothing and read nothing (``by_hand.py``).

Targets: at least 40 % of ``executemany`` on PostgreSQL, of the loop statement by statement on SQLite.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from common import Line, arguments, databases, dump, rounds, show, table, timed  # first: it finds the tests' words

from builders import at  # isort: skip
from by_hand import LOOP, MANY, Raw, recorded  # isort: skip
from story import make_app  # isort: skip

from sla_service.services import intake
from sla_service.services.app import App
from sla_service.store import sources, tables

NOW = at("2026-11-20 10:00")
STEPS = (
    ("case.accepted", {"kind": "complex", "title": "诊所名称核准", "department": "社会事务科", "handler": "zhangsan"}),
    ("case.assigned", {"handler": "lisi", "department": "社会事务科"}),
    ("case.progressed", {"text": "已联系申请人，等待材料"}),
    ("case.classified", {"kind": "simple"}),
    ("case.closed", {"outcome": "resolved", "replied_at": "2026-11-18"}),
)
HELD = ("audit", "messages", "journal", "clocks", "inbox", "cases")
OURS = "sla: check, fold, write, answer"
TARGET = 0.4


def history(cases: int, run: int) -> list[dict[str, Any]]:
    """``cases`` cases of five events each, one step of all cases after the other, as a hall's day brings them."""
    events = []
    for n, (type_, data) in enumerate(STEPS):
        when = at("2026-11-16 09:00") + timedelta(hours=n)
        for case in range(cases):
            no = f"R{run}-{case:06d}"
            moment = (when + timedelta(milliseconds=case)).isoformat()
            event = {"specversion": "1.0", "id": f"{no}/{n}", "source": "hall", "type": type_, "subject": no}
            events.append({**event, "time": moment, "data": data})
    return events


def empty(app: App) -> None:
    with app.db.write() as conn:
        for name in HELD:
            conn.execute(tables.metadata.tables[name].delete())


def take(app: App, events: Sequence[Mapping[str, Any]], batch: int) -> None:
    for i in range(0, len(events), batch):
        read = [intake.read(e, now=NOW) for e in events[i : i + batch]]
        intake.receive(app, read, now=NOW, door="bench", silent=True)


# -- the comparison -------------------------------------------------------------------------------------------------


def measure(name: str, url: str, *, cases: int, count: int, batch: int, quiet: bool) -> Line:
    app = make_app(url)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=NOW, now=NOW)
    total = cases * len(STEPS)
    gc.collect()
    gc.freeze()  # as every process of the service does when it is built

    def ours() -> tuple[int, float]:
        empty(app)
        events = history(cases, 0)
        return total, timed(lambda: take(app, events, batch))

    with recorded(intake._Batch, "run") as batches:
        ours()
    raw = Raw(url, batches)

    def by_hand(work: Callable[[], None]) -> Callable[[], tuple[int, float]]:
        def run() -> tuple[int, float]:
            empty(app)
            return total, timed(work)

        return run

    rates = rounds({n: by_hand(work) for n, work in raw.ways().items()} | {OURS: ours}, count=count)
    base = LOOP if name == "sqlite" else MANY
    if not quiet:
        show(f"batch ingest, {name}, {total:,} events in batches of {batch}", rates, base, unit="events/s")
    raw.close()
    app.db.dispose()
    share = rates[OURS] / rates[base]
    return Line(f"batch ingest, {name}", rates[OURS], rates[base], "events/s", share, TARGET, against=base)


def main() -> None:
    given = arguments(__doc__, cases=2000, rounds=5, batch=500)
    if given.quick:
        given.cases, given.rounds = min(given.cases, 1000), min(given.rounds, 3)
    with databases() as urls:
        how = {"cases": given.cases, "count": given.rounds, "batch": given.batch, "quiet": given.json}
        lines = [measure(name, url, **how) for name, url in urls.items()]
    (dump if given.json else table)(lines)


if __name__ == "__main__":
    main()
