"""What became of the tries: recorded behind the fence, and what follows from it.

What the provider left unclear, refused or put off is decided by ``delivery.retry``, never here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.delivery.outcome import Kind, Outcome, unknown
from sla_service.delivery.retry import Decision, Step, next_attempt
from sla_service.services import envelopes, fallback, holding, receipts, webhook_events
from sla_service.services.app import App
from sla_service.services.envelopes import Envelope
from sla_service.store import deliveries, tries

log = logging.getLogger(__name__)

Row = Mapping[str, Any]


def record(app: App, done: Sequence[tuple[Envelope, Outcome]], *, now: datetime) -> None:
    """What was accepted in one commit, in one order for all workers; whatever else became of a try by itself."""
    taken = [(e, o) for e, o in done if o.kind is Kind.ACCEPTED]
    late = _accepted(app, taken, now) if taken else []
    late += [e for e, o in done if o.kind is not Kind.ACCEPTED and not _other(app, e, o, now)]
    for envelope in late:
        log.warning("delivery %s: late record of attempt %s fenced off", envelope.id, envelope.attempt)


def _accepted(app: App, taken: Sequence[tuple[Envelope, Outcome]], now: datetime) -> list[Envelope]:
    """Records what was accepted; gives what has become somebody else's meanwhile."""
    with app.db.write() as conn:
        told = webhook_events.hold(conn, [m for e, _ in taken for m in e.messages])
        rows = [{"id": e.id, "attempt": e.attempt, "provider_id": o.provider_id} for e, o in taken]
        held = tries.accepted(conn, rows)
        kept = [(e, o) for e, o in taken if e.id in held]
        tries.finish(conn, [_tried(e, o) for e, o in kept], now=now)
        deliveries.settle_messages(conn, [m["id"] for e, _ in kept for m in e.messages], state="accepted")
        webhook_events.reminded(app, conn, [(e.channel, m) for e, _ in kept for m in e.messages], told, now=now)
        receipts.catch_up(app, conn, [(e.id, e.channel, o.provider_id) for e, o in kept], now=now)
    return [e for e, _ in taken if e.id not in held]


def _tried(envelope: Envelope, outcome: Outcome) -> Row:
    return {
        "delivery": envelope.id,
        "attempt": envelope.attempt,
        "to": f"{envelope.channel}:{envelope.recipient}",
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "text": f"{outcome.text} {outcome.hint}".strip(),
    }


def _other(app: App, envelope: Envelope, outcome: Outcome, now: datetime) -> bool:
    with app.db.write() as conn:
        unclear = tries.first_unclear(conn, envelope.id)
        tries.finish(conn, [_tried(envelope, outcome)], now=now)
        kept = _follow(app, conn, envelope, outcome, unclear, now=now)
        if kept:
            receipts.catch_up(app, conn, [(envelope.id, envelope.channel, outcome.provider_id)], now=now)
        return kept


def too_late(app: App, envelope: Envelope, *, now: datetime) -> bool:
    """A repeat that the provider would no longer recognise must not go out."""
    if envelope.not_after is None or now <= envelope.not_after:
        return False
    late = unknown("repeat_too_late", "重发已过服务商去重时限")
    with app.db.write() as conn:
        first = tries.first_unclear(conn, envelope.id)
        _follow(app, conn, envelope, late, first, now=now)
    return True


def _follow(
    app: App,
    conn: Connection,
    envelope: Envelope,
    outcome: Outcome,
    unclear: datetime | None,
    *,
    now: datetime,
    began: datetime | None = None,
) -> bool:
    """Carries out what ``delivery.retry`` decides; False if the envelope is somebody else's by now."""
    decision = next_attempt(
        outcome,
        envelope.attempt,
        now=now,
        kind="escalation" if envelope.urgent else "reminder",
        scheme=app.channels.open(envelope.channel).scheme,
        message_id=f"d{envelope.id}",
        first_unclear=unclear,
        began=began,
        more_channels=any(m["via"] for m in envelope.messages),
    )
    ids = [m["id"] for m in envelope.messages]
    match decision.step:
        case Step.DONE:
            kept = tries.record(conn, envelope.id, envelope.attempt, state="accepted", provider_id=outcome.provider_id)
            if kept:
                deliveries.settle_messages(conn, ids, state="accepted")
        case Step.AGAIN:
            when = {"not_before": _again_at(app, envelope, decision), "not_after": decision.not_after}
            kept = tries.record(conn, envelope.id, envelope.attempt, state="queued", **when)
        case Step.PARKED:
            kept = tries.record(conn, envelope.id, envelope.attempt, state="unknown")
            if kept:
                deliveries.settle_messages(conn, ids, state="unknown", reason=decision.reason)
        case Step.NEXT_CHANNEL | Step.GIVEN_UP:
            kept = tries.record(conn, envelope.id, envelope.attempt, state="failed")
            if kept:
                deliveries.settle_messages(conn, ids, state="failed", reason=decision.reason)
                fallback.pass_on(app, conn, envelope.messages, decision.reason, now=now)
    return kept


def _again_at(app: App, envelope: Envelope, decision: Decision) -> datetime | None:
    """A repeat keeps the sending hours, unless the provider would have forgotten by then what it is to drop."""
    if decision.at is None or decision.not_after is not None:
        return decision.at
    return holding.in_hours(app, envelope.messages, decision.at)


def reap(app: App, channel: str, *, now: datetime) -> None:
    """Takes up what a dead worker left: what was only claimed is queued again, what was being sent is unclear."""
    with app.db.write() as conn:
        for row in deliveries.expired(conn, channel, now=now, limit=500):
            if row["state"] == "claimed":
                deliveries.requeue(conn, row["id"], at=now)
                continue
            envelope = envelopes.read(row, deliveries.messages_of(conn, row["id"]))
            lost = unknown("lease_expired", "发送途中进程中断")
            key = (envelope.id, envelope.attempt)
            unclear = tries.first_unclear(conn, envelope.id)
            tries.finish(conn, [_tried(envelope, lost)], now=now)
            began = tries.first_unclear(conn, envelope.id)  # this try's own beginning, or an earlier one's
            _follow(app, conn, envelope, lost, unclear, now=now, began=began)
            log.warning("delivery %s: its worker went away during attempt %s", *key)
