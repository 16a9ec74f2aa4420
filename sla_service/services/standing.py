"""Does a message still stand? Looked at again just before the call: much may have happened since it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sla_service.delivery.render import Item
from sla_service.delivery.text import one_line
from sla_service.domain.calendar import Calendar
from sla_service.domain.case import REPLY_TARGET, State
from sla_service.domain.clock import business_date
from sla_service.domain.directory import Directory
from sla_service.domain.policy import MAIN_TARGET, Role
from sla_service.services.app import App

Row = Mapping[str, Any]

#: Words about a case that belong to no step of the ladder.
SPOKEN = ("opening", "urged", "escalated", "due_changed")


def fault(message: Row, state: Row, directory: Directory, *, now: datetime) -> str | None:
    """Why the message must not go out any more; None if it still stands.

    ``state`` is the message's case and clock as they are now (``store.deliveries.with_cases``).
    """
    if message["expires_at"] is not None and now >= message["expires_at"]:
        return "expired"
    if "words" in message["detail"]:  # a digest: about many cases, counted when it was made
        return None
    if state["case_accepted_at"] is None:
        return "voided"
    if _seen(message, state):
        return "acknowledged"
    word = message["step"].split(" ")[0]
    if word in SPOKEN and word != "due_changed":
        stopped = state["case_state"] == State.CLOSED
    else:
        stopped = state["clock_source"] is None or state["clock_stopped_at"] is not None
    if stopped:
        return "replied" if message["target"] == REPLY_TARGET else "closed"
    dated = not _spoken(message) or "was" in message["detail"]  # a move that has moved on is told by the later one
    if dated and state["clock_due_on"] != message["due_on"]:
        return "paused" if state["clock_due_on"] is None else "moved"
    if message["role"] == Role.HANDLER and message["as_role"] == Role.HANDLER:
        return _responsible(message, state, directory, now)
    return None


def _seen(message: Row, state: Row) -> bool:
    """Has its reader said so? That rests what was decided before, and repeats that are to end with it."""
    rests, at = message["detail"].get("until") == "acknowledged", state["ack_at"]
    if at is not None and (rests or message["created_at"] <= at):
        return True
    if not rests or message["occurrence"] == 0 or message["as_role"] != Role.HANDLER:
        return False
    said = (state["case_detail"] or {}).get("acknowledged", ())
    handler = state["case_handler"]
    return any(who == handler and datetime.fromisoformat(when) >= message["created_at"] for when, who in said)


def _spoken(message: Row) -> bool:
    return message["step"].split(" ")[0] in SPOKEN


def _responsible(message: Row, state: Row, directory: Directory, now: datetime) -> str | None:
    handler = state["case_handler"]
    if handler is None:
        return "reassigned"
    person = directory.find(handler, state["case_department"], message["hall"])
    if person is None or message["recipient"] == person.id:
        return None
    standing_in = directory.substitute(person, business_date(now))
    return None if message["recipient"] == standing_in.id else "reassigned"


def item(app: App, message: Row, state: Row, *, now: datetime) -> Item:
    """The message's case as its reader needs it."""
    calendar = app.calendar(message["hall"], state["case_department"])
    side = message["target"] not in (MAIN_TARGET, REPLY_TARGET)  # signing and following up have dates of their own
    of = "clock" if side else "case"
    due_on, latest_at = _due_shown(state, of, now), state[f"{of}_due_latest_at"]
    breached = message["step"].startswith("breach")  # decided at the due instant itself, which is still in time
    overdue = (
        latest_at is not None
        and (now > latest_at or (breached and now == latest_at))
        and (side or state["case_state"] != State.CLOSED)
    )
    detail = message["detail"]
    directory = app.config.directory
    handler = state["case_handler"]
    person = directory.find(handler, state["case_department"], message["hall"]) if handler else None
    return Item(
        source=message["source"],
        no=message["no"],
        title=one_line(state["case_title"] or ""),
        step=message["step"],
        role=message["role"],
        kind=state["case_kind"],
        due_on=due_on,
        left=_left(calendar, due_on, now),
        overdue=overdue,
        provisional=_provisional(state, of),
        handler=person.name if person else (handler or ""),
        department=state["case_department"] or "",
        by=one_line(detail.get("by") or ""),
        text=one_line(detail.get("text") or ""),
        reassigned=bool(detail.get("reassigned")),
        missed=len(detail.get("missed", ())),
        moved=_moved(message),
        withdrawn=bool(detail.get("withdrawn")),
    )


def _due_shown(state: Row, of: str, now: datetime) -> date | None:
    """The due date that people know; once a provisional one has passed, the latest that it may become."""
    known: date | None = state[f"{of}_due_on"]
    return known if known is not None and business_date(now) <= known else state[f"{of}_due_latest"]


def _moved(message: Row) -> tuple[date, date] | None:
    was = message["detail"].get("was")
    return (date.fromisoformat(was), message["due_on"]) if was else None


def _left(calendar: Calendar, due_on: Any, now: datetime) -> int | None:
    return None if due_on is None else calendar.between(business_date(now), due_on)


def _provisional(state: Row, of: str) -> str:
    if not state[f"{of}_provisional"]:
        return ""
    first, last = state[f"{of}_due_earliest"], state[f"{of}_due_latest"]
    if first == last:
        return "等放假通知"
    return f"视放假通知为{first.month}月{first.day}日至{last.month}月{last.day}日"
