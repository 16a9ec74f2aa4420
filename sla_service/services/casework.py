"""Folding the cases of one batch and writing what follows: case rows, clocks, due dates that moved, messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case, State, Status
from sla_service.domain.policy import BEIJING, Policy
from sla_service.services import calendar_force, consequences, webhook_events
from sla_service.services.app import App
from sla_service.services.refolding import Refolded, refolded
from sla_service.store import cases, inbox, outbox

Key = tuple[str, str]
Row = dict[str, Any]


class Casework:
    """The cases that a batch touches, from the lock to the last row."""

    def __init__(
        self,
        app: App,
        conn: Connection,
        sources: Mapping[str, Mapping[str, Any]],
        now: datetime,
        *,
        silent: bool,
        anew: bool = False,
    ) -> None:
        """``anew`` folds open cases under today's policy instead of the one they were opened under."""
        self.app, self.conn, self.now, self.silent, self.anew = app, conn, now, silent, anew
        self.sources = {name: {**row, "go_live": row["go_live"].astimezone(BEIJING)} for name, row in sources.items()}
        self.rows: dict[Key, Mapping[str, Any]] = {}  # whole where a case was folded, else what the lock gave
        self.changed: dict[Key, Row] = {}  # stored events whose status moved
        self._history: dict[Key, dict[str, Row]] = {}
        self._clocks: dict[Key, dict[tuple[str, int], Mapping[str, Any]]] = {}
        self._folded: dict[Key, Refolded] = {}
        self._policies: dict[tuple[str, str | None], Policy] = {}
        self._calendars: dict[tuple[str, str | None], Calendar] = {}

    def load(self, keys: Sequence[Key]) -> None:
        """Locks the cases and reads what is known of them, under the calendars of this moment."""
        calendar_force.refresh(self.app, self.conn)
        self.take(cases.lock(self.conn, [(s, n, self.sources[s]["hall"]) for s, n in keys]))

    def take(self, rows: Mapping[Key, Mapping[str, Any]]) -> None:
        """Reads what is known of cases whose rows were read already, and locked, if they are to be written."""
        self.rows = dict(rows)
        self._history = {key: {} for key in self.rows}
        seen = [key for key, row in self.rows.items() if row["updated_at"] is not None]
        if not seen:
            return
        for row in inbox.history(self.conn, seen):
            self._history[row["source"], row["no"]][row["id"]] = row
        for clock in cases.read_clocks(self.conn, seen):
            self._clocks.setdefault((clock["source"], clock["no"]), {})[clock["target"], clock["round"]] = clock

    def accepted(self) -> dict[Key, Mapping[str, Any]]:
        """The whole rows of the accepted cases as they stand now."""
        rest = [key for key, row in self.rows.items() if key not in self._folded and row["accepted_at"] is not None]
        read = {(r["source"], r["no"]): r for r in cases.read(self.conn, rest)} if rest else {}
        return read | {key: row for key in self._folded if (row := self.rows[key])["accepted_at"] is not None}

    def history(self) -> Iterable[Row]:
        return (row for rows in self._history.values() for row in rows.values())

    def of_case(self, key: Key) -> Iterable[Row]:
        return self._history.get(key, {}).values()

    def add(self, row: Row) -> None:
        self._history[row["source"], row["no"]][row["id"]] = row

    def remove(self, row: Mapping[str, Any]) -> None:
        """Takes a rejected event out. It had no part in its case, so that case need not be folded for it."""
        self._history.get((row["source"], row["no"]), {}).pop(row["id"], None)

    def fold(self, keys: Iterable[Key]) -> None:
        for key in keys:
            found = self._folded[key] = self._fold(key)
            for event_id, row in self._history[key].items():
                status, problem = found.case.statuses[event_id]
                if row["status"] != status or row["problem"] != problem:
                    row["status"], row["problem"] = status.value, problem
                    self.changed[key[0], event_id] = row

    def folded(self, keys: Iterable[Key]) -> dict[Key, Case]:
        """The cases as they fold, with nothing noted for writing."""
        return {key: self._fold(key).case for key in keys}

    def calendar(self, row: Mapping[str, Any]) -> Calendar:
        """The calendar in force for a case."""
        return self._in_force(row["hall"], row["department"])

    def _in_force(self, hall: str, department: str | None) -> Calendar:
        """Looked up once for a batch."""
        key = hall, department
        if key not in self._calendars:
            self._calendars[key] = self.app.calendar(hall, department)
        return self._calendars[key]

    def _policy(self, row: Mapping[str, Any]) -> Policy:
        """The policy a case goes by; looked up once for a batch."""
        anew = self.anew and row["state"] != State.CLOSED  # a closed case keeps what it was judged under
        key = row["hall"], None if anew else row["policy_version"]
        if key not in self._policies:
            self._policies[key] = self.app.policy(key[1], key[0])
        return self._policies[key]

    def _fold(self, key: Key) -> Refolded:
        row = self.rows[key]
        events = [inbox.event_of(r) for r in self._history[key].values()]
        clocks = self._clocks.get(key, {})
        kept, in_force = self.app.calendars.of, self._in_force
        return refolded(events, row, clocks, self._policy(row), kept=kept, in_force=in_force)

    def _follows(self, old: Mapping[str, Any], found: Refolded) -> bool:
        """Did the case stand under another version of its calendar? Of one calendar: departments may differ in it."""
        if old["state"] is None or old["calendar_version"] == found.in_force.version:
            return False
        names = {self.app.calendar_name(old["hall"], d) for d in (old["department"], found.case.department)}
        return len(names) == 1

    def _untold(self) -> dict[Key, list[Mapping[str, Any]]]:
        """Of cases whose dates a calendar moves, the messages about an earlier move that are still to go out."""
        found: dict[Key, list[Mapping[str, Any]]] = {}
        moved = [key for key, case in self._folded.items() if self._follows(self.rows[key], case) and self._moved(key)]
        for message in outbox.waiting_moves(self.conn, moved):
            found.setdefault((message["source"], message["no"]), []).append(message)
        return found

    def _moved(self, key: Key) -> bool:
        stored = self._clocks.get(key, {})
        running = (c for c in self._folded[key].case.clocks if c.running and c.due is not None)
        return any((old := stored.get((c.target, c.round))) and c.due and old["due_on"] != c.due.on for c in running)

    def write(self, new_events: set[Key]) -> None:
        """Writes the folded cases. ``new_events`` are the ``(source, id)`` that came with this batch."""
        result, news = consequences.Consequences(), list[webhook_events.News]()
        untold = self._untold()
        of_source: dict[str, set[str]] = {}
        woken = {key for key, row in self.changed.items() if row["status"] == Status.APPLIED}  # had to wait till now
        for source, event_id in new_events | woken:
            of_source.setdefault(source, set()).add(event_id)
        for key, found in self._folded.items():
            case, policy, old = found.case, found.policy, self.rows[key]
            row = cases.case_row(case, old["hall"], policy, found.calendar, self.now)
            if not case.accepted:
                row["policy_version"] = row["calendar_version"] = None
            follows = self._follows(old, found)
            context = consequences.Context(
                row=row,
                old=old,
                clocks=self._clocks.get(key, {}),
                refolded=found,
                directory=self.app.config.directory,
                source=self.sources[key[0]],
                new_events=of_source.get(key[0], set()),
                now=self.now,
                silent=self.silent,
                change=self.app.change(old["hall"], case.department) if follows else None,
                untold=untold.get(key, ()),
            )
            result.add(context)
            news += webhook_events.of_case(case, old, context.clocks)
            self.rows[key] = row
        cases.write(self.conn, result.cases)
        cases.write_clocks(self.conn, result.clocks)
        cases.delete_clocks(self.conn, result.gone)
        outbox.overtake(self.conn, result.overtaken)
        outbox.add(self.conn, result.messages)
        outbox.note(self.conn, result.journal)
        if not self.silent:
            news = [*webhook_events.of_journal(result.journal, anew=self.anew), *news]
            webhook_events.tell(self.app, self.conn, news, now=self.now, rows=self.rows)
