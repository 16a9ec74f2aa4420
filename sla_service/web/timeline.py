"""One case's history as people follow it: what happened, what moved, who was told, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schemas.replies import CaseOut, TimelineEntryOut, TimelineOut
from sla_service.domain.directory import Directory
from sla_service.domain.policy import BEIJING
from sla_service.services import event_words, messages, words
from sla_service.services.app import App
from sla_service.services.explaining import accepted
from sla_service.services.views import case_out
from sla_service.store import inbox, queries, told
from sla_service.store.queries import MessageFilter

Row = Mapping[str, Any]

MESSAGES: Final = 1_000  # of one case; a case with more is a fault in the ladder, not in this list


def timeline(app: App, source: str, no: str, *, now: datetime) -> TimelineOut:
    """The whole history. Raises NotFoundError if the case was never accepted."""
    with app.db.read() as conn:
        row = accepted(conn, source, no)
        events = inbox.history(conn, [(source, no)])
        journal = queries.journal(conn, source, no)
        sent = queries.messages(conn, MessageFilter(source=source, no=no), limit=MESSAGES)
        more = told.details(conn, [m["id"] for m in sent])
    entries = [(0, _event(e)) for e in events]
    entries += [(1, _change(j, app.config.directory)) for j in journal]
    entries += [(2, _message(m, more.get(m["id"], {}), app.config.directory)) for m in reversed(sent)]
    ordered = sorted(entries, key=lambda e: (e[1].at, e[0]))
    case = CaseOut.model_validate(case_out(row, now=now, calendar=app.calendar_of(row)))
    return TimelineOut(case=case, entries=tuple(entry for _, entry in ordered))


def _event(row: Row) -> TimelineEntryOut:
    text = "：".join(filter(None, event_words.event(row["type"], row["data"])))
    status = event_words.STATUS.get(row["status"])
    if status:
        text += f"（{'：'.join(filter(None, (status, row['problem'])))}）"
    at = row["time"].astimezone(BEIJING)
    return TimelineEntryOut(at=at, what=row["type"], text=text, event_id=row["id"], status=row["status"])


def _change(row: Row, directory: Directory) -> TimelineEntryOut:
    head, said = event_words.change(row, directory)
    moved = row["what"] == "due_changed"
    text = said if moved and head == event_words.MOVED else "：".join(filter(None, (head, said)))
    due_on = row["detail"].get("new") if moved else None
    return TimelineEntryOut(at=row["at"].astimezone(BEIJING), what=row["what"], text=text, due_on=due_on)


def _message(row: Row, more: Row, directory: Directory) -> TimelineEntryOut:
    step, channel = words.step(row["step"]), words.channel(row["channel"])
    text = f"{step} → {messages.who(directory, row)}，{channel}{'；'.join(messages.became(row, more))}"
    at = messages.at(row).astimezone(BEIJING)
    return TimelineEntryOut(at=at, what="message", text=text, status=row["state"], due_on=row["due_on"])
