"""The file door: events from JSON files and registers, in batches, with a list of what was not taken.

A file goes through the same intake as every other door, so it may be repeated, cut off and repeated, or come again
tomorrow with more rows. Memory does not grow with its length.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from sla_service.domain.case import Status
from sla_service.services import json_rows, register_history, registers, sources
from sla_service.services.app import App
from sla_service.services.file_input import Input, Kind, check_utf8
from sla_service.services.intake import Incoming, Result, read, receive
from sla_service.services.register_map import RegisterMap
from sla_service.services.rehearsal import Rehearsal, scratch
from sla_service.store import inbox

BATCH = 500  # events per transaction
DOOR = "file"
STATUSES = ("applied", "duplicate", "conflict", "waiting", "rejected", "invalid")
#: What becomes a line in the list of refused rows. ``waiting`` is none: the event is kept and its case may come.
_REFUSED = frozenset(("conflict", "rejected", "invalid"))
#: What a later event of the same file may still change; counted at its end, but for more than memory should hold.
_OPEN = frozenset(("waiting", "rejected"))
_MOST_OPEN = 20_000


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be taken. ``source`` fills in events that name none, and makes others' invalid.

    ``as_of`` is when a register was written, None for now.
    """

    source: str | None = None
    mapping: RegisterMap | None = None
    silent: bool = False
    dry_run: bool = False
    as_of: datetime | None = None


@dataclass(slots=True)
class Report:
    """What became of a file. ``rows`` are lines or elements that held something, ``counts`` events by status."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    registered: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told while it goes on: how far (position, whole; the latter None if unknown), and what is worth a line."""

    progress: Callable[[int, int | None], None]
    note: Callable[[str], None]
    columns: Callable[[registers.Layout, str], None]


class Item(NamedTuple):
    """One event, or one row that is none, with where it stands in the file."""

    place: Mapping[str, Any]
    incoming: Incoming
    raw: Any
    position: int


def take(app: App, found: Input, wish: Wish, rejects: Path, watch: Watch, *, now: datetime) -> Report:
    """Takes a whole file; batches that were committed stay if a later one cannot be read.

    Raises SlaError for a file that cannot be read, ConfigError for columns that cannot be told.
    """
    if found.kind is Kind.JSON:
        check_utf8(found)
    report = Report()
    with ExitStack() as stack:
        stage = stack.enter_context(scratch(app)) if wish.dry_run else None
        refusals = stack.enter_context(_refusals(rejects))
        taker = _Taker(app, wish, report, refusals, watch, stage, now)
        if found.kind is Kind.JSON:
            _events(found, wish, taker, now)
        elif found.kind is not Kind.EMPTY:
            _register(app, found, wish, taker, now)
        taker.settle()
    return report


def _events(found: Input, wish: Wish, taker: _Taker, now: datetime) -> None:
    batch: list[Item] = []
    for item in _json(found, wish, now):
        taker.report.rows += 1
        batch.append(item)
        if len(batch) >= BATCH:
            taker.take(batch)
            taker.watch.progress(item.position, found.size)
            batch = []
    taker.take(batch)


def _register(app: App, found: Input, wish: Wish, taker: _Taker, now: datetime) -> None:
    rows = registers.rows(
        found, wish.mapping or RegisterMap(), wish.source, app.current_policy().hours, taker.watch.columns, now=now
    )
    night = register_history.Night(taker.app, min(wish.as_of or now, now))
    batch: list[registers.RegisterRow] = []
    size = 0
    for row in rows:
        taker.report.rows += 1
        batch.append(row)
        size += max(len(row.events), 1)
        if size >= BATCH:
            _take_rows(batch, night, taker, wish, now)
            taker.watch.progress(row.position, found.size if found.kind is not Kind.XLSX else None)
            batch, size = [], 0
    _take_rows(batch, night, taker, wish, now)
    night.write()
    if night.outdated:
        taker.watch.note(
            f"有 {night.outdated} 行与后来导入的不同，没有动：这个文件写于 {night.shown}，比那次的旧；"
            "如果它其实是新的，用 --as-of 写明时间再导入一次。"
        )


def _take_rows(
    rows: Sequence[registers.RegisterRow], night: register_history.Night, taker: _Taker, wish: Wish, now: datetime
) -> None:
    """Sends what the rows say anew; what stood in them is kept once their events are taken."""
    taker.bring([m.raw for row in rows for m in row.events])
    plans = night.plans(rows)
    items: list[Item] = []
    of_row: list[int] = []
    for n, (row, plan) in enumerate(zip(rows, plans, strict=True)):
        made = plan.events if plan is not None else ()
        incoming = [read(m.raw, now=now, source=wish.source, allow_future=m.later_today) for m in made]
        bad = next((i for i in incoming if i.event is None), None)
        if row.problem:
            incoming = [Incoming(row.raw, None, row.field, row.problem)]
        elif bad is not None:  # half a row would be a case that nobody closes
            incoming = [Incoming(row.raw, None, bad.field, bad.problem)]
        items += [Item(row.place, i, row.raw, row.position) for i in incoming]
        of_row += [n] * len(incoming)
        taker.report.counts["duplicate"] += plan.unchanged if plan is not None else 0
    results = taker.take(items)
    refused = {n for n, result in zip(of_row, results, strict=True) if result.status in ("invalid", "conflict")}
    night.keep([plan for n, plan in enumerate(plans) if plan is not None and n not in refused])


