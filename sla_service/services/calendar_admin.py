"""Changing the calendars: what a file or an order would make of them, which cases that moves, and doing it.

A draft is a function of the layers that are there, so that what was previewed is worked out anew, and checked anew,
in the transaction that carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sla_service.calendars.checks import refuse_conflicts
from sla_service.calendars.files import read_years
from sla_service.calendars.local import read_local
from sla_service.calendars.model import Layer, LayerDay, ParsedNotice, Rank
from sla_service.domain.calendar import Calendar, Day, YearStatus
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.errors import CalendarError, NotFoundError
from sla_service.services import calendar_follow
from sla_service.services.app import App
from sla_service.services.calendar_follow import BATCH, Advance, Clock, Followed
from sla_service.services.calendar_force import EVERY, compose, layer_of, put_in_force, row_of, wanted
from sla_service.store import layers

Row = Mapping[str, Any]
ORDER = "本级设定"  # the name of layers that set a single day


@dataclass(frozen=True, slots=True)
class Proposal:
    """Layers to add, each to a calendar (or to every one), and ids of those that no longer count."""

    reason: str
    add: tuple[tuple[str, Layer], ...] = ()
    end: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.add and not self.end


Draft = Callable[[Sequence[Row]], Proposal]


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A day that would be another: worked or off, under another name, or settled."""

    on: date
    old: Day
    new: Day


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft comes to. ``calendars`` holds those that would change, by name."""

    proposal: Proposal
    calendars: Mapping[str, Calendar]
    days: Mapping[str, tuple[ChangedDay, ...]]
    years: Mapping[int, tuple[YearStatus, YearStatus]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: calendars with another version, and how the cases followed."""

    calendars: Mapping[str, str]
    followed: Followed


# -- drafts -------------------------------------------------------------------------------------------------


def notices(source: Path | bytes | str, name: str = "", *, year: int | None = None) -> Draft:
    """The State Council's notice in whatever format. Raises CalendarError that names what contradicts."""
    read = read_years(source, name, year=year)
    found = [n for n in read if n.days and (year is None or n.year == year)]
    if not found:
        raise CalendarError("；".join(w for n in read for w in n.warnings) or f"文件里没有 {year} 年的日期")

    def draft(rows: Sequence[Row]) -> Proposal:
        parts = [_notice(notice, rows) for notice in found]
        return Proposal(
            reason="、".join(map(title, found)),
            add=tuple(pair for part in parts for pair in part.add),
            end=tuple(id_ for part in parts for id_ in part.end),
            warnings=tuple(w for part in parts for w in part.warnings),
        )

    return draft


def title(notice: ParsedNotice) -> str:
    """``国务院办公厅关于2027年部分节假日安排的通知（国办发明电〔2026〕7号）``"""
    name = notice.title or f"{notice.year} 年放假安排"
    return f"{name}（{notice.document}）" if notice.document else name


def _notice(notice: ParsedNotice, rows: Sequence[Row]) -> Proposal:
    held = {row["id"]: layer_of(row) for row in rows if row["rank"] == Rank.NOTICE}
    layer = notice.layer(name=title(notice))
    same = [i for i, old in held.items() if old.years == layer.years and dict(old.days) == dict(layer.days)]
    if same and all(held[i].document or not notice.document for i in same):
        return Proposal("", warnings=(f"{title(notice)}已经导入过，没有变化", *notice.warnings))
    others = [old for i, old in held.items() if i not in same]
    refuse_conflicts(notice, others)
    return Proposal("", ((EVERY, layer),), tuple(same), notice.warnings)


def local(source: Path | bytes | str, calendars: Sequence[str], name: str = "") -> Draft:
    """A region's days, from YAML or its notice, for these calendars; an earlier layer of the same name is replaced."""
    path = source.name if isinstance(source, Path) else name
    if path.lower().endswith((".yaml", ".yml")):
        found = [read_local(source, name)]
    else:
        read = read_years(source, name, regional=True)
        found = [n.layer(rank=Rank.LOCAL, name=title(n)) for n in read if n.days]
    if not found:
        raise CalendarError(f"{path or '文件'}里没有读到任何日期")

    def draft(rows: Sequence[Row]) -> Proposal:
        return _own(rows, found, calendars, "、".join(layer.name for layer in found))

    return draft


def single_day(on: date, *, off: bool, name: str, calendars: Sequence[str]) -> Draft:
    """One day by order of the hall; a later order for the same day replaces it."""
    words = f"{ORDER} {on}"
    layer = Layer(words, Rank.HALL, {on: LayerDay(off, name)}, source=f"{ORDER}（{name}）")

    def draft(rows: Sequence[Row]) -> Proposal:
        return _own(rows, [layer], calendars, f"{on} {'放假' if off else '上班'}（{name}）")

    return draft


