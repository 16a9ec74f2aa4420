"""One case's history as people follow it: what happened, what moved, who was told, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schemas.replies import CaseOut, TimelineEntryOut, TimelineOut
from sla_service.domain.directory import ROLE_WORDS, Directory
from sla_service.domain.policy import BEIJING
from sla_service.services.app import App
from sla_service.services.explaining import TARGET_WORDS, accepted
from sla_service.services.views import case_out
from sla_service.store import inbox, queries
from sla_service.store.queries import MessageFilter
from sla_service.web import words

Row = Mapping[str, Any]

MESSAGES: Final = 1_000  # of one case; a case with more is a fault in the ladder, not in this list
_STATUS: Final[Mapping[str, str]] = {"waiting": "等待受理", "rejected": "未采用", "voided": "已撤销"}


def timeline(app: App, source: str, no: str, *, now: datetime) -> TimelineOut:
    """The whole history. Raises NotFoundError if the case was never accepted."""
    with app.db.read() as conn:
        row = accepted(conn, source, no)
        events = inbox.history(conn, [(source, no)])
        journal = queries.journal(conn, source, no)
        messages = queries.messages(conn, MessageFilter(source=source, no=no), limit=MESSAGES)
    entries = [(0, _event(e)) for e in events]
    entries += [(1, _change(j)) for j in journal]
    entries += [(2, _message(m, app.config.directory)) for m in reversed(messages)]
    ordered = sorted(entries, key=lambda e: (e[1].at, e[0]))
    case = CaseOut.model_validate(case_out(row, now=now, calendar=app.calendar_of(row)))
    return TimelineOut(case=case, entries=tuple(entry for _, entry in ordered))


def _event(row: Row) -> TimelineEntryOut:
    text = words.event(row["type"], row["data"])
    if row["status"] in _STATUS:
        text += f"（{'：'.join(filter(None, (_STATUS[row['status']], row['problem'])))}）"
    at = row["time"].astimezone(BEIJING)
    return TimelineEntryOut(at=at, what=row["type"], text=text, event_id=row["id"], status=row["status"])


def _change(row: Row) -> TimelineEntryOut:
    detail, at = row["detail"], row["at"].astimezone(BEIJING)
    target = detail.get("target", "resolve")
    named = "" if target == "resolve" else TARGET_WORDS.get(target, target)
    due_on = detail.get("new") if row["what"] == "due_changed" else None
    if row["what"] == "due_changed":
        text = f"{named}{_moved(detail.get('old'), due_on)}{_by(detail)}"
    elif row["what"] == "breached":
        text = f"{named}超期：应在{words.moment(_instant(detail['due']))}前办结"
    elif row["what"] == "breach_withdrawn":
        text = f"{named}超期撤销{_by(detail)}"
    else:
        text = row["what"]
    return TimelineEntryOut(at=at, what=row["what"], text=text, due_on=due_on)


def _by(detail: Row) -> str:
    """The notice or order that has moved a date."""
    return f"，依据{detail['text']}" if detail.get("text") else ""


def _moved(old: str | None, new: str | None) -> str:
    if new is None:
        return f"停表，原定{words.day(old)}到期"
    return f"改为{words.day(new)}到期" + (f"，原为{words.day(old)}" if old else "")


def _message(row: Row, directory: Directory) -> TimelineEntryOut:
    person = directory.person(row["recipient"]) if row["recipient"] else None
    role = ROLE_WORDS.get(row["as_role"] or row["role"], row["role"])
    who = f"{role}{person.name if person else row['recipient'] or ''}"
    channel = words.CHANNELS.get(row["channel"], row["channel"])
    state = words.MESSAGE_STATES.get(row["state"], row["state"])
    reason = f"（{words.why(row['reason'])}）" if row["reason"] else ""
    at = row["finished_at"] or row["tried_at"] or row["not_before"]
    text = f"{words.step(row['step'])} → {who}，{channel}{state}{reason}"
    return TimelineEntryOut(
        at=at.astimezone(BEIJING), what="message", text=text, status=row["state"], due_on=row["due_on"]
    )


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
