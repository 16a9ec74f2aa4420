"""Batch ingest against hand-written loops that write the same rows in the same batches.

    python bench/ingest.py [--cases 2000] [--rounds 5] [--batch 500] [--quick] [--json]

Ours takes events as decoded JSON: checks them, locks the cases, reads their histories, folds, works out due dates and
next looks, writes, commits, answers with the case as it stands. Every batch brings one event to each of as many
cases, one step of a story after the other, so that histories grow. What it writes is recorded (inbox, cases, clocks,
journal), and the loops write exactly those values again, batch by batch, one transaction each, durable like ours.
They look at nothing and read nothing, but have to encode their parameters, as any loop has to:

* statement by statement: one ``execute`` per row, as a loop is usually written;
* executemany: the rows of a table together, as a careful hand writes it (psycopg sends them in one pipeline);
* one JSON statement per table (PostgreSQL): a set-based ``INSERT … SELECT FROM json_to_recordset``.

Targets: at least 40 % of ``executemany`` on PostgreSQL, of the loop statement by statement on SQLite.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from common import Line, arguments, databases, dump, rounds, show, table, timed  # first: it finds the tests' words

from builders import at  # isort: skip
from story import make_app  # isort: skip

from sqlalchemy.dialects import postgresql

from sla_service.services import intake
from sla_service.services.app import App
from sla_service.store import bulk, sources, tables

NOW = at("2026-11-20 10:00")
STEPS = (
    ("case.accepted", {"kind": "complex", "title": "诊所名称核准", "department": "社会事务科", "handler": "zhangsan"}),
    ("case.assigned", {"handler": "lisi", "department": "社会事务科"}),
    ("case.progressed", {"text": "已联系申请人，等待材料"}),
    ("case.classified", {"kind": "simple"}),
    ("case.closed", {"outcome": "resolved", "replied_at": "2026-11-18"}),
)
HELD = ("messages", "journal", "clocks", "inbox", "cases")
OURS = "sla: check, fold, write, answer"
LOOP, MANY, JSON = "raw, statement by statement", "raw, executemany", "raw, one JSON statement per table"
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


# -- what ours writes, written by hand ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """Rows that one statement of ours wrote to one table."""

    table: str
    rows: list[dict[str, Any]]
    key: tuple[str, ...]
    update: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.rows[0])


@contextmanager
def recorded() -> Iterator[list[list[Write]]]:
    """Everything that is written, transaction by transaction; locks, which no loop takes, are left out."""
    batches: list[list[Write]] = []
    real = bulk.insert, intake._Batch.run

    def insert(conn: Any, table: Any, rows: Any, *, key: Any = (), update: Any = ()) -> int:
        locking = table is tables.cases and not update
        if rows and not locking:
            batches[-1].append(Write(table.name, [dict(r) for r in rows], key, update))
        return real[0](conn, table, rows, key=key, update=update)

    def run(self: Any) -> Any:
        batches.append([])
        return real[1](self)

    bulk.insert, intake._Batch.run = insert, run  # type: ignore[assignment,method-assign]
    try:
        yield batches
    finally:
        bulk.insert, intake._Batch.run = real  # type: ignore[method-assign]


class Raw:
    """One plain connection of the driver, and the batches to be written through it."""

    def __init__(self, url: str, batches: Sequence[Sequence[Write]]) -> None:
        self.sqlite = url.startswith("sqlite")
        self.conn: Any
        if self.sqlite:
            self.conn = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
        else:
            self.conn = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        # a case before what refers to it
        self.batches = [sorted(b, key=lambda w: w.table != "cases") for b in batches]
        self.values = {(w.table, w.columns): self._values(w) for b in self.batches for w in b}

    def _values(self, w: Write) -> str:
        marks = ", ".join(["?" if self.sqlite else "%s"] * len(w.columns))
        return f"INSERT INTO {w.table} ({', '.join(w.columns)}) VALUES ({marks}){_clash(w)}"

    def _transactions(self) -> Iterator[Sequence[Write]]:
        for batch in self.batches:
            self.conn.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
            yield batch
            self.conn.execute("COMMIT")

    def statement_by_statement(self) -> None:
        form = _for_sqlite if self.sqlite else _for_psycopg
        for batch in self._transactions():
            for w in batch:
                sql = self.values[w.table, w.columns]
                for row in w.rows:
                    self.conn.execute(sql, [form(v) for v in row.values()])

    def executemany(self) -> None:
        form = _for_sqlite if self.sqlite else _for_psycopg
        for batch in self._transactions():
            for w in batch:
                rows = [[form(v) for v in row.values()] for row in w.rows]
                self.conn.cursor().executemany(self.values[w.table, w.columns], rows)

    def set_based(self) -> None:
        for batch in self._transactions():
            for w in batch:
                names = ", ".join(w.columns)
                typed = ", ".join(f"{c} {_pg_type(w.table, c)}" for c in w.columns)
                opened = f"SELECT {names} FROM json_to_recordset(%s::json) AS r({typed})"
                rows = json.dumps(w.rows, default=date.isoformat, ensure_ascii=False)
                self.conn.execute(f"INSERT INTO {w.table} ({names}) {opened}{_clash(w)}", (rows,))


def _clash(w: Write) -> str:
    if not w.key:
        return ""
    sets = ", ".join(f"{c} = excluded.{c}" for c in w.update)
    return f" ON CONFLICT ({', '.join(w.key)}) DO " + (f"UPDATE SET {sets}" if sets else "NOTHING")


def _pg_type(name: str, column: str) -> str:
    return str(tables.metadata.tables[name].c[column].type.compile(postgresql.dialect()))  # type: ignore[no-untyped-call]


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return _for_psycopg(value)


def _for_psycopg(value: Any) -> Any:
    return json.dumps(value, default=date.isoformat, ensure_ascii=False) if isinstance(value, dict | list) else value


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

    with recorded() as batches:
        ours()
    raw = Raw(url, batches)

    def by_hand(work: Callable[[], None]) -> Callable[[], tuple[int, float]]:
        def run() -> tuple[int, float]:
            empty(app)
            return total, timed(work)

        return run

    loops = {LOOP: raw.statement_by_statement, MANY: raw.executemany}
    if name == "postgresql":
        loops[JSON] = raw.set_based
    rates = rounds({n: by_hand(work) for n, work in loops.items()} | {OURS: ours}, count=count)
    base = LOOP if name == "sqlite" else MANY
    if not quiet:
        show(f"batch ingest, {name}, {total:,} events in batches of {batch}", rates, base, unit="events/s")
    raw.conn.close()
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
