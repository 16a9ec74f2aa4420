"""Rows as people and systems see them: the case object of the contract, its light, its days left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import State
from sla_service.domain.clock import business_date
from sla_service.domain.policy import BEIJING

Row = Mapping[str, Any]


def light(row: Row, now: datetime) -> str:
    """green, yellow (few working days left) or red (run out); grey when paused or closed."""
    if row["state"] != State.RUNNING or row["due_on"] is None:
        return "grey"
    if now > row["due_latest_at"]:
        return "red"
    return "yellow" if business_date(now) >= row["yellow_on"] else "green"


def case_out(row: Row, *, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """The case object, the same in every answer. Times are Beijing time."""
    running, due_on = row["state"] == State.RUNNING, row["due_on"]
    left = calendar.between(business_date(now), due_on) if running and due_on is not None else None
    out: dict[str, Any] = {
        "source": row["source"],
        "hall": row["hall"],
        "no": row["no"],
        "title": row["title"] or None,
        "kind": row["kind"],
        "matter": row["matter"],
        "department": row["department"],
        "handler": row["handler"],
        "state": row["state"],
        "light": light(row, now),
        "due_on": due_on.isoformat() if due_on else None,
        "due_at": beijing(row["due_at"]),
        "provisional": bool(row["provisional"]),
        "remaining_days": left,
        "verdict": row["verdict"],
        "late_days": row["late_days"],
        "findings": [*(row["findings"] or ()), *(row["falls"] or ())],
        "accepted_at": beijing(row["accepted_at"]),
        "closed_at": beijing(row["closed_at"]),
    }
    if out["provisional"]:
        out["due_earliest"], out["due_latest"] = row["due_earliest"].isoformat(), row["due_latest"].isoformat()
    return out


def beijing(at: datetime | None) -> str | None:
    """RFC 3339 with +08:00; fractions only where there are any."""
    return None if at is None else at.astimezone(BEIJING).isoformat()
