"""Events in: one transaction per batch, the same for every door, safe to repeat.

Case rows are locked in sorted order, events appended, touched cases folded anew, and cases, clocks and messages
written, all or nothing. A batch that fails is run again event by event: a bad neighbour takes nobody along.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from schemas.events import ParsedEvent
from sla_service.domain.case import Status
from sla_service.domain.events import VISIT, VOIDED
from sla_service.domain.policy import BEIJING
from sla_service.services import audit, bodies, personal
from sla_service.services.app import App
from sla_service.services.casework import Casework
from sla_service.services.incoming import Incoming, Result, read
from sla_service.services.views import case_out
from sla_service.store import inbox
from sla_service.store import sources as source_rows
from sla_service.store.engine import unavailable

__all__ = ["Incoming", "Result", "read", "receive"]

log = logging.getLogger(__name__)
Row = dict[str, Any]

#: An event that has waited so long for its case is told to its sender with every answer about that case.
_LONG = timedelta(days=1)


def receive(
    app: App,
    items: Sequence[Incoming],
    *,
    now: datetime,
    door: str,
    source: str | None = None,
    silent: bool = False,
    dry_run: bool = False,
) -> list[Result]:
    """Takes a batch; gives one result per item, in order. ``source`` owns the bodies that name none.

    Raises the database's error when it is away; what was sent can then be sent again, unchanged.
    """

    def take(some: Sequence[Incoming]) -> list[Result]:
        with app.db.write() as conn:
            results = _Batch(app, conn, some, now, door, source or "", silent).run()
            audit.taken(conn, some, results, now=now, door=door)
            if dry_run:
                conn.rollback()
            return results

    try:
        return take(items)
    except sa.exc.DBAPIError as e:
        if unavailable(e):
            raise
    return [_alone(item, take) for item in items]


def _alone(item: Incoming, take: Callable[[Sequence[Incoming]], list[Result]]) -> Result:
    """One event by itself, after the group that it came in has failed.

    Tried twice, since an id that another transaction has just used is found by the second look. What the database
    does not take even then is kept as it came: its neighbours go on, and its sender is told.
    """
    for _ in range(2):
        try:
            return take([item])[0]
        except sa.exc.DBAPIError as e:
            if unavailable(e):
                raise
            log.warning("event %s of %s: %s", item.id, item.owner, type(e.orig).__name__)  # its text holds the data
    return take([replace(item, event=None, problem="数据库存不下这个事件，原文已保留，请联系管理员。")])[0]


class _Batch:
    """One batch inside its transaction."""

    def __init__(
        self, app: App, conn: Connection, items: Sequence[Incoming], now: datetime, door: str, owner: str, silent: bool
    ) -> None:
        self.app, self.conn, self.items, self.door, self.owner = app, conn, items, door, owner
        self.now = now.astimezone(BEIJING)  # to business time once
        self.results: list[Result | None] = [None] * len(items)
        self.kept: list[Row] = []
        self.new: dict[tuple[str, str], Row] = {}
        self.known: dict[tuple[str, str], Row] = {}
        self.stored: set[tuple[str, str]] = set()  # keys that the database holds already
        self.fresh: list[tuple[int, tuple[str, str]]] = []  # item index, event key
        events = [(i, item.event) for i, item in enumerate(items) if item.event is not None]
        self.sources = source_rows.by_name(conn, {e.source for _, e in events})
        self.events = [(i, e) for i, e in events if self._registered(i, e)]
        self.work = Casework(app, conn, self.sources, self.now, silent=silent)

    def _registered(self, i: int, event: ParsedEvent) -> bool:
        if event.source in self.sources:
            return True
        problem = f"来源 {event.source} 没有登记，请先运行 sla source add {event.source}"
        self._invalid(i, "source", problem)
        return False

    def run(self) -> list[Result]:
        for i, item in ((i, item) for i, item in enumerate(self.items) if item.event is None):
            self._invalid(i, item.field, item.problem)
        self._load()
        for wave in _waves(self.events):
            touched = set()
            for i, event in wave:
                key = self._take(i, event)
                if key is not None:
                    touched.add(key)
            self.work.fold(touched)
        self._write()
        return self._answer()

    def _load(self) -> None:
        keys = sorted({(e.source, e.subject) for _, e in self.events if e.type != VISIT})
        self.work.load(keys)
        self.known = {(r["source"], r["id"]): r for r in self.work.history()}
        ids = {(e.source, e.id) for _, e in self.events}
        ids |= {(e.source, str(e.data["event_id"])) for _, e in self.events if e.type == VOIDED}
        elsewhere = sorted(ids - set(self.known))
        if elsewhere:
            self.known |= {(r["source"], r["id"]): r for r in inbox.by_id(self.conn, elsewhere)}
        self.stored = set(self.known)

    def _take(self, i: int, event: ParsedEvent) -> tuple[str, str] | None:
        """Places one event; gives the key of the case that has to be folded anew, if any."""
        old = self.known.get((event.source, event.id))
        if old is not None:
            if old["content"] == event.content:
                self.results[i] = Result(event.id, "duplicate", old["problem"])
                return None
            if old["status"] != Status.REJECTED:
                problem = f"事件 {event.id} 已有不同内容，以先到的为准；要更正请先发 event.voided，再用新的 id 发送"
                self._keep(i, event.source, event.id, "conflict", problem)
                self.results[i] = Result(event.id, "conflict", problem)
                return None
            self._replace(old)
            self._settle((event.source, event.id))
        row = self._row(event, self.items[i].raw)
        self.known[event.source, event.id] = self.new[event.source, event.id] = row
        self.fresh.append((i, (event.source, event.id)))
        if event.type == VISIT:
            row["status"] = Status.APPLIED.value
            return None
        if event.type == VOIDED and self._void_visit(row):
            return None
        self.work.add(row)
        return event.source, event.subject

    def _void_visit(self, void: Row) -> bool:
        target = self.known.get((void["source"], str(void["data"]["event_id"])))
        if target is None or target["type"] != VISIT:
            return False
        void["status"] = Status.APPLIED.value
        self.work.changed[target["source"], target["id"]] = dict(target) | {"status": Status.VOIDED.value}
        return True

    def _settle(self, key: tuple[str, str]) -> None:
        """Says of an earlier body in this batch what it was before another one replaces it."""
        for i, earlier in self.fresh:
            if earlier == key and self.results[i] is None:
                row = self.known[key]
                self.results[i] = Result(row["id"], row["status"], row["problem"])

    def _replace(self, old: Row) -> None:
        """A rejected body frees its id: it moves aside for the corrected one."""
        self.kept.append(
            {
                **{k: old[k] for k in ("source", "id", "problem", "door", "received_at")},
                "status": "replaced",
                "raw": json.dumps(bodies.body(old), ensure_ascii=False),
            }
        )
        self.work.remove(old)

    def _row(self, event: ParsedEvent, raw: Mapping[str, Any]) -> Row:
        return {
            "source": event.source,
            "id": event.id,
            "no": event.subject,
            "type": event.type,
            "time": event.time.astimezone(BEIJING),
            "data": personal.stored(self.app.settings, event.source, event.id, event.data),
            "extra": bodies.beside(raw),
            "content": event.content,
            "status": Status.WAITING.value,
            "problem": "",
            "door": self.door,
            "received_at": self.now,
        }

    def _invalid(self, i: int, field: str, problem: str) -> None:
        item = self.items[i]
        named = item.raw.get("source") if isinstance(item.raw, Mapping) else None
        source = item.owner or (named if isinstance(named, str) else "") or self.owner
        told = problem if not field or problem.startswith(field) else f"{field}：{problem}"
        self._keep(i, source, item.id or "", "invalid", told)
        self.results[i] = Result(item.id, "invalid", problem)

    def _keep(self, i: int, source: str, event_id: str, status: str, problem: str) -> None:
        raw = self.items[i].raw
        text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=True, default=repr)
        row = {"source": source, "id": event_id, "status": status, "problem": problem, "raw": text}
        clean = {k: v.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000") for k, v in row.items()}
        clean["raw"] = personal.stored_raw(self.app.settings, clean["source"], clean["id"], clean["raw"])
        self.kept.append({**clean, "door": self.door, "received_at": self.now})

    def _write(self) -> None:
        inbox.append(self.conn, [r for k, r in self.new.items() if k not in self.stored])
        changed = {k: r for k, r in self.work.changed.items() if k not in self.new}
        inbox.change(self.conn, [*changed.values(), *(r for k, r in self.new.items() if k in self.stored)])
        inbox.keep(self.conn, self.kept)
        self.work.write(set(self.new))

    def _answer(self) -> list[Result]:
        for i, key in self.fresh:
            row = self.known[key]
            status = row["status"]
            if status == Status.VOIDED:
                status = Status.APPLIED.value  # taken in, and taken back by an event that came before it
            if self.results[i] is None:
                self.results[i] = Result(row["id"], status, row["problem"] + self._waited(row))
        rows = self.work.accepted()
        out = {k: case_out(r, now=self.now, calendar=self.work.calendar(r)) for k, r in rows.items()}
        final = []
        for item, result in zip(self.items, self.results, strict=True):
            assert result is not None  # noqa: S101 (every item was placed above)
            event = item.event
            case = out.get((event.source, event.subject)) if event is not None and result.status != "invalid" else None
            final.append(Result(result.id, result.status, result.problem, case))
        return final

    def _waited(self, row: Row) -> str:
        """For an event that waits: since when others of its case do, if that is long."""
        if row["status"] != Status.WAITING:
            return ""
        waiting = [r for r in self.work.of_case((row["source"], row["no"])) if r["status"] == Status.WAITING]
        days = (self.now - min(r["received_at"] for r in waiting)).days if waiting else 0
        return f"；这件已有 {len(waiting)} 个事件在等，最早的等了 {days} 天，请补发" if days >= _LONG.days else ""


def _waves(events: Sequence[tuple[int, ParsedEvent]]) -> list[list[tuple[int, ParsedEvent]]]:
    """Cuts a batch where an id comes again, so that each body meets what the one before it led to."""
    waves: list[list[tuple[int, ParsedEvent]]] = []
    seen: dict[tuple[str, str], int] = {}
    for i, event in events:
        n = seen.get((event.source, event.id), 0)
        seen[event.source, event.id] = n + 1
        if n == len(waves):
            waves.append([])
        waves[n].append((i, event))
    return waves
