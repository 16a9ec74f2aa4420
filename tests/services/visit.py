"""A hall with one case and a running service, and the doctor's visit to it."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from sla_service.services import audit, doctor, ticking

BEGIN = "2026-09-07 10:00"


def runs(hall):
    """As a worker does with each tick: it is noted, and the audit log is sealed."""
    ticking.beat_heard(hall.app, now=hall.now)
    audit.seal(hall.app, now=hall.now)


def examine(hall, *, broker=None, skew=timedelta()):
    """Check name -> (level, text, fix); ``skew`` is how far this machine's clock runs ahead of the true one."""
    with hall.app.db.read() as conn:
        there = conn.execute(sa.select(sa.func.now())).scalar() if not hall.app.db.sqlite else hall.now
    found = doctor.examine(hall.app, now=hall.now, real_now=lambda: there + skew, broker=lambda: broker)
    return {c.name: (c.level, c.text, c.fix) for c in found}


def wrong(hall, **more):
    return {name: found for name, found in examine(hall, **more).items() if found[0] != "ok"}


def change(hall, table, **values):
    with hall.app.db.write() as conn:
        conn.execute(table.update().values(**values))
