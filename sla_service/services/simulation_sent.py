"""What a simulation sends: one message each, and what is sent but once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sla_service.domain.policy import BEIJING
from sla_service.services.addressing import Row

_SPOKEN = frozenset({"urged", "escalated"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that would have gone out: to one person on one channel, or to nobody (``to`` None).

    ``step`` is the step as the policy has it, ``no_reply``, or ``urged`` and ``escalated`` for words passed on.
    ``at`` is when it goes out, ``planned_at`` the instant of its step. ``role`` is whom the step asked for, ``as_role``
    the role in which ``to`` got it, ``fell`` why that is another one.
    """

    at: datetime
    planned_at: datetime
    source: str
    case: str
    target: str
    round: int
    step: str
    occurrence: int
    role: str
    as_role: str | None
    to: str | None
    channel: str
    due_on: date | None
    reassigned: bool
    missed: tuple[str, ...]
    fell: tuple[str, ...]

    def out(self) -> dict[str, Any]:
        """The message as a row of a JSON Lines file."""
        return {
            "at": self.at.isoformat(),
            "to": self.to,
            "role": self.role,
            "step": self.step,
            "target": self.target,
            "case": self.case,
            "channel": self.channel,
            "source": self.source,
            "round": self.round,
            "occurrence": self.occurrence,
            "as_role": self.as_role,
            "planned_at": self.planned_at.isoformat(),
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "reassigned": self.reassigned,
            "missed": list(self.missed),
            "fell": list(self.fell),
        }


def spoken(row: Row) -> bool:
    """The keys of words carry what makes each the only one of its kind: a day, an event."""
    return row["step"].split(" ")[0] in _SPOKEN


def key_of(row: Row) -> tuple[str, ...]:
    """What is told once. Words are told once whatever becomes of the due date; nobody is nobody on any channel."""
    step, to = row["step"], row["recipient"]
    if to is None:
        return (row["target"], str(row["round"]), step, str(row["due_on"]), str(row["occurrence"]), "?", row["role"])
    if spoken(row):
        return (step, to, row["channel"])
    return (row["dedupe_key"],)


def sent(row: Row, at: datetime) -> Sent:
    return Sent(
        at=at.astimezone(BEIJING),
        planned_at=row["planned_at"].astimezone(BEIJING),
        source=row["source"],
        case=row["no"],
        target=row["target"],
        round=row["round"],
        step=row["step"].split(" ")[0] if spoken(row) else row["step"],
        occurrence=row["occurrence"],
        role=row["role"],
        as_role=row["as_role"],
        to=row["recipient"],
        channel=row["channel"],
        due_on=row["due_on"],
        reassigned=row["detail"]["reassigned"],
        missed=tuple(row["detail"]["missed"]),
        fell=tuple(row["detail"]["fell"]),
    )
