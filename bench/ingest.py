"""Batch ingest against a hand-written loop that writes the same rows: what folding, checking and answering cost.

    python bench/ingest.py [--cases 2000] [--rounds 3] [--json]

Raw writes what ours wrote, row for row (inbox, case, clock), in batches of the same 500 events, without looking at
any of it: ``executemany`` as a careful hand would write it, and one JSON statement per table as the limit.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

import psycopg
import sqlalchemy as sa
from common import databases, rounds, show, timed  # first: it finds the tests' servers and words

from builders import at  # isort: skip
from story import make_app  # isort: skip

from sla_service.services import intake
from sla_service.services.app import App
from sla_service.store import bulk, sources, tables

BATCH = 500
NOW = at("2026-11-20 10:00")
STEPS = (
    ("case.accepted", {"kind": "complex", "title": "诊所名称核准", "department": "社会事务科", "handler": "zhangsan"}),
    ("case.assigned", {"handler": "lisi", "department": "社会事务科"}),
    ("case.progressed", {"text": "已联系申请人，等待材料"}),
    ("case.classified", {"kind": "simple"}),
    ("case.closed", {"outcome": "resolved", "replied_at": "2026-11-18"}),
)
KEYS = {"inbox": (), "cases": ("source", "no"), "clocks": ("source", "no", "target", "round")}


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


def written(app: App, run: int) -> dict[str, list[dict[str, Any]]]:
    """The rows that one run left behind, by table."""
    with app.db.read() as conn:
        return {
            name: [
                dict(r)
                for r in conn.execute(
                    sa.select(tables.metadata.tables[name]).where(tables.metadata.tables[name].c.no.like(f"R{run}-%"))
                ).mappings()
            ]
            for name in KEYS
        }


def empty(app: App) -> None:
    with app.db.write() as conn:
        for name in ("messages", "journal", "clocks", "inbox", "cases"):
            conn.execute(tables.metadata.tables[name].delete())


class Raw:
    """The rows of a run as each event's transaction would write them: its inbox row, its case, its clock."""

    def __init__(self, url: str, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.sqlite = url.startswith("sqlite")
        self.conn: Any
        if self.sqlite:
            self.conn = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        else:
            self.conn = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        of_case = {
            name: {r["no"]: r for r in rows[name] if r.get("target", "resolve") == "resolve"}
            for name in ("cases", "clocks")
        }
        order = {step[0]: n for n, step in enumerate(STEPS)}
        events = sorted(rows["inbox"], key=lambda r: (order[r["type"]], r["no"]))
        self.batches = [
            {"inbox": part, **{name: [of[r["no"]] for r in part] for name, of in of_case.items()}}
            for part in (events[i : i + BATCH] for i in range(0, len(events), BATCH))
        ]
        self.columns = {name: tuple(rows[name][0]) for name in KEYS}
        self.plans = {name: self._plan(name) for name in KEYS}
        self.tuples = [{name: [self._tuple(name, r) for r in part[name]] for name in KEYS} for part in self.batches]

    def _plan(self, name: str) -> str:
        mark = "?" if self.sqlite else "%s"
        columns = self.columns[name]
        sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"
        if KEYS[name]:
            sets = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in KEYS[name])
            sql += f" ON CONFLICT ({', '.join(KEYS[name])}) DO UPDATE SET {sets}"
        return sql

    def _tuple(self, name: str, row: dict[str, Any]) -> tuple[Any, ...]:
        if self.sqlite:
            return bulk._sqlite(tables.metadata.tables[name], self.columns[name], (), ())[1](row)
        return tuple(json.dumps(v) if isinstance(v, dict | list) else v for v in row.values())

    def executemany(self) -> None:
        for part in self.tuples:
            self.conn.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
            cursor = self.conn.cursor()
            for name in ("inbox", "cases", "clocks") if self.sqlite else ("cases", "inbox", "clocks"):
                cursor.executemany(self.plans[name], part[name])
            self.conn.execute("COMMIT")

    def set_based(self) -> None:
        for part in self.batches:
            self.conn.execute("BEGIN")
            for name in ("cases", "inbox", "clocks"):
                table, columns = tables.metadata.tables[name], self.columns[name]
                changing = tuple(c for c in columns if c not in KEYS[name]) if KEYS[name] else ()
                sql = bulk._postgres(table, columns, KEYS[name], changing)
                self.conn.execute(sql, (json.dumps(part[name], default=bulk._plain, ensure_ascii=False),))
            self.conn.execute("COMMIT")


def measure(name: str, url: str, cases: int, count: int, *, as_json: bool) -> None:
    app = make_app(url)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=NOW, now=NOW)
    total, run = cases * len(STEPS), 0

    def ours() -> tuple[int, float]:
        nonlocal run
        run += 1
        empty(app)
        events = history(cases, run)
        return total, timed(lambda: take(app, events, NOW))

    ours()
    raw = Raw(url, written(app, run))

    def loop() -> tuple[int, float]:
        empty(app)
        return total, timed(raw.executemany)

    def limit() -> tuple[int, float]:
        empty(app)
        return total, timed(raw.set_based)

    runs = {"raw executemany": loop, "sla: parse, fold, write, answer": ours}
    if name == "postgresql":
        runs = {"raw one JSON statement per table": limit, **runs}
    show(
        f"batch ingest, {name}, {total:,} events",
        rounds(runs, count=count),
        "raw executemany",
        unit="events/s",
        as_json=as_json,
    )
    raw.conn.close()
    app.db.dispose()


def take(app: App, events: list[dict[str, Any]], now: datetime) -> None:
    for i in range(0, len(events), BATCH):
        read = [intake.read(e, now=now) for e in events[i : i + BATCH]]
        intake.receive(app, read, now=now, door="bench", silent=True)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--cases", type=int, default=2000)
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--json", action="store_true")
    given = args.parse_args()
    with databases() as urls:
        for name, url in urls.items():
            measure(name, url, given.cases, given.rounds, as_json=given.json)


if __name__ == "__main__":
    main()
