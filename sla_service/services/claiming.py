"""Claiming what waits on one channel: one envelope per person, as far as hours and sending limits let it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.services import envelopes, holding
from sla_service.services.app import App
from sla_service.services.envelopes import SANDBOX, Envelope
from sla_service.services.sending_limits import Budget, Wait, budget
from sla_service.store import deliveries

Row = Mapping[str, Any]

PEOPLE: Final = 64  # envelopes per claim


@dataclass(frozen=True, slots=True)
class Claim:
    """Who claims what, until when."""

    channel: str
    scheme: str
    now: datetime
    lease_until: datetime
    worker: str


@dataclass(slots=True)
class _Held:
    """Messages that have to wait, gathered so that they are written in few statements."""

    ids: dict[Wait, list[int]] = field(default_factory=dict)

    def add(self, messages: Sequence[Row], wait: Wait) -> None:
        self.ids.setdefault(wait, []).extend(m["id"] for m in messages)

    def write(self, conn: Connection) -> None:
        for wait, ids in self.ids.items():
            deliveries.hold(conn, ids, until=wait.until, reason=wait.reason)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What goes to one person, before it is an envelope."""

    channel: str
    recipient: str
    messages: tuple[Row, ...]
    body: Mapping[str, Any]
    content: str

    @property
    def urgent(self) -> bool:
        return any(m["detail"].get("urgent") for m in self.messages)


def claim(app: App, by: Claim) -> list[Envelope] | None:
    """Up to ``PEOPLE`` envelopes that may go now; None when nothing waits any more.

    What may not go yet is put off with its reason, so that a claim that finds something always comes further.
    """
    with app.db.write() as conn:
        deliveries.lock_channel(conn, by.channel)
        again = deliveries.due_again(conn, by.channel, now=by.now, limit=PEOPLE)
        waiting = deliveries.claim_recipients(conn, by.channel, now=by.now, limit=PEOPLE)
        if not again and not waiting:
            return None
        held = holding.maintenance(conn, by.channel, now=by.now)
        if held is not None:
            for row in again:
                deliveries.requeue(conn, row["id"], at=held.until)
            deliveries.hold(conn, [m["id"] for m in waiting], until=held.until, reason=held.reason)
            return []
        people = list({r["recipient"] for r in (*again, *waiting)})
        left = budget(app, conn, by.channel, by.scheme, people, by.now)
        return [*_repeats(app, conn, by, again, left), *_firsts(app, conn, by, waiting, left)]


def _repeats(app: App, conn: Connection, by: Claim, rows: Sequence[Row], left: Budget) -> list[Envelope]:
    """Envelopes that are tried again, as far as the windows let them."""
    good = []
    for row in rows:
        wait = left.wait(row["recipient"], row["content"], ())
        if wait is not None:
            at = holding.in_hours(app, deliveries.messages_of(conn, row["id"]), wait.until)
            deliveries.requeue(conn, row["id"], at=at)
            continue
        left.take(row["recipient"], row["content"])
        good.append(row["id"])
    claimed = deliveries.claim_again(conn, good, lease_until=by.lease_until, worker=by.worker)
    return [envelopes.read(row, deliveries.messages_of(conn, row["id"])) for row in claimed]


def _firsts(app: App, conn: Connection, by: Claim, waiting: Sequence[Row], left: Budget) -> list[Envelope]:
    """New envelopes, one per person; what falls away is suppressed, what is too early is put off."""
    if not waiting:
        return []
    states = deliveries.with_cases(conn, [m["id"] for m in waiting])
    held = _Held()
    found: list[_Parcel] = []
    good = envelopes.still_standing(app, conn, waiting, states, by.now)
    early = holding.waits(app, good, now=by.now)
    for message in good:
        if message["id"] in early:
            held.add([message], early[message["id"]])
    ready = sorted((m for m in good if m["id"] not in early), key=lambda m: (*envelopes.together(m), m["id"]))
    for (recipient, test, _), group in groupby(ready, key=envelopes.together):
        messages = list(group)
        wait = None if test else holding.crowded(by.channel, recipient, by.scheme, now=by.now)
        body = envelopes.body(app, by.channel, messages, states, by.now)
        content = envelopes.content(body)
        if wait is None and not test:
            wait = left.wait(recipient, content, [m["as_role"] for m in messages])
        if wait is not None:
            held.add(messages, Wait(holding.in_hours(app, messages, wait.until), wait.reason))
            continue
        if not test:
            left.take(recipient, content)
        found.append(_Parcel(SANDBOX if test else by.channel, recipient, tuple(messages), body, content))
    held.write(conn)
    return _wrapped(conn, by, found)


def _wrapped(conn: Connection, by: Claim, parcels: Sequence[_Parcel]) -> list[Envelope]:
    common = {
        "state": "claimed",
        "not_before": by.now,
        "attempt": 1,
        "lease_until": by.lease_until,
        "worker": by.worker,
        "created_at": by.now,
    }
    rows = [
        {
            **common,
            "channel": p.channel,
            "recipient": p.recipient,
            "body": p.body,
            "urgent": p.urgent,
            "content": p.content,
        }
        for p in parcels
    ]
    made = deliveries.create(conn, rows, [[m["id"] for m in p.messages] for p in parcels])
    return [
        Envelope(id_, 1, p.channel, p.recipient, p.body, p.urgent, p.messages, by.now, p.content)
        for id_, p in zip(made, parcels, strict=True)
    ]
