"""What case systems are told at their own address, written into the outbox in the transaction of what it tells.

Only for sources that have an address: whether they have is looked up once per batch, and only where there is something
to tell. Nothing is told about what lies before a source's go-live.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy.engine import Connection

from schemas.outgoing import SENDER
from sla_service.domain.case import Case, State
from sla_service.domain.policy import MAIN_TARGET
from sla_service.services.app import App
from sla_service.services.views import beijing, case_out
from sla_service.store import cases, sources, webhooks

Row = Mapping[str, Any]
Key = tuple[str, str]

DUE_CHANGED: Final = "sla.due_changed"
REMINDED: Final = "sla.reminded"
BREACHED: Final = "sla.breached"
BREACH_WITHDRAWN: Final = "sla.breach_withdrawn"
CLOSED: Final = "sla.closed"


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell about a case. ``since`` is when it became so: nothing before the go-live is told."""

    source: str
    no: str
    type: str
    target: str
    round: int
    data: Mapping[str, Any] = field(default_factory=dict)
    since: datetime | None = None


def of_journal(journal: Iterable[Row], *, anew: bool = False) -> list[News]:
    """What the journal's new lines say. ``anew``: the cases were recomputed, not touched by an event."""
    found = []
    for row in journal:
        read = _JOURNAL.get(row["what"])
        if read is not None:
            detail = row["detail"]
            type_, data, since = read(detail, anew=anew)
            found.append(News(row["source"], row["no"], type_, detail["target"], detail["round"], data, since))
    return found


def of_case(case: Case, old: Row, clocks: Mapping[tuple[str, int], Row]) -> list[News]:
    """What the fold itself says: the case was closed, or reopened with a due date of its own.

    ``old`` is its row before, ``clocks`` are its clocks' rows before.
    """
    main = case.main
    if main is None or not case.accepted:
        return []
    if case.state is State.CLOSED:
        if old["state"] == State.CLOSED:
            return []
        verdict = main.verdict.value if main.verdict else None
        data: dict[str, Any] = {
            "outcome": case.outcome,
            "verdict": verdict,
            "late_days": main.late_days if verdict == "breached" else None,
        }
        return [News(case.source, case.no, CLOSED, MAIN_TARGET, case.round, data, case.closed_at)]
    before = clocks.get((MAIN_TARGET, main.round - 1))
    if before is None or (MAIN_TARGET, main.round) in clocks:
        return []
    data = {
        "old_due_on": before["due_on"],
        "new_due_on": main.due.on if main.due else None,
        "reason": "events",
        "text": "",
    }
    return [News(case.source, case.no, DUE_CHANGED, MAIN_TARGET, main.round, data)]


def tell(
    app: App, conn: Connection, news: Sequence[News], *, now: datetime, rows: Mapping[Key, Row] | None = None
) -> int:
    """Writes the news of sources that have an address. The caller holds the cases' locks; ``rows`` are whole ones.

    Gives how many were written.
    """
    if not news:
        return 0
    wanted = webhooks.hooked(conn, {n.source for n in news})
    if not wanted:
        return 0
    live = {name: row["go_live"] for name, row in sources.by_name(conn, wanted).items()}
    news = [n for n in news if n.source in wanted and min(now, n.since or now) >= live[n.source]]
    known = dict(rows or {})
    missing = sorted({(n.source, n.no) for n in news} - set(known))
    known |= {(r["source"], r["no"]): r for r in cases.read(conn, missing)} if missing else {}
    pairs = [(n, known[n.source, n.no]) for n in news]
    written = [_row(app, n, case, now) for n, case in pairs if case["accepted_at"] is not None]
    webhooks.add(conn, written)
    return len(written)


def hold(conn: Connection, messages: Iterable[Row]) -> dict[Key, Row]:
    """The locked cases of messages whose sources have an address, to be told of with ``reminded``.

    Before anything else is locked: who takes in events begins with the cases too.
    """
    keys = {(m["source"], m["no"]) for m in messages if m["no"]}
    wanted = webhooks.hooked(conn, {source for source, _ in keys})
    held = sorted(key for key in keys if key[0] in wanted)
    return {(r["source"], r["no"]): r for r in cases.read(conn, held, lock=True)} if held else {}


def reminded(
    app: App, conn: Connection, accepted: Iterable[tuple[str, Row]], held: Mapping[Key, Row], *, now: datetime
) -> int:
    """Tells of messages that a channel has accepted: pairs of channel and message."""
    news = [
        News(
            message["source"],
            message["no"],
            REMINDED,
            message["target"],
            message["round"],
            {
                "step": message["step"],
                "role": message["as_role"] or message["role"],
                "to": message["recipient"],
                "channel": channel,
                "escalation": bool(message["detail"].get("urgent")),
                "planned_at": beijing(message["planned_at"]),
            },
        )
        for channel, message in accepted
        if (message["source"], message["no"]) in held
    ]
    return tell(app, conn, news, now=now, rows=held)


def _row(app: App, news: News, case: Row, now: datetime) -> dict[str, Any]:
    event_id = f"evt_{secrets.token_hex(12)}"
    data = {"case": case_out(case, now=now, calendar=app.calendar_of(case)), "target": news.target, "round": news.round}
    body = {
        "specversion": "1.0",
        "id": event_id,
        "source": SENDER,
        "type": news.type,
        "subject": news.no,
        "time": beijing(now),
        "datacontenttype": "application/json",
        "data": {**data, **news.data},
    }
    return {
        "event_id": event_id,
        "source": news.source,
        "no": news.no,
        "type": news.type,
        "body": to_json(body).decode(),
        "state": "waiting",
        "attempt": 0,
        "not_before": now,
        "created_at": now,
    }


# -- the journal's lines ------------------------------------------------------------------------------------


def _moved(detail: Row, *, anew: bool) -> tuple[str, Row, datetime | None]:
    data = {"old_due_on": detail["old"], "new_due_on": detail["new"], **_why(detail, anew=anew)}
    return DUE_CHANGED, data, None


def _breached(detail: Row, *, anew: bool) -> tuple[str, Row, datetime | None]:  # noqa: ARG001
    data = {"due_at": detail["due"], "late_days": detail.get("late_days")}
    return BREACHED, data, datetime.fromisoformat(detail["due"])


def _withdrawn(detail: Row, *, anew: bool) -> tuple[str, Row, datetime | None]:
    data = {"old_due_at": detail["old"], "new_due_at": detail["new"], **_why(detail, anew=anew)}
    return BREACH_WITHDRAWN, data, datetime.fromisoformat(detail["old"])


def _why(detail: Row, *, anew: bool) -> dict[str, str]:
    reason = detail.get("reason", "events")
    return {"reason": "policy" if anew and reason == "events" else reason, "text": detail.get("text", "")}


_JOURNAL = {"due_changed": _moved, "breached": _breached, "breach_withdrawn": _withdrawn}
