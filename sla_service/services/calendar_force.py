"""The calendars in force: read out of the database, brought up to date at start, noticed while running.

A change is one row with a running number, so whoever is about to write cases asks for the last number and reads on
only when it has moved. On PostgreSQL that look holds a shared lock: a new calendar comes into force between two
transactions, never within one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.calendars.kept import from_content, to_content
from sla_service.calendars.layers import base_layers, build, edition, newer
from sla_service.calendars.model import Layer, LayerDay, Rank
from sla_service.domain.calendar import Calendar, YearStatus
from sla_service.domain.directory import Directory
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.services import audit
from sla_service.services.app import App, Calendars, Change
from sla_service.store import facts, layers, versions
from sla_service.store.engine import Database

Row = Mapping[str, Any]

#: In the place of a calendar's name: the layer belongs to all of them.
EVERY = "*"
PROGRAM = "sla-service"
_PLACES = "hall_calendars"


def refresh(app: App, conn: Connection, *, hold: bool = True) -> None:
    """Takes up calendars that came into force meanwhile. ``hold``: this transaction writes cases."""
    seq = layers.last_change(conn, hold=hold)
    if seq > app.calendars.seen:
        app.calendars.take_up(seq, _changes(conn, app.calendars.changes))


def open_calendars(db: Database, directory: Directory, *, now: datetime) -> Calendars:
    """The calendars in force, after what this start brings: a newer package, places with another calendar."""
    with db.read() as conn:
        due = _due(conn, directory)
    if due:
        with db.write() as conn:
            layers.alone(conn)
            _bring(conn, directory, now)
    with db.read() as conn:
        seq, changes = layers.last_change(conn), _changes(conn, {})
    calendars = Calendars(changes[MAIN_CALENDAR].calendar, _loader(db))
    calendars.take_up(seq, changes)
    return calendars


def _loader(db: Database) -> Any:
    def load(version: str) -> Calendar | None:
        with db.read() as conn:
            content = versions.calendar(conn, version)
        return None if content is None else from_content(version, content)

    return load


def _changes(conn: Connection, known: Mapping[str, Change]) -> dict[str, Change]:
    held = {change.calendar.version: change.calendar for change in known.values()}
    found = {}
    for name, row in layers.heads(conn).items():
        version = row["version"]
        if version not in held:
            content = versions.calendar(conn, version)
            assert content is not None  # noqa: S101 (a foreign key)
            held[version] = from_content(version, content)
        found[name] = Change(held[version], row["seq"], row["reason"], row["at"])
    return found


# -- what a start brings ------------------------------------------------------------------------------------


def wanted(conn: Connection, directory: Directory) -> list[str]:
    """All calendars by name: the main one, those that halls name, those that have layers."""
    return sorted({MAIN_CALENDAR, *_named(directory).values(), *layers.names(conn)} - {EVERY})


def _due(conn: Connection, directory: Directory) -> bool:
    held = layers.editions(conn)
    outdated = not held or any(newer(edition(), than) for than in held.values())
    missing = set(wanted(conn, directory)) - set(layers.heads(conn))
    return outdated or bool(missing) or _moved(conn, directory) != {}


def _bring(conn: Connection, directory: Directory, now: datetime) -> None:
    heads = layers.heads(conn)
    held = layers.editions(conn)
    reason = ""
    if not held or any(newer(edition(), than) for than in held.values()):
        reason = base_layers()[1].shown_source
        layers.end(conn, [r["id"] for r in layers.active(conn) if r["edition"]], by=reason, now=now)
        for layer in base_layers():
            layers.add(conn, row_of(layer, EVERY, edition=edition(), who=PROGRAM, now=now))
    rows = layers.active(conn)
    for name in wanted(conn, directory):
        if name not in heads or reason:
            put_in_force(conn, name, compose(rows, name), reason=reason or f"日历 {name}", who=PROGRAM, now=now)
    moved = _moved(conn, directory)
    for name in sorted(set(moved.values())):
        places = "、".join(place for place, calendar in moved.items() if calendar == name)
        head = layers.heads(conn)[name]
        layers.switch(conn, name, head["version"], reason=f"{places} 改用日历 {name}", who=PROGRAM, now=now, done=False)
    if moved:
        facts.put(conn, _PLACES, json.dumps(_named(directory), ensure_ascii=False), now=now)


def _named(directory: Directory) -> dict[str, str]:
    """Halls (``main``) and departments (``main/社会事务科``) that have a calendar of their own."""
    halls = {hall.id: hall.calendar for hall in directory.halls if hall.calendar}
    return halls | {f"{d.hall}/{d.id}": d.calendar for d in directory.departments if d.calendar}


def _moved(conn: Connection, directory: Directory) -> dict[str, str]:
    """Halls and departments that go by another calendar than at the last start, with the new one."""
    fact = facts.get(conn, _PLACES)
    before: dict[str, str] = json.loads(fact["value"]) if fact is not None else {}
    today = _named(directory)
    both = {place: (_by(place, before), _by(place, today)) for place in sorted({*before, *today})}
    return {place: new for place, (old, new) in both.items() if old != new}


def _by(place: str, named: Mapping[str, str]) -> str:
    """A department without a calendar of its own goes by its hall's, a hall by the main one."""
    return named.get(place) or named.get(place.partition("/")[0], MAIN_CALENDAR)


# -- layers and versions ------------------------------------------------------------------------------------


def compose(rows: Iterable[Row], name: str, more: Sequence[tuple[str, Layer]] = ()) -> Calendar:
    """The calendar ``name`` of the layers in ``rows`` and of ``more`` (calendar, layer) on top of these."""
    own = [layer_of(r) for r in rows if r["calendar"] in (EVERY, name)]
    return build(layers=[*own, *(layer for calendar, layer in more if calendar in (EVERY, name))])


def put_in_force(conn: Connection, name: str, calendar: Calendar, *, reason: str, who: str, now: datetime) -> int:
    """Keeps the version and makes it the current one of ``name``; gives the change's number."""
    layers.keep_version(conn, calendar.version, to_content(calendar), now=now)
    audit.note(conn, now, who, "calendar.in_force", name, version=calendar.version, reason=reason)
    return layers.switch(conn, name, calendar.version, reason=reason, who=who, now=now, done=False)


def row_of(layer: Layer, calendar: str, *, edition: str = "", who: str, now: datetime) -> dict[str, Any]:
    return {
        "calendar": calendar,
        "rank": int(layer.rank),
        "name": layer.name,
        "source": layer.source,
        "document": layer.document,
        "url": layer.url,
        "sha256": layer.hash,
        "edition": edition,
        "importer": layer.importer or who,
        "imported_at": now,
        "years": {str(y): status.value for y, status in layer.years.items()},
        "replaces": sorted(layer.replaces),
        "days": [[on.isoformat(), day.off, day.name] for on, day in sorted(layer.days.items())],
    }


def layer_of(row: Row) -> Layer:
    return Layer(
        name=row["name"],
        rank=Rank(row["rank"]),
        days={date.fromisoformat(on): LayerDay(off, name) for on, off, name in row["days"]},
        source=row["source"],
        document=row["document"],
        url=row["url"],
        sha256=row["sha256"],
        importer=row["importer"],
        imported_at=row["imported_at"],
        years={int(y): YearStatus(status) for y, status in row["years"].items()},
        replaces=frozenset(row["replaces"]),
    )
