"""The tick: claim what is due, decide it, write messages and the next look, all in one transaction per batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sla_service.domain.case import State
from sla_service.domain.ladder import Ladder, decide, target_of
from sla_service.domain.policy import BEIJING
from sla_service.services import calendar_follow, calendar_force, webhook_events
from sla_service.services.addressing import About, falls, messages
from sla_service.services.app import App
from sla_service.services.views import beijing
from sla_service.store import cases, clocks, deliveries, facts, outbox

Row = dict[str, Any]

BATCH = 500
LAST_TICK = "last_tick"
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Ticked:
    """What one tick did: clocks looked at, messages newly written, breaches noticed."""

    clocks: int = 0
    messages: int = 0
    breaches: int = 0


@dataclass(slots=True)
class _Rows:
    clocks: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)


def fire_due(app: App, *, now: datetime, limit: int = BATCH) -> Ticked:
    """Fires every clock that is due, batch by batch. Any number of workers may do it at once."""
    done, now = Ticked(), now.astimezone(BEIJING)
    while True:
        with app.db.read() as conn:
            first = clocks.next_at(conn)
        if first is None or first > now:
            return done
        with app.db.write() as conn:
            calendar_force.refresh(app, conn)
            claimed = clocks.claim(conn, now=now, limit=limit)
            late = calendar_follow.stale(app, claimed)
            if late:  # decided when they stand under the calendar in force, in the next round
                calendar_follow.follow(app, conn, sorted(late), now=now)
            rows = _Rows()
            for row in claimed:
                if (row["source"], row["no"]) not in late:
                    _look(app, row, now, rows)
            clocks.reschedule(conn, rows.clocks)
            cases.add_falls(conn, falls(rows.messages))
            done.messages += outbox.add(conn, rows.messages)
            outbox.note(conn, rows.journal)
            webhook_events.tell(app, conn, webhook_events.of_journal(rows.journal), now=now)
        done.clocks += len(claimed)
        done.breaches += len(rows.journal)
        if len(claimed) < limit and not late:  # the rest is in other workers' hands
            return done


def _look(app: App, row: Mapping[str, Any], now: datetime, out: _Rows) -> None:
    policy = app.policy(row["policy_version"], row["hall"])
    calendar = app.calendar_of(row)
    clock = cases.clock_of(row)
    target = target_of(policy, clock.target)
    key = {k: row[k] for k in ("source", "no", "target", "round")}
    if target is None:  # the policy has dropped it: nothing to look at any more
        out.clocks.append({**key, "watermark": now, "breached_at": row["breached_at"], "next_at": None})
        return
    handler = row["handler"]
    said = (row["detail"] or {}).get("acknowledged", ())
    answered = max((datetime.fromisoformat(at) for at, who in said if who == handler), default=None)
    kind, delay = row["kind"] or policy.unclassified_as, timedelta(seconds=row["batch_delay"])
    ladder = Ladder(clock, target, policy, calendar, kind, row["department"], acknowledged_at=answered, delay=delay)
    firing = decide(ladder, watermark=row["watermark"], now=now)
    breached = row["breached_at"] or firing.breached_at
    out.clocks.append({**key, "watermark": now, "breached_at": breached, "next_at": firing.next_at})
    about = About(
        row["source"],
        row["no"],
        row["hall"],
        row["department"],
        handler,
        clock.target,
        clock.round,
        clock.due.on if clock.due else None,
        sandbox_only=bool(row["test"]),
    )
    out.messages += messages(about, firing.notices, app.config.directory, now=now)
    if firing.breached_at is not None and row["breached_at"] is None:
        which = {"target": clock.target, "round": clock.round}
        detail = {**which, "due": beijing(firing.breached_at), "paused": row["state"] == State.PAUSED}
        out.journal.append({"source": row["source"], "no": row["no"], "at": now, "what": "breached", "detail": detail})


def beat_heard(app: App, *, now: datetime) -> None:
    """Notes that a tick ran, for the doctor and for workers that hear no beat."""
    with app.db.write() as conn:
        facts.put(conn, LAST_TICK, "", now=now)


def last_tick(app: App) -> datetime:
    """When a tick last ran anywhere; long ago if never."""
    with app.db.read() as conn:
        fact = facts.get(conn, LAST_TICK)
    return fact["at"] if fact is not None else NEVER


def waiting(app: App, *, now: datetime) -> list[str]:
    """Channels on which something may go out now."""
    with app.db.read() as conn:
        return deliveries.waiting_channels(conn, now=now)
