"""The figures for monitoring: all out of the database, so that every process gives the same.

Counts, ages and codes only: no case number, no person, nothing that anybody wrote. Labels are halls, channels, doors
and words of this program, so there are few series however many cases there are.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from sla_service.domain.calendar import Calendar
from sla_service.domain.clock import business_date
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.services import checkup, ticking
from sla_service.services.app import App
from sla_service.services.streams import noted
from sla_service.store import audit, checks, facts, figures, tallies, webhooks
from sla_service.store.engine import HEAD, unavailable

CENSUS: Final = "census"
LIGHTS: Final = ("red", "yellow", "green", "grey")
#: Series per hall beyond this many are summed up as ``other``.
MOST_HALLS: Final = 200
_FRESH: Final = timedelta(seconds=5)
_CENSUS_FRESH: Final = timedelta(seconds=15)
#: A count of all open cases is good for so many times as long as it took: a twentieth of the time at most.
_SHARE: Final = 20
_HOUR: Final = timedelta(hours=1)
_RECENT: Final = timedelta(days=30)

Labels = Mapping[str, str]
Sums = Mapping[tuple[str, str, str], int]  # what, kind, result -> how many


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its samples are labels and a value. A counter's name ends in ``_total``."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    samples: tuple[tuple[Labels, float], ...]


@dataclass(slots=True)
class Metrics:
    """The figures of one process, looked up again when they are some seconds old."""

    app: App
    _held: tuple[datetime, list[Family]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def families(self, *, now: datetime) -> list[Family]:
        """All figures. While one looks them up the others get those from before: threads are for events."""
        held = self._held
        if held is not None and timedelta() <= now - held[0] < _FRESH:
            return held[1]
        if not self._lock.acquire(blocking=held is None) and held is not None:
            return held[1]
        try:
            latest = self._held
            if latest is None or latest is held:
                latest = self._held = now, measure(self.app, now=now)
            return latest[1]
        finally:
            self._lock.release()


def measure(app: App, *, now: datetime) -> list[Family]:
    """Looks everything up, but for the count of open cases if a recent one is there."""
    with app.db.read() as conn:
        counted, age = _census(conn, now)
        if age is None:
            counted, age = _count(conn, now), 0.0
            _share(app, counted, now)
        sums = tallies.read(conn)
        return [
            *_cases(app, counted["halls"], age),
            *_clocks(conn, now),
            *_messages(app, conn, sums, now),
            *_events(conn, sums, now),
            *_told(conn, now),
            _calendar(app, business_date(now)),
            *_service(app, conn, now),
            *_stream(app, now),
            *_doctor(app, now),
        ]


# -- cases ------------------------------------------------------------------------------------------------------------


def _census(conn: Connection, now: datetime) -> tuple[dict[str, Any], float | None]:
    """The count of open cases that any process made last, and its age; None if that is too long ago."""
    fact = facts.get(conn, CENSUS)
    if fact is None:
        return {}, None
    held: dict[str, Any] = json.loads(fact["value"])
    keep = max(_CENSUS_FRESH, timedelta(seconds=held["took"] * _SHARE))
    age = now - fact["at"]
    return held, age.total_seconds() if timedelta() <= age < keep else None


def _count(conn: Connection, now: datetime) -> dict[str, Any]:
    begin = time.monotonic()
    halls = _by_hall(figures.census(conn, now=now))
    return {"halls": halls, "took": time.monotonic() - begin}


def _share(app: App, counted: Mapping[str, Any], now: datetime) -> None:
    """For the other processes; a database that only reads at the moment is no reason to give no figures."""
    try:
        with app.db.write() as conn:
            facts.put(conn, CENSUS, json.dumps(counted), now=now)
    except DBAPIError as e:
        if not unavailable(e):
            raise


def _by_hall(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    names = (*LIGHTS, "projected")
    found: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda r: (r["hall"], r["calendar_version"] or "")):
        hall = row["hall"] if row["hall"] in found or len(found) < MOST_HALLS else "other"
        sums = found.setdefault(hall, dict.fromkeys(names, 0))
        for name in names:
            sums[name] += row[name]
    return found


def _cases(app: App, halls: Mapping[str, Mapping[str, int]], age: float) -> list[Family]:
    nobody = dict.fromkeys((*LIGHTS, "projected"), 0)
    shown = {h.id: nobody for h in app.config.directory.halls[:MOST_HALLS]} | dict(halls)
    lights = [({"hall": h, "light": name}, n[name]) for h, n in shown.items() for name in LIGHTS]
    projected = [({"hall": h}, n["projected"]) for h, n in shown.items()]
    return [
        _gauge("sla_cases", "Open cases by light; grey is paused.", *lights),
        _gauge("sla_cases_projected", "Open cases whose due date was counted over projected days.", *projected),
        _gauge("sla_census_age_seconds", "Age of the two counts above.", ({}, age)),
    ]


def _clocks(conn: Connection, now: datetime) -> list[Family]:
    due, oldest = checks.overdue_looks(conn, before=now)
    return [
        _gauge("sla_clocks_due", "Clocks whose look is due.", ({}, due)),
        _gauge("sla_clocks_oldest_seconds", "How long the oldest of them has been due.", ({}, _age(now, oldest))),
    ]


# -- messages ---------------------------------------------------------------------------------------------------------


def _messages(app: App, conn: Connection, sums: Sums, now: datetime) -> list[Family]:
    queued = figures.queued_messages(conn, now=now)
    moving = figures.envelopes(conn)
    channels = sorted({*app.config.channels, *queued, *(channel for channel, _ in moving)})
    none = (0, None)
    waiting = [(c, queued.get(c, none)) for c in channels]
    flowing = [(c, s, moving.get((c, s), none)) for c in channels for s in ("queued", "claimed", "sending")]
    tries = [
        ({"channel": c, "outcome": outcome}, n)
        for c in channels
        for outcome, n in sorted(figures.tries(conn, c, since=now - _HOUR).items())
    ]
    troubled = [
        ({"state": r["state"], "reason": r["reason"]}, r["n"]) for r in checks.troubled(conn, since=now - _RECENT)
    ]
    return [
        _gauge("sla_messages_queued", "Messages written and not in an envelope yet.",
               *(({"channel": c}, n) for c, (n, _) in waiting)),
        _gauge("sla_messages_oldest_seconds", "How long the oldest of them has been free to go.",
               *(({"channel": c}, _age(now, oldest)) for c, (_, oldest) in waiting)),
        _gauge("sla_envelopes", "Envelopes under way; queued: to be tried again.",
               *(({"channel": c, "state": s}, n) for c, s, (n, _) in flowing)),
        _gauge("sla_envelopes_oldest_seconds", "Age of the oldest of them.",
               *(({"channel": c, "state": s}, _age(now, oldest)) for c, s, (_, oldest) in flowing)),
        _gauge("sla_sends_last_hour", "Tries in the last hour by outcome; open: not answered yet.", *tries),
        _gauge("sla_messages_troubled", "Messages of open cases given up or unclear in the last 30 days.", *troubled),
        _counter("sla_sends_total", "Tries by channel and outcome.", ("channel", "outcome"), sums, "alerts"),
    ]  # fmt: skip


def _events(conn: Connection, sums: Sums, now: datetime) -> list[Family]:
    waiting, oldest = checks.waiting_events(conn, before=now)
    since = oldest["received_at"] if oldest is not None else None
    return [
        _counter("sla_events_total", "Events by door and status.", ("door", "status"), sums, "events"),
        _gauge("sla_events_waiting", "Events that wait for their case.", ({}, waiting)),
        _gauge("sla_events_waiting_oldest_seconds", "How long the oldest has waited.", ({}, _age(now, since))),
    ]


def _told(conn: Connection, now: datetime) -> list[Family]:
    held = webhooks.figures(conn)
    return [
        _gauge("sla_webhook_events", "Events for case systems that have not arrived; dead: given up.",
               *(({"state": state}, n) for state, (n, _) in held.items())),
        _gauge("sla_webhook_events_oldest_seconds", "How long the oldest that is not given up has been waiting.",
               ({}, _age(now, held["open"][1]))),
    ]  # fmt: skip


# -- the service ------------------------------------------------------------------------------------------------------


def _calendar(app: App, today: date) -> Family:
    names = sorted({MAIN_CALENDAR, *app.calendars.changes})
    days = [({"calendar": n}, _settled(app.calendars.change(n).calendar, today)) for n in names]
    return _gauge("sla_calendar_horizon_days", "Days from today on that published notices cover.", *days)


def _settled(calendar: Calendar, today: date) -> int:
    year = today.year
    while year <= calendar.last.year and calendar.status(year).settled:
        year += 1
    return (date(year, 1, 1) - today).days if year > today.year else 0


def _service(app: App, conn: Connection, now: datetime) -> list[Family]:
    tick = ticking.last_tick(app)
    return [
        _gauge("sla_tick_age_seconds", "Since the last look at what is due, anywhere.",
               *([({}, _age(now, tick))] if tick != ticking.NEVER else [])),
        _gauge("sla_audit_unsealed", "Rows of the audit log that are not in the chain yet.",
               ({}, audit.unsealed(conn))),
        _gauge("sla_schema_version", "Version of the database's tables.", ({}, int(HEAD))),
    ]  # fmt: skip


def _stream(app: App, now: datetime) -> list[Family]:
    state = noted(app)
    if state is None:
        return []
    words = {
        "length": "Entries that Redis holds.",
        "lag": "Entries that no worker has taken.",
        "pending": "Entries taken and not acknowledged.",
        "dead": "Entries put aside in sla:events:dead.",
    }
    found = [_gauge(f"sla_stream_{name}", text, ({}, getattr(state, name))) for name, text in words.items()]
    oldest = _gauge("sla_stream_oldest_seconds", "Age of the oldest entry not taken.", ({}, _age(now, state.oldest_at)))
    return [*found, oldest, _gauge("sla_stream_seen_seconds", "Age of these figures.", ({}, _age(now, state.at)))]


def _doctor(app: App, now: datetime) -> list[Family]:
    visit = checkup.last(app)
    if visit is None:
        return []
    found = [({"code": code, "level": level}, 1) for code, level in visit.findings]
    return [
        _gauge("sla_doctor_finding", "What the last visit of the doctor found.", *found),
        _gauge("sla_doctor_age_seconds", "Since that visit.", ({}, _age(now, visit.at))),
        _gauge("sla_doctor_took_seconds", "How long it took.", ({}, visit.took)),
    ]


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _gauge(name: str, text: str, *samples: tuple[Labels, float]) -> Family:
    return Family(name, "gauge", text, samples)


def _counter(name: str, text: str, labels: tuple[str, str], sums: Sums, what: str) -> Family:
    rows = sorted(((kind, result), n) for (of, kind, result), n in sums.items() if of == what)
    return Family(name, "counter", text, tuple((dict(zip(labels, key, strict=True)), n) for key, n in rows))
