"""Delivery receipts: what the provider had accepted arrives or does not, and what does not goes another way.

A receipt may come before our own record of the send (the answer is still on its way, or timed out): it is kept and
applied when the record is written. So a late one also resolves what was parked as unknown.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery.receipts import Report
from sla_service.services import fallback, links
from sla_service.services.app import App
from sla_service.store import deliveries, reports

Row = Mapping[str, Any]

#: How long after a send a receipt without an id of ours is still taken for it (gateways wait this long for a phone).
_LATEST: Final = timedelta(hours=72)
_OURS: Final = re.compile(r"d(\d{1,18})")


def token(app: App, channel: str, *, now: datetime) -> str:
    """What the address given to the provider has to carry (``?token=``): receipts are not signed by anybody."""
    links.ready(app, now=now)
    return hmac.new((app.link_key or "").encode(), f"receipts {channel}".encode(), hashlib.sha256).hexdigest()[:32]


def verified(app: App, channel: str, given: str, *, now: datetime) -> bool:
    return hmac.compare_digest(given.encode(), token(app, channel, now=now).encode())


def take(app: App, channel: str, found: Sequence[Report], *, now: datetime) -> int:
    """Keeps the reports and applies those whose message is known; gives how many were new."""
    new = 0
    with app.db.write() as conn:
        rows = [_row(app, conn, channel, report, now) for report in found]
        for row in sorted(rows, key=lambda r: r["delivery"] or 0):  # one order of locks for everybody
            if not reports.add(conn, row):
                continue
            new += 1
            if row["delivery"] is not None:
                _apply(app, conn, row["delivery"], row, now=now)
    return new


def catch_up(app: App, conn: Connection, sent: Sequence[tuple[int, str, str | None]], *, now: datetime) -> None:
    """Applies receipts that were faster than our own record of the sends: (envelope, channel, provider's id)."""
    for delivery, row in reports.waiting(conn, sent):
        reports.belongs(conn, row["id"], delivery)
        _apply(app, conn, delivery, row, now=now)


def _row(app: App, conn: Connection, channel: str, report: Report, now: datetime) -> dict[str, Any]:
    parts = (channel, report.provider_id, report.message_id, report.phone, report.delivered, report.code)
    return {
        "key": hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest(),
        "channel": channel,
        "provider_id": report.provider_id,
        "delivered": report.delivered,
        "code": report.code,
        "text": report.text,
        "at": now,
        "delivery": _delivery(app, conn, channel, report, now),
    }


def _delivery(app: App, conn: Connection, channel: str, report: Report, now: datetime) -> int | None:
    """By the provider's id, by ours, else the one unclear message to that number."""
    known = reports.by_provider(conn, channel, report.provider_id) if report.provider_id else None
    ours = _OURS.fullmatch(report.message_id)
    if known is None and ours is not None:
        known = reports.by_id(conn, channel, int(ours[1]))
    if known is None and report.phone:
        people = [p.id for p in app.config.directory.people if p.phone and p.phone[-11:] == report.phone]
        unclear = reports.unclear(conn, channel, people, since=now - _LATEST)
        known = unclear[0] if len(unclear) == 1 else None
    return known


def _apply(app: App, conn: Connection, delivery: int, report: Row, *, now: datetime) -> None:
    """Accepted → delivered or failed; unknown, or waiting for a repeat after an unclear answer → the same."""
    state = reports.state_of(conn, delivery)
    if state in ("claimed", "sending"):
        return  # our own record comes first, then this
    if report["delivered"]:
        if state in ("accepted", "unknown", "queued"):
            reports.settle(conn, delivery, state="delivered", reason="")
        return
    if state not in ("accepted", "unknown"):
        return
    reason = f"receipt: {report['code']}"
    messages = deliveries.messages_in(conn, delivery, ("accepted", "unknown"))
    reports.settle(conn, delivery, state="failed", reason=reason)
    fallback.pass_on(app, conn, messages, reason, now=now)
