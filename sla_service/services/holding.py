"""What must wait although its time has come: outside the sending hours, in maintenance, in a crowded minute.

Nothing is lost by waiting: the message stays queued and says why, what comes for the same person joins it, and
whether it still stands is looked at again when its time comes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery.retry import spread
from sla_service.domain import ladder
from sla_service.errors import UsageError
from sla_service.services import audit
from sla_service.services.app import App
from sla_service.services.sending_limits import Wait
from sla_service.services.views import beijing
from sla_service.store import deliveries, facts

Row = Mapping[str, Any]

MAINTENANCE: Final = "maintenance"
ALL: Final = "*"


def in_hours(app: App, messages: Sequence[Row], at: datetime) -> datetime:
    """The first instant from ``at`` on at which all of them may go out (``send_window`` of policy and step)."""
    found = at
    for hall in {m["hall"] for m in messages if not _always(app, m)}:
        found = max(found, ladder.window(at, app.current_policy(hall), app.calendar(hall), None))
    return found


def _always(app: App, message: Row) -> bool:
    rule = message["detail"].get("window") or app.current_policy(message["hall"]).send_window
    return bool(rule == "always")


def waits(app: App, messages: Iterable[Row], *, now: datetime) -> dict[int, Wait]:
    """Which of one person's messages are outside their sending hours now, by id."""
    found = {}
    for message in messages:
        opening = in_hours(app, [message], now)
        if opening > now:
            found[message["id"]] = Wait(opening, "send_window")
    return found


def crowded(channel: str, recipient: str, scheme: str, *, now: datetime) -> Wait | None:
    """First sends keep out of the minutes in which a provider is crowded, each person by a share of his own."""
    at = spread(now, f"{channel}:{recipient}", scheme)
    return Wait(at, "crowded_minute") if at > now else None


# -- maintenance ----------------------------------------------------------------------------------------------


def pause(app: App, *, channel: str | None, until: datetime, now: datetime, note: str = "") -> None:
    """Holds a channel (None: all of them) until an instant; pausing again moves that instant."""
    if until <= now:
        raise UsageError(f"暂停要到将来的时间为止，{beijing(until)} 已经过了")
    if channel is not None and channel not in app.config.channels:
        raise UsageError(f"没有渠道 {channel}，有 {'、'.join(app.channels.names())}")
    with app.db.write() as conn:
        facts.put(conn, _key(channel), json.dumps({"note": note}, ensure_ascii=False), now=now, expires_at=until)
        audit.note(conn, now, audit.operator(), "messages.hold", channel or ALL, until=beijing(until))


def resume(app: App, *, channel: str | None, now: datetime) -> int:
    """Ends maintenance early; gives how many messages may go now."""
    with app.db.write() as conn:
        facts.drop(conn, _key(channel))
        audit.note(conn, now, audit.operator(), "messages.resume", channel or ALL)
        return deliveries.release(conn, channel, reason=MAINTENANCE, now=now)


def paused(conn: Connection, *, now: datetime) -> dict[str, datetime]:
    """Channels in maintenance (``*``: all) and until when."""
    rows = facts.starting(conn, f"{MAINTENANCE}:")
    found = {row["key"].partition(":")[2]: row["expires_at"] for row in rows}
    return {name: until for name, until in found.items() if until is not None and until > now}


def maintenance(conn: Connection, channel: str, *, now: datetime) -> Wait | None:
    """Until when the channel is held."""
    held = paused(conn, now=now)
    until = max((held[name] for name in (channel, ALL) if name in held), default=None)
    return None if until is None else Wait(until, MAINTENANCE)


def _key(channel: str | None) -> str:
    return f"{MAINTENANCE}:{channel or ALL}"
