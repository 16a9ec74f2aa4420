"""What came in, looked after: listed, shown with its body, and tried again under today's rules.

Applicants are shown masked; in the clear only with a reason, which goes into the audit log.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.events import NotJson, parse_json
from sla_service.domain import masking
from sla_service.errors import NotFoundError, SlaError
from sla_service.services import audit, bodies, intake, personal
from sla_service.services.app import App
from sla_service.store import arrivals
from sla_service.store.arrivals import EVENT_STATUSES, Wanted

Row = Mapping[str, Any]

#: What somebody has to look after.
TROUBLED: Final = ("waiting", "rejected", "invalid", "conflict")
STATUSES: Final = (*TROUBLED, "applied", "voided", "replaced", "retried")
#: Bodies that can be tried again; events that wait or were rejected are judged anew with each event of their case.
AGAIN: Final = ("invalid", "conflict")
LONG: Final = timedelta(days=1)
_PAGE: Final = 500
_PHONE: Final = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One body and what became of it. ``seq`` is None for an event; ``no`` and ``type`` as far as they can be read."""

    source: str
    id: str
    no: str | None
    type: str | None
    status: str
    problem: str
    door: str
    received_at: datetime
    time: datetime | None = None
    seq: int | None = None

    def long_waiting(self, now: datetime) -> bool:
        """Has it waited for its case so long that its sender should know?"""
        return self.status == "waiting" and now - self.received_at > LONG


@dataclass(frozen=True, slots=True)
class Again:
    """A body that was tried again, with what became of it now."""

    arrival: Arrival
    status: str
    problem: str


def listed(app: App, wanted: Wanted, *, limit: int) -> list[Arrival]:
    """The latest arrivals first; without a status what somebody has to look after."""
    wanted = wanted if wanted.statuses else _with(wanted, TROUBLED)
    found: list[Arrival] = []
    with app.db.read() as conn:
        of_events = tuple(s for s in wanted.statuses if s in EVENT_STATUSES)
        if of_events:
            found += map(_event, arrivals.events(conn, _with(wanted, of_events), limit=limit))
    found += (arrival for arrival, _ in _kept(app, wanted, limit=limit))
    return sorted(found, key=lambda a: a.received_at, reverse=True)[:limit]


def shown(app: App, source: str, event_id: str, *, now: datetime, why: str | None = None) -> list[dict[str, Any]]:
    """Everything that came under an id: each body with its door, time and result, the latest first.

    ``why`` shows applicants in the clear and is noted. Raises NotFoundError.
    """
    wanted = Wanted((), source, None, (event_id,))
    with app.db.read() as conn:
        events = [(_event(r), _opened(app, r, clear=why is not None)) for r in arrivals.events(conn, wanted, limit=1)]
    wanted = _with(wanted, tuple(set(STATUSES) - EVENT_STATUSES))
    kept = [(a, _legible(raw, clear=why is not None)) for a, raw in _kept(app, wanted, limit=_PAGE)]
    if not events and not kept:
        raise NotFoundError(f"没有收到过来源 {source} 的事件 {event_id}，收到的见 sla inbox list --source {source}。")
    if why is not None:
        with app.db.write() as conn:
            audit.note(conn, now, audit.operator(), "inbox.show", f"{source}/{event_id}", why=why)
    return [{"arrival": arrival, "body": body} for arrival, body in [*kept, *events]]


def retry(app: App, wanted: Wanted, *, now: datetime, apply: bool) -> list[Again]:
    """Tries kept bodies again, the oldest first, under today's rules; without ``apply`` nothing is kept of it.

    What is taken now is settled (``retried``); the bodies stay.
    """
    wanted = wanted if wanted.statuses else _with(wanted, AGAIN)
    found = list(_kept(app, wanted, limit=None))[::-1]
    done: list[Again] = []
    for begin in range(0, len(found), _PAGE):
        part = found[begin : begin + _PAGE]
        read = [_read(arrival, raw, now) for arrival, raw in part]
        results = _tried(app, part, read, now, apply=apply)
        done += [Again(a, r.status, r.problem) for (a, _), r in zip(part, results, strict=True)]
    if apply and done:
        settled = [one.arrival.seq for one in done if one.status not in AGAIN and one.arrival.seq is not None]
        counts = Counter(one.status for one in done)
        with app.db.write() as conn:
            arrivals.settle(conn, settled, status="retried")
            audit.note(conn, now, audit.operator(), "inbox.retry", wanted.source or "*", tried=dict(counts))
    return done