def _own(rows: Sequence[Row], found: Sequence[Layer], calendars: Sequence[str], reason: str) -> Proposal:
    add, end, warnings = [], [], []
    for calendar in calendars:
        for layer in found:
            old = [r for r in rows if (r["calendar"], r["rank"], r["name"]) == (calendar, layer.rank, layer.name)]
            if any(r["sha256"] == layer.hash and r["source"] == layer.source for r in old):
                warnings.append(f"{layer.name}已经在日历 {calendar} 里，没有变化")
                continue
            add.append((calendar, layer))
            end += [r["id"] for r in old]
    return Proposal(reason, tuple(add), tuple(end), tuple(warnings))


def withdrawal(id_: int) -> Draft:
    """Takes a layer out that somebody imported; what the program brings itself stays."""

    def draft(rows: Sequence[Row]) -> Proposal:
        row = next((r for r in rows if r["id"] == id_), None)
        if row is None:
            raise NotFoundError(f"没有第 {id_} 层，或已经撤销；各层的编号见 sla calendar status")
        if row["edition"]:
            raise CalendarError(f"第 {id_} 层（{row['name']}）是程序自带的，不能撤销")
        return Proposal(f"撤销 {row['name']}", end=(id_,))

    return draft


def calendars_for(app: App, file: Path, named: Sequence[str]) -> list[str]:
    """The calendars that local days go to: those named; else that of the file's name; else the only one there is."""
    known = app.calendar_names()
    if named:
        unknown = [name for name in named if name not in known]
        if unknown:
            raise NotFoundError(f"没有大厅或科室用日历 {unknown[0]}；directory.yaml 里用到的有：{'、'.join(known)}")
        return list(dict.fromkeys(named))
    if file.stem in known:
        return [file.stem]
    if len(known) == 1:
        return known
    raise CalendarError(f"有几个日历（{'、'.join(known)}），请用 --calendar 注明加到哪一个")


# -- preview and apply --------------------------------------------------------------------------------------


def preview(app: App, draft: Draft) -> Preview:
    """What the draft would make of the calendars; changes nothing."""
    with app.db.read() as conn:
        rows = layers.active(conn)
        proposal = draft(rows)
        made = _made(rows, proposal, wanted(conn, app.config.directory))
    current = {name: app.calendars.change(name).calendar for name in made}
    changed = {name: new for name, new in made.items() if new.version != current[name].version}
    days = {name: tuple(_days(current[name], new)) for name, new in changed.items()}
    years = {
        year: (current[name].status(year), new.status(year))
        for name, new in changed.items()
        for year in range(new.first.year, new.last.year + 1)
        if current[name].status(year) != new.status(year)
    }
    return Preview(proposal, changed, days, years)


def trial(app: App, found: Preview) -> App:
    """An App that counts by the previewed calendars, for reading only."""
    calendars = app.calendars
    changes = {**calendars.changes}
    for name, calendar in found.calendars.items():
        changes[name] = replace(calendars.change(name), calendar=calendar)
    main = found.calendars.get(MAIN_CALENDAR, calendars.current)
    return replace(app, calendars=replace(calendars, current=main, changes=changes))


def apply(
    app: App,
    draft: Draft,
    *,
    who: str,
    clock: Clock,
    advance: Advance | None = None,
    batch: int = BATCH,
) -> Applied:
    """Puts the draft in force and lets all running cases follow; complete when it returns.

    Stopped half-way, the calendar is in force and the cases follow at the next start or command.
    """
    switched = {}
    with app.db.write() as conn:
        layers.alone(conn)
        now = clock()
        rows = layers.active(conn)
        proposal = draft(rows)
        if not proposal.empty:
            names = wanted(conn, app.config.directory)
            made = _made(rows, proposal, sorted({*names, *(c for c, _ in proposal.add if c != EVERY)}))
            _write(conn, proposal, who, now)
            heads = layers.heads(conn)
            for name, calendar in made.items():
                if name not in heads or heads[name]["version"] != calendar.version:
                    put_in_force(conn, name, calendar, reason=proposal.reason, who=who, now=now)
                    switched[name] = calendar.version
    followed = calendar_follow.go_on(app, clock=clock, advance=advance, batch=batch)
    return Applied(switched, followed)


def _write(conn: Any, proposal: Proposal, who: str, now: datetime) -> None:
    layers.end(conn, proposal.end, by=f"{who}：{proposal.reason}", now=now)
    for calendar, layer in proposal.add:
        layers.add(conn, row_of(layer, calendar, who=who, now=now))


def _made(rows: Sequence[Row], proposal: Proposal, names: Sequence[str]) -> dict[str, Calendar]:
    kept = [row for row in rows if row["id"] not in proposal.end]
    return {name: compose(kept, name, proposal.add) for name in names}


def _days(old: Calendar, new: Calendar) -> list[ChangedDay]:
    years = range(max(old.first.year, new.first.year), min(old.last.year, new.last.year) + 1)
    touched = {day.on for calendar in (old, new) for year in years for day in calendar.named_days(year)}
    pairs = ((on, old.day(on), new.day(on)) for on in sorted(touched))
    return [
        ChangedDay(on, a, b) for on, a, b in pairs if (a.kind, a.name, a.projected) != (b.kind, b.name, b.projected)
    ]
