"""Everything there is about one case: how it stands, its clocks and timers, its history, its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sla_service.domain.ladder import Planned
from sla_service.services.app import App
from sla_service.services.consequences import ladder_of
from sla_service.services.explaining import CaseAccountOut, accepted, explain, refold
from sla_service.services.views import case_out
from sla_service.store import cases, inbox, queries, sources, told

Row = Mapping[str, Any]

_MESSAGES = 1000  # of one case; a case with more is a fault in the ladder, not in this list
_AHEAD = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Timer:
    """One clock's next look, and the steps of its ladder still to be looked at, as things stand."""

    target: str
    round: int
    next_at: datetime | None
    steps: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """``case`` is the case object; events in the order in which they count, messages oldest first."""

    case: Mapping[str, Any]
    row: Row
    account: CaseAccountOut
    timers: tuple[Timer, ...]
    events: Sequence[Row]
    journal: Sequence[Row]
    messages: Sequence[Row]


def dossier(app: App, source: str, no: str, *, now: datetime) -> Dossier:
    """Raises NotFoundError for a case that was never accepted; says then if events wait for it."""
    account = explain(app, source, no, now=now)
    with app.db.read() as conn:
        row = accepted(conn, source, no)
        history = inbox.history(conn, [(source, no)])
        clocks = cases.read_clocks(conn, [(source, no)])
        journal = queries.journal(conn, source, no)
        wanted = queries.MessageFilter(source=source, no=no)
        sent = queries.messages(conn, wanted, limit=_MESSAGES)
        more = told.details(conn, [m["id"] for m in sent])
        delay = sources.delay_of(conn, source)
    return Dossier(
        case=case_out(row, now=now, calendar=app.calendar_of(row)),
        row=row,
        account=account,
        timers=_timers(app, row, history, clocks, now, delay),
        events=sorted(history, key=lambda r: inbox.event_of(r).order),
        journal=journal,
        messages=[{**m, **more.get(m["id"], {})} for m in reversed(sent)],
    )


def _timers(
    app: App, row: Row, history: Sequence[Row], clocks: Sequence[Row], now: datetime, delay: timedelta
) -> tuple[Timer, ...]:
    found = refold(app, row, history, clocks)
    stored = {(c["target"], c["round"]): c for c in clocks}
    timers = []
    for clock in found.case.clocks:
        kept = stored.get((clock.target, clock.round))
        ladder = ladder_of(found.case, clock, found.policy, found.in_force, delay=delay) if clock.running else None
        if kept is None or ladder is None:
            continue
        first: dict[str, Planned] = {}  # of a step that repeats the next time says enough
        for planned in ladder.planned(kept["watermark"], now + _AHEAD):
            first.setdefault(planned.step.key, planned)
        timers.append(Timer(clock.target, clock.round, kept["next_at"], tuple(first.values())))
    return tuple(timers)
