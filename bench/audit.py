"""The audit log under several writers: what does the chain cost them?

    python bench/audit.py [--writers 4] [--seconds 3] [--rounds 3] [--only sqlite|postgresql] [--quick] [--json]

Each writer is a process that commits one change after the other (a row of the journal): without a log, with the log as
the service keeps it (a row without its hash; a sealer chains blocks beside them, each second), and with a log whose
every row extends the chain itself, which makes one queue of all writers. Target: with the service's log four writers
on PostgreSQL keep at least 60 % of what they do without one (two rows are written instead of one), and do at least
twice as much as with the chain in the writers' way.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import sys
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from common import Line, databases, rounds, table  # first: it finds the tests' words

from sla_service.services import audit as service
from sla_service.settings import Settings
from sla_service.store import audit, tables
from sla_service.store.engine import Database

KINDS = ("no log", "the service's log", "chained by each writer")
_HEAD = "bench_chain"
KEPT, AHEAD = 0.6, 2.0


def write(url: str, kind: str, n: int, seconds: float, start: Any, done: Any) -> None:
    """One writer; puts how many changes it has committed."""
    db, count = Database(url), 0
    start.wait()
    end = time.monotonic() + seconds
    change = {"source": "bench", "no": str(n), "what": "bench", "detail": {"n": n}}
    while time.monotonic() < end:
        now = datetime.now(UTC)
        with db.write() as conn:
            conn.execute(tables.journal.insert().values(**change, at=now))
            if kind != KINDS[0]:
                entry = audit.entry(now, f"cli:{n}", "bench", str(count), "ok", n=n)
                audit.add(conn, [entry | _chained(conn, entry)] if kind == KINDS[2] else [entry])
        count += 1
    db.dispose()
    done.put(count)


def _chained(conn: sa.Connection, entry: dict[str, Any]) -> dict[str, Any]:
    """The home-made way: lock the head, hash, move the head."""
    head = sa.select(tables.facts.c.value).where(tables.facts.c.key == _HEAD).with_for_update()
    made = audit.chained("sha256", str(conn.execute(head).scalar_one()), {**entry, "seq": 0})
    conn.execute(tables.facts.update().where(tables.facts.c.key == _HEAD).values(value=made))
    return {"hash": made, "block": 0}


def seal(url: str, seconds: float, start: Any) -> None:
    """What a worker's tick does beside the writers."""
    db = Database(url)
    start.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with db.write() as conn:
            audit.seal(conn, now=datetime.now(UTC), algorithm=Settings().audit_hash, limit=service.BLOCK)
        time.sleep(1)
    db.dispose()


def run(url: str, kind: str, writers: int, seconds: float) -> tuple[int, float]:
    """Changes that all writers have committed, and the time they had."""
    db = Database(url)
    with db.write() as conn:
        conn.execute(tables.facts.delete().where(tables.facts.c.key == _HEAD))
        conn.execute(tables.facts.insert().values(key=_HEAD, value="", at=datetime.now(UTC)))
    db.dispose()
    context = mp.get_context("spawn")
    sealed = kind == KINDS[1]
    done, start = context.Queue(), context.Barrier(writers + sealed)
    parts = [context.Process(target=write, args=(url, kind, n, seconds, start, done)) for n in range(writers)]
    if sealed:
        parts.append(context.Process(target=seal, args=(url, seconds, start)))
    for part in parts:
        part.start()
    total = sum(done.get(timeout=60) for _ in range(writers))
    for part in parts:
        part.join()
    return total, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--json", action="store_true", help="only the table, machine-readable")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 1.0, 1
    lines = []
    with databases(postgres=options.only != "sqlite", sqlite=options.only != "postgresql") as urls:
        for name, url in urls.items():
            runs = {k: partial(run, url, k, options.writers, options.seconds) for k in KINDS}
            plain, ours, chained = rounds(runs, count=options.rounds).values()
            targets = (KEPT, AHEAD) if name == "postgresql" else (None, None)  # SQLite has one writer in any case
            what = f"{name}: {options.writers} writers, changes"
            lines += [
                Line(what, ours, plain, "/s", ours / plain, targets[0], against=KINDS[0]),
                Line(what, ours, chained, "/s", ours / chained, targets[1], against=KINDS[2]),
            ]
    if options.json:
        found = [{"what": n.what, "ours": n.ours, "against": n.against, "ratio": n.ratio} for n in lines]
        print(json.dumps(found, indent=1))
    else:
        table(lines)
    return 0 if all(n.reached is not False for n in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
