"""A new calendar over a hall that is full: how long until every running case stands under it.

    python bench/recalendar.py [--cases 100000] [--rounds 1] [--quick] [--json]

Cases are taken in through the service, three events each, over the last weeks of 2026; a made-up notice for 2027 moves
about half of their due dates. Then the notice is previewed (folded, nothing written) and applied: layers and version
written, every running case folded anew, dates, clocks, journal and messages written, 500 cases to a transaction.
Target on PostgreSQL: applied within 60 s for 100,000 running cases. Each further round takes the notice out again and
puts it in once more, so that every round moves the same cases.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from common import Line, arguments, databases, dump, table, timed  # first: it finds the tests' words

from builders import at  # isort: skip
from notices import BRIDGED_2027  # isort: skip
from story import make_app  # isort: skip

from sla_service.services import calendar_admin, calendar_force, intake
from sla_service.services.app import App
from sla_service.services.calendar_admin import Draft
from sla_service.services.calendar_moves import moves
from sla_service.store import sources, tables

BEGIN, NOW = at("2026-12-07 09:00"), at("2026-12-28 10:00")
WITHIN, FULL = 60, 100_000  # seconds, cases
KINDS = ("simple", "complex", "complex", "special")
PEOPLE = ("zhangsan", "lisi", "wangwu")
BATCH = 500


def filled(url: str, count: int) -> App:
    """A hall with that many running cases, accepted hour by hour."""
    app = make_app(url)
    app.calendars = calendar_force.open_calendars(app.db, app.config.directory, now=BEGIN)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=NOW, now=BEGIN)
    for first in range(0, count, BATCH):
        wave = [event for n in range(first, min(first + BATCH, count)) for event in events(n, count)]
        intake.receive(app, [intake.read(e, now=NOW) for e in wave], now=NOW, door="bench")
    tidy(app)
    return app


def events(n: int, count: int) -> Iterator[dict[str, Any]]:
    opened = BEGIN + (NOW - BEGIN) * n / count
    said = {"limit_days": 15, "reason": "多部门会商", "applicant_informed_at": opened.date().isoformat()}
    kind = KINDS[n % len(KINDS)]
    accepted = {"kind": kind, "title": "诊所名称核准", "department": "社会事务科", "matter": "个体工商户登记"}
    if kind == "special":
        accepted |= said
    told = (("accepted", accepted), ("assigned", {"handler": PEOPLE[n % 3]}), ("progressed", {"text": "已联系"}))
    for k, (type_, data) in enumerate(told):
        time = (opened + k * timedelta(seconds=1)).isoformat()
        head = {"specversion": "1.0", "id": f"{n}-{k}", "source": "hall", "subject": f"BBC-2026-{n:07}"}
        yield {**head, "type": f"case.{type_}", "time": time, "data": data}


def tidy(app: App) -> None:
    """What the database would have done by itself some minutes later."""
    with app.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("ANALYZE" if app.db.sqlite else "VACUUM ANALYZE"))


def carry_out(app: App, draft: Draft) -> tuple[float, float]:
    """Seconds until all running cases follow, and of these the seconds that our own processor worked."""
    begin = time.process_time()
    seconds = timed(lambda: calendar_admin.apply(app, draft, who="bench", clock=lambda: NOW, advance=shown))
    return seconds, time.process_time() - begin


def shown(done: int, whole: int | None) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r  {done:,} / {whole or 0:,}")


def measure(name: str, url: str, count: int, turns: int) -> list[Line]:
    filling = 0.0
    apps: list[App] = []
    filling = timed(lambda: apps.append(filled(url, count)))
    app = apps[0]
    print(f"{name}: {count:,} cases, {3 * count:,} events taken in within {filling:.0f} s", file=sys.stderr)
    draft, moved, previews, applied = calendar_admin.notices(BRIDGED_2027), 0, [], []
    for turn in range(turns):
        if turn:
            carry_out(app, withdrawal(app))
            tidy(app)
        found = calendar_admin.preview(app, draft)
        trial, cases = calendar_admin.trial(app, found), list[Any]()
        previews.append(timed(lambda: cases.extend(moves(app, trial, now=NOW))))  # noqa: B023 (called at once)
        moved = len(cases)
        applied.append(carry_out(app, draft))
    with app.db.read() as conn:
        version = tables.cases.c.calendar_version
        left = conn.execute(sa.select(sa.func.count()).where(version != app.calendar().version)).scalar_one()
    app.channels.close()
    app.db.dispose()
    assert left == 0, f"{left} cases were left behind"
    (seconds, worked), limit = sorted(applied)[len(applied) // 2], WITHIN * count / FULL
    what = f"{name}: notice over {count:,} cases, {moved:,} moved"
    target = 1.0 if name == "postgresql" else None
    against = f"{count / seconds:,.0f} cases/s, {worked:.3g} s of processor time"
    shown_for = statistics.median(previews)
    return [
        Line(f"{what}, applied", seconds, limit, "s", seconds / limit, target, most=True, against=against),
        Line(f"{what}, previewed", shown_for, limit, "s", shown_for / limit, most=True),
    ]


def withdrawal(app: App) -> Draft:
    """Takes out the layer that came last."""
    with app.db.read() as conn:
        return calendar_admin.withdrawal(conn.execute(sa.select(sa.func.max(tables.calendar_layers.c.id))).scalar_one())


def main() -> int:
    args = arguments(__doc__, cases=FULL, rounds=1)
    count = 5_000 if args.quick else args.cases
    with databases() as urls:
        lines = [line for name, url in urls.items() for line in measure(name, url, count, args.rounds)]
    if args.json:
        dump(lines)
    else:
        table(lines)
    return 0 if all(line.reached is not False for line in lines) else 1


if __name__ == "__main__":
    raise SystemExit(main())
