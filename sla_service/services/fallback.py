"""Where a message goes that could not be sent: the person's next channel, then the next role up. Never nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import Connection

from sla_service.domain.clock import business_date
from sla_service.domain.policy import Role
from sla_service.services.addressing import dedupe_key
from sla_service.services.app import App
from sla_service.store import deliveries, outbox

Row = Mapping[str, Any]

#: Reminders stay below the station chief; what comes after the breach climbs.
_UP_BEFORE = {Role.HANDLER: Role.SECTION_HEAD, Role.SECTION_HEAD: Role.DUTY}
_UP_AFTER = {
    Role.HANDLER: Role.SECTION_HEAD,
    Role.SECTION_HEAD: Role.STATION_CHIEF,
    Role.STATION_CHIEF: Role.BUREAU_LEADER,
    Role.BUREAU_LEADER: Role.JOINT_COMMITTEE,
}


def quoted(text: str) -> str:
    return quote(text, safe="")


def pass_on(app: App, conn: Connection, messages: Iterable[Row], why: str, *, now: datetime) -> None:
    """Queues each failed message on its next channel, or for the next role up."""
    rows: list[dict[str, Any]] = []
    given_up = []
    states: Mapping[int, Row] | None = None
    for message in messages:
        if message["via"]:
            rows.append(_next_channel(message, now))
            continue
        given_up.append(message)
    if given_up:
        states = deliveries.with_cases(conn, [m["id"] for m in given_up])
        for message in given_up:
            rows += _next_role(app, message, states[message["id"]], why, now)
    outbox.add(conn, rows)


def _copy(message: Row, now: datetime, **changed: Any) -> dict[str, Any]:
    row = {k: v for k, v in message.items() if k not in ("id", "delivery")}
    row |= {"state": "queued", "reason": "", "not_before": now, "created_at": now, **changed}
    parts = [row[k] for k in ("source", "no", "target", "round", "step")]
    key = dedupe_key(*parts, row["due_on"] or "-", row["recipient"], row["channel"], row["occurrence"])
    return {**row, "dedupe_key": key}


def _next_channel(message: Row, now: datetime) -> dict[str, Any]:
    channel, *rest = message["via"]
    return _copy(message, now, channel=channel, via=rest)


def _next_role(app: App, message: Row, state: Row, why: str, now: datetime) -> list[dict[str, Any]]:
    urgent = bool(message["detail"].get("urgent"))
    role = (_UP_AFTER if urgent else _UP_BEFORE).get(Role(message["as_role"] or message["role"]))
    if role is None:
        return []
    receivers = app.config.directory.receivers(
        role,
        handler=state["case_handler"],
        department=state["case_department"],
        hall=message["hall"],
        on=business_date(now),
        before_breach=not urgent,
    )
    fell = [*message["detail"].get("fell", ()), f"{message['recipient']} 收不到（{why}），改发上一级"]
    detail = {**message["detail"], "fell": fell}
    return [
        _copy(message, now, recipient=person.id, role=role, as_role=str(as_role), detail=detail)
        for person, as_role in receivers.people
        if person.id != message["recipient"]
    ]