def _tried(
    app: App,
    part: Sequence[tuple[Arrival, str]],
    read: Sequence[intake.Incoming],
    now: datetime,
    *,
    apply: bool,
) -> list[intake.Result]:
    """A body that still does not fit is not handed in again: it is kept already."""
    fit = [one for one in read if one.event is not None]
    taken = iter(intake.receive(app, fit, now=now, door="retry", dry_run=not apply) if fit else ())
    return [
        next(taken) if one.event is not None else intake.Result(arrival.id, "invalid", one.problem)
        for one, (arrival, _) in zip(read, part, strict=True)
    ]


def _read(arrival: Arrival, raw: str, now: datetime) -> intake.Incoming:
    try:
        return intake.read(parse_json(raw), now=now, source=arrival.source or None)
    except NotJson as e:
        return intake.Incoming(raw, None, "", e.problem, arrival.source)


def _kept(app: App, wanted: Wanted, *, limit: int | None) -> Iterator[tuple[Arrival, str]]:
    """Kept bodies with their text, the latest first. Which case they speak of can only be read in them."""
    statuses = tuple(s for s in wanted.statuses if s not in EVENT_STATUSES)
    if not statuses:
        return
    after: int | None = None
    count = 0
    while True:
        with app.db.read() as conn:
            page = arrivals.bodies(conn, _with(wanted, statuses), after=after, limit=_PAGE)
        for row in page:
            raw = _text(app, row)
            arrival = _body(row, raw)
            if wanted.no is not None and arrival.no != wanted.no:
                continue
            yield arrival, raw
            count += 1
            if limit is not None and count >= limit:
                return
        if len(page) < _PAGE:
            return
        after = page[-1]["seq"]


def _text(app: App, row: Row) -> str:
    """A kept body; one that no key opens any more must not keep the others from being looked at."""
    try:
        return personal.opened_raw(app.settings, row["source"], row["id"], row["raw"])
    except SlaError as e:
        return f"（{e}）"


def _event(row: Row) -> Arrival:
    names = ("source", "id", "no", "type", "status", "problem", "door", "received_at", "time")
    return Arrival(**{name: row[name] for name in names})


def _body(row: Row, raw: str) -> Arrival:
    try:
        value = parse_json(raw)
    except NotJson:
        value = None
    told = value if isinstance(value, Mapping) else {}
    no, type_ = (told[k] if isinstance(told.get(k), str) else None for k in ("subject", "type"))
    names = ("source", "id", "status", "problem", "door", "received_at", "seq")
    return Arrival(no=no, type=type_, **{name: row[name] for name in names})


def _opened(app: App, row: Row, *, clear: bool) -> str:
    body = bodies.body(row)
    applicant = body["data"].get("applicant")
    if isinstance(applicant, Mapping) and "erased" not in applicant:
        given = personal.opened(app.settings, row["source"], row["id"], applicant) if clear else applicant
        body["data"] = {**body["data"], "applicant": dict(given) if clear else _masked(given)}
    return json.dumps(body, ensure_ascii=False, indent=2)


def _legible(raw: str, *, clear: bool) -> str:
    """A body for people: indented, if it is JSON, and masked unless ``clear``."""
    try:
        value = parse_json(raw)
    except NotJson:
        return raw if clear else _PHONE.sub(r"\1****\2", raw)
    data = value.get("data") if isinstance(value, dict) else None
    if not clear and isinstance(data, dict) and isinstance(data.get("applicant"), Mapping):
        value["data"] = {**data, "applicant": _masked(data["applicant"])}
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if clear else _PHONE.sub(r"\1****\2", text)


def _masked(applicant: Mapping[str, Any]) -> dict[str, Any]:
    return dict(masking.applicant({k: v for k, v in applicant.items() if k != "sealed"}))


def _with(wanted: Wanted, statuses: tuple[str, ...]) -> Wanted:
    return Wanted(statuses, wanted.source, wanted.no, wanted.ids, wanted.since)
