"""Which running cases a calendar would move, looked at before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sla_service.domain.case import Case, State
from sla_service.services.app import App
from sla_service.services.calendar_follow import BATCH, Advance
from sla_service.services.calendar_scope import scope_of
from sla_service.services.casework import Casework
from sla_service.store import cases, layers, sources

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """A running case whose due date would be another. ``withdrawn`` and ``breached``: what becomes of a breach."""

    source: str
    no: str
    hall: str
    title: str
    handler: str
    department: str
    old: date
    new: date
    old_provisional: bool
    new_provisional: bool
    withdrawn: bool = False
    breached: bool = False


def moves(app: App, trial: App, *, now: datetime, advance: Advance | None = None) -> Iterator[Move]:
    """The cases that ``trial`` (the App under the calendars to come) would move, in order of source and number."""
    for name in sorted({*trial.calendars.changes, *app.calendars.changes}):
        version = trial.calendars.change(name).calendar.version
        if version == app.calendars.change(name).calendar.version:
            continue
        with app.db.read() as conn:
            scope = scope_of(app, conn, name)
            whole = layers.stale_count(conn, scope, version)
        done, after = 0, None
        while True:
            with app.db.read() as conn:
                keys = layers.stale(conn, scope, version, after=after, limit=BATCH)
                held = {(r["source"], r["no"]): r for r in cases.read(conn, keys)}
                names = sources.by_name(conn, {source for source, _ in held})
                work = Casework(trial, conn, names, now, silent=True)
                work.take(held)
                folded = work.folded(held)
            for key in keys:
                move = _move(held[key], folded[key], now)
                if move is not None:
                    yield move
            done += len(keys)
            if advance is not None:
                advance(done, whole)
            if len(keys) < BATCH:
                break
            after = keys[-1]


def _move(row: Row, case: Case, now: datetime) -> Move | None:
    due = case.main.due if case.main else None
    if due is None or case.state is not State.RUNNING or row["due_on"] in (None, due.on):
        return None
    before, after = row["due_latest_at"] < now, due.latest_at < now
    return Move(
        source=case.source,
        no=case.no,
        hall=row["hall"],
        title=case.title or "",
        handler=case.handler or "",
        department=case.department or "",
        old=row["due_on"],
        new=due.on,
        old_provisional=bool(row["provisional"]),
        new_provisional=due.provisional,
        withdrawn=before and not after,
        breached=after and not before,
    )
