"""Running cases follow a new calendar: batch by batch, each in one transaction, going on wherever it was stopped.

What is left to do is not written down anywhere: it is every running case that stands under another version than its
calendar has now. A case that an event or a tick touches meanwhile follows with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.domain.case import State
from sla_service.domain.ladder import Ladder, target_of, window
from sla_service.services import calendar_force
from sla_service.services.app import App
from sla_service.services.calendar_scope import scope_of
from sla_service.services.casework import Casework
from sla_service.services.consequences import due_changed
from sla_service.store import cases, clocks, inbox, layers, sources
from sla_service.store.engine import unavailable
from sla_service.store.layers import Scope

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Key = tuple[str, str]
Advance = Callable[[int, int | None], None]
Clock = Callable[[], datetime]

BATCH = 500
_RUNNING = (State.RUNNING, State.PAUSED)


@dataclass(slots=True)
class Followed:
    """What one run did: cases folded anew, and those that could not be."""

    cases: int = 0
    failed: int = 0


def go_on(app: App, *, clock: Clock, advance: Advance | None = None, batch: int = BATCH) -> Followed:
    """Lets every case follow the calendar in force; nothing to do costs one look.

    Safe to stop at any moment, to start again and to run twice at once.
    """
    done = Followed()
    while True:
        with app.db.read() as conn:
            pending = layers.pending(conn)
        if not pending:
            return done
        for change in pending:
            _Run(app, change, clock, advance, batch, done).run()


def follow(app: App, conn: Connection, keys: Sequence[Key], *, now: datetime) -> None:
    """Folds these cases under the calendar in force, within the caller's transaction."""
    rows = {(r["source"], r["no"]): r for r in cases.read(conn, sorted(keys), lock=True)}
    _fold(app, conn, rows, now)


def stale(app: App, rows: Sequence[Row]) -> set[Key]:
    """The cases among ``rows`` that still stand under another calendar."""
    return {
        (r["source"], r["no"])
        for r in rows
        if r["state"] in _RUNNING and r["calendar_version"] != app.calendar_of(r).version
    }


def _fold(app: App, conn: Connection, rows: Mapping[Key, Row], now: datetime) -> None:
    work = Casework(app, conn, sources.by_name(conn, {source for source, _ in rows}), now, silent=False)
    work.take(rows)
    work.fold(rows)
    inbox.change(conn, list(work.changed.values()))
    work.write(set())


class _Run:
    """The cases of one calendar."""

    def __init__(
        self, app: App, change: Row, clock: Clock, advance: Advance | None, batch: int, done: Followed
    ) -> None:
        self.app, self.change, self.clock, self.batch, self.done = app, change, clock, batch, done
        self.advance = advance or (lambda _done, _whole: None)
        self.scope = Scope(())

    def run(self) -> None:
        with self.app.db.read() as conn:
            self.scope = scope_of(self.app, conn, self.change["calendar"])
            whole = layers.stale_count(conn, self.scope, self.change["version"])
        before = self.done.cases
        after: Key | None = None
        while True:
            keys = self._batch(after)
            if not keys:
                break
            after = keys[-1]
            self.advance(self.done.cases - before, whole)
        self._finish()

    def _batch(self, after: Key | None) -> list[Key]:
        """One transaction; gives the cases it held, none when there are no more (or a newer calendar has come)."""
        try:
            with self.app.db.write() as conn:
                rows = self._rows(conn, after, self.batch)
                _fold(self.app, conn, rows, self.clock())
        except Exception as e:
            if unavailable(e):
                raise
            log.exception("a batch could not follow calendar %s, going on case by case", self.change["version"])
            return self._alone(after)
        self.done.cases += len(rows)
        return list(rows)

    def _rows(self, conn: Connection, after: Key | None, limit: int) -> dict[Key, Row]:
        calendar_force.refresh(self.app, conn)
        if self.app.calendars.change(self.change["calendar"]).seq != self.change["seq"]:
            return {}  # the next round is about the newer one
        keys = layers.stale(conn, self.scope, self.change["version"], after=after, limit=limit)
        return {(r["source"], r["no"]): r for r in cases.read(conn, keys, lock=True)}

    def _alone(self, after: Key | None) -> list[Key]:
        """The same cases one by one: a faulty one must not keep its neighbours from following."""
        with self.app.db.read() as conn:
            keys = layers.stale(conn, self.scope, self.change["version"], after=after, limit=self.batch)
        for key in keys:
            try:
                with self.app.db.write() as conn:
                    calendar_force.refresh(self.app, conn)
                    follow(self.app, conn, [key], now=self.clock())
                self.done.cases += 1
            except Exception as e:
                if isinstance(e, sa.exc.DBAPIError) and unavailable(e):
                    raise
                log.exception("case %s/%s stays under its calendar", *key)
                self.done.failed += 1
        return keys

    def _finish(self) -> None:
        """All have followed: what still runs on closed cases follows too, and then the messages may go."""
        last: Row | None = None
        while True:
            with self.app.db.write() as conn:
                rows = self._closed(conn, last)
            if len(rows) < self.batch:
                break
            last = rows[-1]
        with self.app.db.write() as conn:
            now = self.clock()
            if not layers.followed(conn, self.change["seq"], now=now):
                return
            steps = [due_changed(seq) for seq in layers.changes_of(conn, self.change["calendar"])]
            for hall in self.scope.places:
                at = window(now, self.app.current_policy(hall), self.app.calendar(hall))
                layers.release(conn, steps, hall, not_before=at)

    def _closed(self, conn: Connection, last: Row | None) -> list[Row]:
        """One batch of clocks that run on after closing: due dates (a follow-up's) are counted anew, verdicts stay."""
        calendar_force.refresh(self.app, conn)
        found = layers.after_closing(conn, self.scope.places, after=last, limit=self.batch)
        mine = [r for r in found if self.app.calendar_name(r["hall"], r["department"]) == self.change["calendar"]]
        dated = sorted({(r["source"], r["no"]) for r in mine if r["due_on"] is not None})
        if dated:
            follow(self.app, conn, dated, now=self.clock())
        clocks.reschedule(conn, [self._next(row) for row in mine if row["due_on"] is None])
        return found

    def _next(self, row: Row) -> dict[str, Any]:
        """Of an answer that is owed only the next look moves: it has no due date."""
        policy = self.app.policy(row["policy_version"], row["hall"])
        clock, target = cases.clock_of(row), target_of(policy, row["target"])
        next_at = row["next_at"]
        if target is not None:
            kind = row["kind"] or policy.unclassified_as
            ladder = Ladder(clock, target, policy, self.app.calendar(row["hall"]), kind, row["department"])
            next_at = ladder.next_after(row["watermark"])
        kept = {name: row[name] for name in ("source", "no", "target", "round", "watermark", "breached_at")}
        return {**kept, "next_at": next_at}
