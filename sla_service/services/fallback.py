"""Where a message goes that could not be sent: the person's next channel, then the next role up. Never nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.domain.clock import business_date
from sla_service.domain.directory import ROLE_WORDS, Person
from sla_service.domain.policy import Role
from sla_service.services import holding, words
from sla_service.services.addressing import dedupe_key, falls
from sla_service.services.app import App
from sla_service.store import cases, deliveries, outbox

Row = Mapping[str, Any]

#: Reminders stay below the station chief; what comes after the breach climbs.
_UP_BEFORE = {Role.HANDLER: Role.SECTION_HEAD, Role.SECTION_HEAD: Role.DUTY}
_UP_AFTER = {
    Role.HANDLER: Role.SECTION_HEAD,
    Role.SECTION_HEAD: Role.STATION_CHIEF,
    Role.STATION_CHIEF: Role.BUREAU_LEADER,
    Role.BUREAU_LEADER: Role.JOINT_COMMITTEE,
}


def pass_on(app: App, conn: Connection, messages: Iterable[Row], why: str, *, now: datetime) -> None:
    """Queues each failed message on its next channel, or for the next role up."""
    rows: list[dict[str, Any]] = []
    given_up = []
    states: Mapping[int, Row] | None = None
    for message in messages:
        if message["via"]:
            rows.append(_next_channel(app, message, now))
            continue
        if "words" not in message["detail"]:  # a digest is meant for one reader, nobody else wants it
            given_up.append(message)
    if given_up:
        states = deliveries.with_cases(conn, [m["id"] for m in given_up])
        for message in given_up:
            rows += _next_role(app, message, states[message["id"]], why, now)
    cases.add_falls(conn, falls(rows))
    outbox.add(conn, rows)


def _copy(app: App, message: Row, now: datetime, **changed: Any) -> dict[str, Any]:
    row = {k: v for k, v in message.items() if k not in ("id", "delivery")}
    at = holding.in_hours(app, [message], now)
    row |= {"state": "queued", "reason": "", "not_before": at, "created_at": now, **changed}
    parts = [row[k] for k in ("source", "no", "target", "round", "step")]
    key = dedupe_key(*parts, row["due_on"] or "-", row["recipient"], row["channel"], row["occurrence"])
    return {**row, "dedupe_key": key}


def _next_channel(app: App, message: Row, now: datetime) -> dict[str, Any]:
    channel, *rest = message["via"]
    return _copy(app, message, now, channel=channel, via=rest)


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
    fell = [*message["detail"].get("fell", ()), _unreached(app, message, receivers.people)]
    codes = [*message["detail"].get("fell_codes", ()), "unreachable"]
    detail = {**message["detail"], "fell": fell, "fell_codes": codes, "why": why}
    return [
        _copy(app, message, now, recipient=person.id, role=role, as_role=str(as_role), detail=detail)
        for person, as_role in receivers.people
        if person.id != message["recipient"]
    ]


def _unreached(app: App, message: Row, people: Sequence[tuple[Person, str]]) -> str:
    """For the case's findings: who was not reached on which channel, and who is told instead."""
    person = app.config.directory.person(message["recipient"])
    told = "、".join(f"{ROLE_WORDS.get(role, role)}{p.name}" for p, role in people) or "无人可发"
    name = person.name if person is not None else message["recipient"]
    return f"{name}的{words.channel(message['channel'])}消息没有发到，改为通知{told}"
