"""How often a channel may send, held exactly across workers: counted from the log of tries, under one lock per claim.

The lock (``store.deliveries.lock_channel``) makes claims on a channel come one after the other; an envelope counts
from the moment it is claimed. So no two workers can both take the last place in a window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery.limits import Per, Window, allowed_at, default_windows
from sla_service.domain.clock import business_date
from sla_service.domain.policy import Role
from sla_service.services.app import App
from sla_service.store import deliveries

Row = Mapping[str, Any]

SMS: Final = frozenset({"yunmas", "alisms", "tencentsms"})
LEADERS: Final = frozenset({Role.STATION_CHIEF, Role.BUREAU_LEADER, Role.JOINT_COMMITTEE})
#: Calls may begin before the window and end in it.
_LONGEST_CALL: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before ``until``; ``reason`` is fixed and stands with the message."""

    until: datetime
    reason: str


def windows(app: App, channel: str, scheme: str) -> tuple[Window, ...]:
    """The windows of a channel: its own of channels.yaml, else those of its provider."""
    conf = app.config.channels.get(channel)
    return conf.limits if conf is not None and conf.limits is not None else default_windows(scheme)


@dataclass(slots=True)
class Budget:
    """What a channel may still send at one instant; each envelope that is made takes its place in it."""

    windows: tuple[Window, ...]
    now: datetime
    sms: bool
    history: list[tuple[str, str, datetime]] = field(default_factory=list)

    def wait(self, recipient: str, content: str, roles: Sequence[str | None]) -> Wait | None:
        """None if one more message may go now; ``roles`` are those that its cases are told to the recipient in."""
        found = []
        for window in self.windows:
            counted = [at for to, text, at in self.history if _counts(window, recipient, content, to, text)]
            at = allowed_at(counted, window, self.now)
            if at > self.now:
                found.append(Wait(at, f"limit {window.per} {window.max}/{window.seconds}s"))
        if self.sms and roles and all(role in LEADERS for role in roles) and self._today(recipient):
            found.append(Wait(self.now + timedelta(days=1), "one_bundle_a_day"))
        return max(found, key=lambda w: w.until, default=None)

    def take(self, recipient: str, content: str) -> None:
        self.history.append((recipient, content, self.now))

    def _today(self, recipient: str) -> bool:
        today = business_date(self.now)
        return any(to == recipient and business_date(at) == today for to, _, at in self.history)


def _counts(window: Window, recipient: str, content: str, to: str, text: str) -> bool:
    if window.per is Per.CHANNEL:
        return True
    return to == recipient and (window.per is Per.RECIPIENT or text == content)


def budget(app: App, conn: Connection, channel: str, scheme: str, recipients: Sequence[str], now: datetime) -> Budget:
    """Reads what these people, or everybody where the channel as a whole is limited, got lately."""
    found = Budget(windows(app, channel, scheme), now, scheme in SMS)
    spans = [timedelta(seconds=w.seconds) for w in found.windows]
    if found.sms:
        spans.append(timedelta(days=1))
    if not spans or not recipients:
        return found
    personal = [s for s, w in zip(spans, found.windows, strict=False) if w.per is not Per.CHANNEL]
    if found.sms:
        personal.append(timedelta(days=1))
    common = [s for s, w in zip(spans, found.windows, strict=False) if w.per is Per.CHANNEL]
    if common:
        since = now - max(common) - _LONGEST_CALL
        found.history += deliveries.spent(conn, channel, now=now, since=since)
    if personal:
        since = now - max(personal) - _LONGEST_CALL
        known = set(found.history)
        lately = deliveries.spent(conn, channel, now=now, since=since, recipients=recipients)
        found.history += [one for one in lately if not common or one not in known]
    return found