def _json(found: Input, wish: Wish, now: datetime) -> Iterator[Item]:
    for number, value, problem, position in json_rows.rows(found):
        if problem:
            incoming = Incoming(value, None, "", problem)
        else:
            if wish.source is not None and isinstance(value, dict) and value.get("source") is None:
                value["source"] = wish.source
            incoming = read(value, now=now)
            if wish.source is not None and incoming.event is not None and incoming.event.source != wish.source:
                text = f"source 是 {incoming.event.source}，与 --source {wish.source} 不符。"
                incoming = Incoming(value, None, "source", text)
        yield Item({"row": number}, incoming, value, position)


class _Taker:
    """Hands batches to the intake and keeps count."""

    def __init__(
        self,
        app: App,
        wish: Wish,
        report: Report,
        refusals: Callable[[Mapping[str, Any]], None],
        watch: Watch,
        stage: Rehearsal | None,
        now: datetime,
    ) -> None:
        self.app = app if stage is None else stage.app
        self.wish, self.report, self.refusals, self.watch, self.stage, self.now = (
            wish,
            report,
            refusals,
            watch,
            stage,
            now,
        )
        self.known: set[str] = set()
        self.open: dict[tuple[str, str], tuple[Item, Result]] = {}

    def bring(self, raws: Sequence[Mapping[str, Any]]) -> None:
        """For a dry run: what the real database knows of these cases, before anybody asks for it."""
        if self.stage is not None:
            self.stage.bring_cases({(str(r["source"]), str(r["subject"])) for r in raws})

    def take(self, batch: list[Item]) -> list[Result]:
        """One result per item, as it stands now; a later batch may still change what waits or was rejected."""
        if not batch:
            return []
        events = [i.incoming.event for i in batch if i.incoming.event is not None]
        if self.stage is not None:
            self.stage.bring(events)
        self._register({e.source for e in events})
        results = receive(
            self.app,
            [i.incoming for i in batch],
            now=self.now,
            door=DOOR,
            source=self.wish.source,
            silent=self.wish.silent,
        )
        for item, result in zip(batch, results, strict=True):
            if result.status in _OPEN and len(self.open) < _MOST_OPEN:
                event = item.incoming.event
                assert event is not None  # noqa: S101 (what is no event is invalid)
                self.open[event.source, event.id] = item, result
            else:
                self._count(item, result)
        return results

    def settle(self) -> None:
        """Counts what the rest of the file decided: an event may come before the one that it needs."""
        keys = list(self.open)
        for begin in range(0, len(keys), BATCH):
            with self.app.db.read() as conn:
                rows = {(r["source"], r["id"]): r for r in inbox.by_id(conn, keys[begin : begin + BATCH])}
            for key, row in rows.items():
                item, result = self.open[key]
                status = "applied" if row["status"] == Status.VOIDED else row["status"]
                self._count(item, Result(result.id, status, row["problem"]))

    def _count(self, item: Item, result: Result) -> None:
        self.report.counts[result.status] += 1
        if result.status in _REFUSED:
            self.report.refused += 1
            self.refusals(_line(item, result))

    def _register(self, names: set[str]) -> None:
        """A file comes from the administrator, so a source that he names is one: it is registered on the way."""
        for name in sorted(names - self.known):
            self.known.add(name)
            if not sources.register(self.app, name, now=self.now):
                continue
            self.report.registered.append(name)
            if self.wish.dry_run:
                self.watch.note(f"来源 {name} 还没有登记，正式导入时会自动登记（厅 main）。")
            else:
                self.watch.note(f"来源 {name} 还没有登记，已自动登记（厅 main，现在上线，没有密钥）。")


def _line(item: Item, result: Result) -> dict[str, Any]:
    line: dict[str, Any] = {**item.place, "status": result.status}
    if result.id is not None:
        line["id"] = result.id
    if item.incoming.field:
        line["field"] = item.incoming.field
    return {**line, "reason": result.problem, "raw": item.raw}


@contextmanager
def _refusals(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Writes lines to ``path``, which is made by the first; its rows may name applicants, so nobody else reads it."""
    file: TextIO | None = None

    def write(line: Mapping[str, Any]) -> None:
        nonlocal file
        if file is None:
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            file = path.open("w", encoding="utf-8", errors="backslashreplace")
        file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")

    try:
        yield write
    finally:
        if file is not None:
            file.close()
