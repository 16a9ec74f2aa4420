"""A message in one line: who was told what, why, when, what the provider said, and whether it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sla_service.domain.directory import ROLE_WORDS, Directory
from sla_service.domain.policy import BEIJING
from sla_service.errors import NotFoundError
from sla_service.services import words
from sla_service.services.app import App
from sla_service.services.dossier import dossier
from sla_service.services.views import beijing
from sla_service.store import queries, told
from sla_service.store.queries import MessageFilter

Row = Mapping[str, Any]


def listed(app: App, wanted: MessageFilter, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Messages with all that is known of them, newest first."""
    with app.db.read() as conn:
        rows = queries.messages(conn, wanted, before=before, limit=limit)
        more = told.details(conn, [r["id"] for r in rows])
    return [record(app, row, more.get(row["id"], {})) for row in rows]


def ahead(app: App, source: str | None, no: str, roles: Sequence[str], *, now: datetime) -> list[str]:
    """Whom the ladder of a running case tells next, and when: ``11-30 08:30 会告诉站长：BBC-1 超期 2 个工作日督办``."""
    with app.db.read() as conn:
        sources = [source] if source is not None else queries.sources_of(conn, no)
    if len(sources) != 1:
        return []
    try:
        timers = dossier(app, sources[0], no, now=now).timers
    except NotFoundError:
        return []
    steps = sorted((p for timer in timers for p in timer.steps if p.at > now), key=lambda p: p.at)
    told = []
    for planned in steps:
        to = [ROLE_WORDS.get(r, r) for r in planned.step.to if not roles or r in roles]
        if to:
            told.append(f"{_clock(planned.at)} 会告诉{'、'.join(to)}：{no} {words.step(planned.step.key)}")
    return told


def record(app: App, row: Row, more: Row) -> dict[str, Any]:
    """One message, with ``text`` as the one line that answers "was he told, and when?"."""
    receipt = more.get("receipt")
    found: dict[str, Any] = {
        "id": str(row["id"]),
        "source": row["source"],
        "case": row["no"],
        "target": row["target"],
        "step": row["step"],
        "due_on": row["due_on"].isoformat() if row["due_on"] else None,
        "role": row["as_role"] or row["role"],
        "to": row["recipient"],
        "channel": row["channel"],
        "state": row["state"],
        "reason": row["reason"],
        "planned_at": beijing(row["planned_at"]),
        "not_before": beijing(row["not_before"]),
        "sent_at": beijing(row["finished_at"] or row["tried_at"]),
        "attempts": row["attempts"],
        "code": row["code"],
        "provider_id": more.get("provider_id"),
        "receipt": None,
        "acknowledged_at": beijing(more.get("ack_at")),
        "acknowledged_via": more.get("ack_via"),
        "fell": list(row["detail"].get("fell", ())),
    }
    if receipt is not None:
        said = {k: receipt[k] for k in ("delivered", "code", "text")}
        found["receipt"] = {**said, "at": beijing(receipt["at"])}
    return found | {"text": _line(app, row, more)}


def who(directory: Directory, row: Row) -> str:
    """``科长李四``: in which role, and his name."""
    person = directory.person(row["recipient"]) if row["recipient"] else None
    role = ROLE_WORDS.get(row["as_role"] or row["role"], row["role"])
    return f"{role}{person.name if person is not None else row['recipient'] or '（无人可发）'}"


def became(row: Row, more: Row) -> list[str]:
    """What became of a message: ``已发出``, ``11-24 08:41 回执：已送达``, ``11-24 09:02 知道了（点了链接）``."""
    parts = [words.MESSAGE_STATES.get(row["state"], row["state"]) + _because(row)]
    receipt = more.get("receipt")
    if receipt is not None:
        said = "已送达" if receipt["delivered"] else f"没有送到，{receipt['code']}"
        parts.append(f"{_clock(receipt['at'])} 回执：{said}")
    if more.get("ack_at"):
        parts.append(f"{_clock(more['ack_at'])} 知道了（{words.VIA.get(more['ack_via'], more['ack_via'])}）")
    return parts


def at(row: Row) -> datetime:
    """When it was taken, or tried, or may go at the earliest."""
    found: datetime = row["finished_at"] or row["tried_at"] or row["not_before"]
    return found


def _because(row: Row) -> str:
    reason = words.why(row["reason"]) if row["reason"] else ""
    code = str(row["code"] or "")
    if row["outcome"] == "accepted" or code in reason:  # "0", "OK": the state says it
        code = ""
    said = "，".join(w for w in (code, reason) if w)
    return f"（{said}）" if said else ""


def _line(app: App, row: Row, more: Row) -> str:
    """``11-24 08:31 科长李四（企业微信）：BBC-1 到期当天提醒，到期日 11-25，已发出；11-24 09:02 知道了（点了链接）``"""
    when = _clock(at(row)) + (" 以后" if row["state"] == "queued" else "")
    due = f"，到期日 {row['due_on']:%m-%d}" if row["due_on"] else ""
    about = f"{row['no']} {words.step(row['step'])}".strip()
    head = f"{when} {who(app.config.directory, row)}（{words.channel(row['channel'])}）：{about}{due}"
    return f"{head}，{'；'.join(became(row, more))}"


def _clock(at: Any) -> str:
    return f"{at.astimezone(BEIJING):%m-%d %H:%M}"
