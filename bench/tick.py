"""The tick: a look with nothing due among 10⁴ and 10⁶ running clocks, and firing what is due.

    python bench/tick.py [--large 1000000] [--due 20000] [--rounds 5] [--quick] [--json]

One case is taken in and looked at in earnest up to the moment before the step in question, then copied by SQL, so
that every clock is one that the service itself has made. With nothing due a tick may cost twice as much at most among
10⁶ as among 10⁴ running clocks, on both databases. Firing claims the due clocks among as many that wait, decides,
writes messages, watermarks and next looks, 500 clocks to a transaction: once one reminder per clock (the ordinary
case), once the breach with four messages per clock. Target on PostgreSQL: 5,000 reminders a second. The loops claim
by the same index and write the same rows (``by_hand.py``), without deciding anything.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import sqlalchemy as sa
from common import Line, arguments, databases, dump, rounds, show, table, timed  # first: it finds the tests' words

from builders import at  # isort: skip
from by_hand import MANY, Raw, recorded  # isort: skip
from story import make_app  # isort: skip

from sla_service.services import intake, ticking
from sla_service.services.app import App
from sla_service.store import clocks, sources, tables
from sla_service.store.engine import Database
from sla_service.store.migrate import upgrade
from sla_service.store.types import to_text

BEGIN = at("2026-11-20 09:00")
SMALL, LOOKS = 10_000, 100
OURS = "sla: claim, decide, write"
NEEDED = 5_000  # reminders per second on PostgreSQL
CLAIM = (
    "SELECT k.*, c.hall, c.kind, c.department, c.handler, c.detail FROM clocks k "
    "JOIN cases c ON c.source = k.source AND c.no = k.no WHERE k.next_at <= {mark} ORDER BY k.next_at LIMIT 500{lock}"
)


@dataclass(frozen=True, slots=True)
class Firing:
    """A step that all due clocks are about to reach; ``looked`` are the ticks that bring a clock before it."""

    what: str
    looked: tuple[str, ...]
    now: str
    messages: int  # per clock


REMINDER = Firing("one reminder each", ("2026-11-24 08:30",), "2026-11-25 08:30", 1)
BREACH = Firing(
    "breach, four messages each", ("2026-11-24 08:30", "2026-11-25 08:30", "2026-11-25 14:00"), "2026-11-25 17:30", 4
)


# -- filling --------------------------------------------------------------------------------------------------------


def prepared(url: str) -> App:
    app = make_app(url)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=BEGIN, now=BEGIN)
    return app


def accept(app: App, no: str, kind: str) -> None:
    data = {"kind": kind, "title": "诊所名称核准", "department": "社会事务科", "handler": "zhangsan"}
    event = {"specversion": "1.0", "id": no, "source": "hall", "type": "case.accepted", "subject": no}
    body = {**event, "time": BEGIN.isoformat(), "data": data}
    intake.receive(app, [intake.read(body, now=BEGIN)], now=BEGIN, door="bench")


def copy(db: Database, model: str, prefix: str, count: int, *, spread: bool) -> None:
    """``count`` copies of the case ``model`` and its clocks; ``spread``: next looks a second apart."""
    if db.sqlite:
        series = "(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < :n) SELECT i FROM g) AS s"
        later = "strftime('%Y-%m-%dT%H:%M:%S.000000Z', next_at, '+' || s.i || ' seconds')"
    else:
        series, later = "generate_series(1, :n) AS s(i)", "next_at + s.i * interval '1 second'"
    with db.write() as conn:
        for made in (tables.cases, tables.clocks):
            names = [c.name for c in made.c]
            shown = {"no": ":prefix || s.i", "next_at": later if spread else "next_at"}
            values = ", ".join(shown.get(c, c) for c in names)
            sql = f"INSERT INTO {made.name} ({', '.join(names)}) SELECT {values} FROM {made.name}, {series}"
            conn.execute(sa.text(f"{sql} WHERE no = :model"), {"n": count, "prefix": prefix, "model": model})
    tidy(db)


def tidy(db: Database) -> None:
    """What the database would have done by itself some minutes later."""
    with db.engine.connect() as conn:
        raw = conn.connection.driver_connection
        if db.sqlite:
            raw.execute("ANALYZE")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            conn.commit()
            raw.autocommit = True
            for name in ("clocks", "cases", "messages", "journal"):
                raw.execute(f"VACUUM ANALYZE {name}")
            raw.autocommit = False


# -- nothing due ----------------------------------------------------------------------------------------------------


def nothing_due(name: str, url: str, large: int, count: int, *, quiet: bool) -> Line:
    runs: dict[str, Callable[[], tuple[int, float]]] = {}
    apps = []
    for size in (SMALL, large):
        app = prepared(beside(url, f"ticks{size}"))
        apps.append(app)
        accept(app, "MODEL", "complex")
        copy(app.db, "MODEL", "W", size, spread=True)
        runs[f"{size:,} running clocks"] = looking(app)
    for run in runs.values():
        run()
    rates = rounds(runs, count=count * 3)
    first, last = rates
    if not quiet:
        show(f"ticks with nothing due, {name}", rates, first, unit="ticks/s")
    for app in apps:
        app.db.dispose()
    few, many = 1e6 / rates[first], 1e6 / rates[last]
    what = f"tick with nothing due, {name}, {large:,} running"
    return Line(what, many, few, "µs", many / few, 2.0, most=True, against=f"{SMALL:,} running")


def looking(app: App) -> Callable[[], tuple[int, float]]:
    now = BEGIN + timedelta(hours=1)

    def run() -> tuple[int, float]:
        def ticks() -> None:
            for _ in range(LOOKS):
                assert ticking.fire_due(app, now=now).clocks == 0

        return LOOKS, timed(ticks)

    return run


def beside(url: str, name: str) -> str:
    """Another migrated database on the same server, or another file."""
    if url.startswith("sqlite"):
        other = f"{url.removesuffix('.db')}-{name}.db"
    else:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        other = f"{url.rpartition('/')[0]}/{name}"
    upgrade(other)
    return other


# -- firing ---------------------------------------------------------------------------------------------------------


def firing(name: str, url: str, step: Firing, due: int, count: int, *, quiet: bool) -> list[Line]:
    app = prepared(beside(url, f"fires{step.messages}"))
    accept(app, "WAITS", "complex")
    accept(app, "MODEL", "simple")
    for look in step.looked:
        ticking.fire_due(app, now=at(look))
    copy(app.db, "MODEL", "D", due, spread=False)
    copy(app.db, "WAITS", "W", due, spread=True)
    model = _take_out(app, "MODEL")
    now = at(step.now)
    gc.collect()
    gc.freeze()  # as every process of the service does when it is built

    def again() -> None:
        with app.db.write() as conn:
            for told in (tables.messages, tables.journal):
                conn.execute(told.delete())
            conn.execute(tables.clocks.update().where(tables.clocks.c.no.like("D%")).values(model))
        tidy(app.db)

    def ours() -> tuple[int, float]:
        again()
        seconds = timed(lambda: ticking.fire_due(app, now=now))
        with app.db.read() as conn:
            assert conn.execute(sa.select(sa.func.count()).select_from(tables.messages)).scalar() == due * step.messages
        return due, seconds

    with recorded(clocks, "claim") as batches:
        ours()
    raw = Raw(app.db.url.render_as_string(hide_password=False), batches, lambda conn: _claim(conn, now))
    runs = {way: _by_hand(again, work, due) for way, work in raw.ways().items()} | {OURS: ours}
    rates = rounds(runs, count=count)
    if not quiet:
        show(f"firing, {step.what}, {name}, {due:,} due", rates, MANY, unit="clocks/s")
    raw.close()
    app.db.dispose()
    what = f"firing, {step.what}, {name}"
    lines = [Line(what, rates[OURS], rates[MANY], "clocks/s", rates[OURS] / rates[MANY], against=MANY)]
    if name == "postgresql" and step is REMINDER:
        lines.append(
            Line(what, rates[OURS], NEEDED, "clocks/s", rates[OURS] / NEEDED, 1.0, against="what has to be reached")
        )
    return lines


def _take_out(app: App, no: str) -> Mapping[str, Any]:
    """What the ladder wrote to the model's clock, which is then no longer due itself."""
    c = tables.clocks.c
    with app.db.write() as conn:
        row = conn.execute(sa.select(c.watermark, c.breached_at, c.next_at).where(c.no == no)).mappings().one()
        conn.execute(tables.clocks.update().where(c.no == no).values(next_at=None))
    return dict(row)


def _claim(conn: Any, now: Any) -> None:
    if isinstance(conn, psycopg.Connection):
        conn.execute(CLAIM.format(mark="%s", lock=" FOR UPDATE OF k SKIP LOCKED"), (now,)).fetchall()
    else:
        conn.execute(CLAIM.format(mark="?", lock=""), (to_text(now),)).fetchall()


def _by_hand(again: Callable[[], None], work: Callable[[], None], due: int) -> Callable[[], tuple[int, float]]:
    def run() -> tuple[int, float]:
        again()
        return due, timed(work)

    return run


def main() -> None:
    given = arguments(__doc__, large=1_000_000, due=20_000, rounds=5)
    if given.quick:
        given.large, given.due, given.rounds = min(given.large, 200_000), min(given.due, 5_000), min(given.rounds, 3)
    lines = []
    with databases() as urls:
        for name, url in urls.items():
            lines.append(nothing_due(name, url, given.large, given.rounds, quiet=given.json))
            for step in (REMINDER, BREACH):
                lines += firing(name, url, step, given.due, given.rounds, quiet=given.json)
    (dump if given.json else table)(lines)


if __name__ == "__main__":
    main()
