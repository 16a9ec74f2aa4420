"""Events as the fold sees them: checked at the border, frozen, ordered by when they happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

#: Event types in the order that decides between equal times (contract: the order of the type table).
TYPES: tuple[str, ...] = (
    "case.accepted",
    "case.classified",
    "case.assigned",
    "case.signed",
    "case.extended",
    "case.escalated",
    "case.paused",
    "case.resumed",
    "case.reset",
    "case.urged",
    "case.progressed",
    "case.closed",
    "case.replied",
    "case.reopened",
    "case.followed_up",
    "case.merged",
    "event.voided",
    "visit.answered",
)
TYPE_ORDER: Mapping[str, int] = {name: i for i, name in enumerate(TYPES)}

ACCEPTED = "case.accepted"
VOIDED = "event.voided"
VISIT = "visit.answered"


class Event(NamedTuple):
    """One thing that happened to a case. ``time`` is aware; ``data`` keeps unknown fields as they came."""

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.time, TYPE_ORDER[self.type], self.id)
