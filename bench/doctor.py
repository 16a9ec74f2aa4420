"""The doctor and the metrics on a database of very many cases: how long each question takes.

    python bench/doctor.py [--cases 200000] [--running 50] [--only sqlite|postgresql] [--quick] [--json]

A few dozen cases live through the service in earnest (reminded, overdue, paused, closed) and are then copied by SQL
with their events, clocks, messages and tries, so that every row is one that the service has made. ``--running``: how
many of a hundred cases are open. Targets, which hold for ``--cases 1000000`` too: a visit of the doctor with his sample
within 10 s, the figures for the metrics within 5 s when nothing is remembered and within 0.1 s when the count of the
cases is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import timedelta

from common import Line, databases, table, timed  # first: it finds the tests' words

from builders import at  # isort: skip
from story import Story, story  # isort: skip

import sqlalchemy as sa

from sla_service.services import audit, checkup, doctor, doctor_cases, metrics, ticking
from sla_service.services.app import App
from sla_service.store import tables
from sla_service.store.engine import Database

BEGIN, NOW = "2026-09-01 10:00", at("2026-09-16 10:00")
MODELS = 40
#: Tables that are copied, in the order of their foreign keys, with what makes each copy another row.
COPIED = {
    tables.cases: {"no": "no || :tag"},
    tables.inbox: {"no": "no || :tag", "id": "id || :tag"},
    tables.clocks: {"no": "no || :tag"},
    tables.deliveries: {"id": "id + :step"},
    tables.messages: {
        "id": "id + :step",
        "no": "no || :tag",
        "dedupe_key": "dedupe_key || :tag",
        "delivery": "delivery + :step",
    },
    tables.attempts: {"delivery": "delivery + :step"},
}
VISIT, COLD, WARM, ALL = 10.0, 5.0, 0.1, 1_000.0  # seconds; the last: cases a second, at least


def live(hall: Story, running: int) -> None:
    """So many cases that have really been taken in and told of; ``running`` of a hundred are left open."""
    for n in range(MODELS):
        hall.until(f"2026-09-{1 + n // 5:02} {10 + n % 5}:00")
        who = {"department": "社会事务科", "handler": "zhangsan", "title": f"事项{n}"}
        hall.says("case.accepted", no=f"M{n}", kind=("simple", "complex")[n % 2], **who)
    hall.until("2026-09-14 10:00")
    for n in range(MODELS):
        if n * 100 >= MODELS * running:
            hall.says("case.closed", no=f"M{n}", outcome="resolved", replied_at="2026-09-14")
        elif n % 10 == 1:
            hall.says("case.paused", no=f"M{n}", reason="hearing", applicant_informed_at="2026-09-14")
    hall.until("2026-09-16 10:00")
    ticking.beat_heard(hall.app, now=hall.now)
    audit.seal(hall.app, now=hall.now)


def copy(db: Database, copies: int) -> None:
    """The whole world so many times more."""
    if db.sqlite:
        series = "(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < :n) SELECT i FROM g) AS s"
    else:
        series = "generate_series(1, :n) AS s(i)"
    with db.write() as conn:
        numbered = (tables.deliveries, tables.messages)
        step = 1 + max(conn.execute(sa.select(sa.func.max(t.c.id))).scalar() or 0 for t in numbered)
        for made, changed in COPIED.items():
            names = [c.name for c in made.c]
            shown = {k: v.replace(":tag", "'-' || s.i").replace(":step", f"s.i * {step}") for k, v in changed.items()}
            values = ", ".join(shown.get(c, c) for c in names)
            sql = f"INSERT INTO {made.name} ({', '.join(names)}) SELECT {values} FROM {made.name}, {series}"
            conn.execute(sa.text(sql), {"n": copies})
    with db.engine.connect() as conn:
        raw = conn.connection.driver_connection
        if db.sqlite:
            raw.execute("ANALYZE")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            conn.commit()
            raw.autocommit = True
            raw.execute("VACUUM ANALYZE")
            raw.autocommit = False


def visit(app: App) -> list[tuple[str, float]]:
    """How long each of the doctor's answers took to come, in order."""
    took: list[tuple[str, float]] = []
    found: list[doctor.Check | None] = []
    checks = doctor.examine(app, now=NOW, real_now=lambda: NOW, broker=lambda: None)
    while True:
        seconds = timed(lambda: found.append(next(checks, None)))
        last = found[-1]
        if last is None:
            return took
        took.append((last.name, seconds))


def folded(app: App, cases: int) -> float:
    """Cases a second of ``--all``; none of them may have anything wrong with it."""
    seen, begin = 0, time.perf_counter()
    for done, wrong, untold in doctor_cases.batches(app):
        assert not wrong, wrong[:2]
        assert not untold, untold[:2]
        seen += done
        if seen >= cases:
            break
    return seen / (time.perf_counter() - begin)


def measured(name: str, url: str, options: argparse.Namespace) -> list[Line]:
    with story(url, BEGIN) as hall:
        live(hall, options.running)
        app, copies = hall.app, options.cases // MODELS - 1
        built = timed(lambda: copy(app.db, copies))
        cases = (copies + 1) * MODELS
        if not options.json:
            print(f"\n{name}: {cases:,} cases built in {built:.0f} s", flush=True)
        visits = [visit(app) for _ in range(3)]
        if not options.json:
            for n, (code, _) in enumerate(visits[0]):
                print(f"  {code:<12}" + "".join(f"{v[n][1] * 1000:>12,.1f} ms" for v in visits), flush=True)
        whole = sorted(sum(seconds for _, seconds in v) for v in visits)[1]
        cold = timed(lambda: metrics.measure(app, now=NOW))
        warm = sorted(timed(lambda: metrics.measure(app, now=NOW + timedelta(seconds=1))) for _ in range(5))[2]
        assert checkup.make(app, now=NOW, real_now=lambda: NOW, broker=lambda: None) is not None
        rate = folded(app, options.all)
    return [
        Line(f"{name}: a visit of the doctor", whole, VISIT, "s", whole / VISIT, 1.0, most=True, against="target"),
        Line(f"{name}: figures, nothing remembered", cold, COLD, "s", cold / COLD, 1.0, most=True, against="target"),
        Line(f"{name}: figures, cases counted lately", warm, WARM, "s", warm / WARM, 1.0, most=True, against="target"),
        Line(f"{name}: cases folded by --all", rate, ALL, "cases/s", rate / ALL, 1.0, against="target"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--running", type=int, default=50, help="open ones of a hundred")
    parser.add_argument("--all", type=int, default=20_000, help="cases that are folded to time --all")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--quick", action="store_true", help="20,000 cases, for a look")
    parser.add_argument("--json", action="store_true", help="only the table, machine-readable")
    options = parser.parse_args()
    if options.quick:
        options.cases, options.all = 20_000, 5_000
    with databases(postgres=options.only != "sqlite", sqlite=options.only != "postgresql") as urls:
        lines = [line for name, url in urls.items() for line in measured(name, url, options)]
    if options.json:
        print(json.dumps([{"what": one.what, "ours": one.ours, "reached": one.reached} for one in lines], indent=1))
    else:
        table(lines)
    return 0 if all(one.reached for one in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
