"""From "the section head is to be told" to message rows: who that is on that day, on which channel, under which key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sla_service.domain.clock import business_date
from sla_service.domain.directory import Directory
from sla_service.domain.ladder import Notice
from sla_service.domain.policy import Step

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about. ``due_on`` is the due date at the time of deciding."""

    source: str
    no: str
    hall: str
    department: str | None
    handler: str | None
    target: str
    round: int
    due_on: date | None
    sandbox_only: bool = False


def messages(
    about: About,
    notices: Iterable[Notice],
    directory: Directory,
    *,
    now: datetime,
    extra: Mapping[str, Any] | None = None,
) -> list[Row]:
    """One row per person and channel. Nobody to be found gives a failed row, so that it is seen.

    Two roles that are the same person make one message: the rows' dedupe keys are equal.
    """
    rows: dict[str, Row] = {}
    for notice in notices:
        receivers = directory.receivers(
            notice.role,
            handler=about.handler,
            department=about.department,
            hall=about.hall,
            on=business_date(notice.not_before),
            before_breach=notice.step.before_breach,
        )
        urgent = not notice.step.before_breach
        detail = {
            "urgent": urgent,
            "missed": list(notice.missed),
            "fell": [fall.text for fall in receivers.fell],
            "fell_codes": [fall.code for fall in receivers.fell],
            **_manner(notice.step),
            **(extra or {}),
        }
        found: list[tuple[str | None, str | None]] = [(p.id, str(role)) for p, role in receivers.people]
        via = notice.step.via
        chosen = [(c, ()) for c in via] if notice.step.all else [(via[0], via[1:])]
        for recipient, as_role in found or [(None, None)]:
            for channel, rest in chosen:
                row = _row(about, notice, recipient, as_role, channel, rest, detail, now)
                rows.setdefault(row["dedupe_key"], row)
    return list(rows.values())


def _manner(step: Step) -> Row:
    """What sending has to know of a step: may it go out at night, and does it rest once its reader has seen it?"""
    manner: Row = {}
    if step.window is not None:
        manner["window"] = step.window
    if step.repeat and step.until == "acknowledged":
        manner["until"] = step.until
    return manner


def falls(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """The findings that finding the receivers of these messages has made, by case, each once."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        pairs = zip(row["detail"].get("fell_codes", ()), row["detail"].get("fell", ()), strict=True)
        for code, text in pairs:
            of_case = found.setdefault((row["source"], row["no"]), [])
            if {"code": code, "text": text} not in of_case:
                of_case.append({"code": code, "text": text})
    return found


def _row(
    about: About,
    notice: Notice,
    recipient: str | None,
    as_role: str | None,
    channel: str,
    rest: tuple[str, ...],
    detail: Mapping[str, Any],
    now: datetime,
) -> Row:
    step, n = notice.step, notice.planned.n
    to = recipient if recipient is not None else f"?{notice.role}"
    parts = (about.source, about.no, about.target, about.round, step.key, about.due_on or "-", to, channel, n)
    return {
        "dedupe_key": dedupe_key(*parts),
        "hall": about.hall,
        "source": about.source,
        "no": about.no,
        "target": about.target,
        "round": about.round,
        "step": step.key,
        "occurrence": n,
        "due_on": about.due_on,
        "role": notice.role,
        "as_role": as_role,
        "recipient": recipient,
        "channel": channel,
        "via": list(rest),
        "detail": {**detail, "sandbox": True} if about.sandbox_only else detail,
        "planned_at": notice.planned.at,
        "not_before": notice.not_before,
        "expires_at": notice.expires_at,
        "created_at": now,
        "state": "queued" if recipient is not None else "failed",
        "reason": "" if recipient is not None else "no_recipient",
    }


def dedupe_key(*parts: object) -> str:
    """The parts joined so that no two different lists give the same key."""
    return ":".join([str(p).replace("%", "%25").replace(":", "%3A") for p in parts])
