"""Words and colours for what the domain calls by fixed names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sla_service.cli.tables import Cell
from sla_service.domain.directory import ROLE_WORDS
from sla_service.domain.findings import KIND_WORDS
from sla_service.domain.policy import BEIJING, Anchor, Step
from sla_service.services.due import PAUSE_WORDS

STATES: Mapping[str, str] = {"running": "办理中", "paused": "已挂起", "closed": "已办结"}
LIGHTS: Mapping[str, Cell] = {
    "green": Cell("绿", "green"),
    "yellow": Cell("黄", "yellow", bold=True),
    "red": Cell("红", "red", bold=True),
    "grey": Cell("灰"),
}
VERDICTS: Mapping[str, str] = {"met": "按时", "breached": "超期"}
OUTCOMES: Mapping[str, str] = {"resolved": "办成", "explained": "已解释", "transferred": "转办", "withdrawn": "撤回"}
REASONS = PAUSE_WORDS
TARGETS: Mapping[str, str] = {"resolve": "办结", "sign": "签收", "follow_up": "回访", "reply": "答复"}
KINDS = KIND_WORDS
ROLES = ROLE_WORDS

_WEEKDAYS = "一二三四五六日"


def weekday(on: date) -> str:
    return f"周{_WEEKDAYS[on.weekday()]}"


def day(on: date | str | None) -> str:
    """``2026-11-25 周三``"""
    if on is None:
        return "—"
    on = date.fromisoformat(on) if isinstance(on, str) else on
    return f"{on} {weekday(on)}"


def moment(at: datetime | str | None) -> str:
    """Beijing time to the minute."""
    if at is None:
        return "—"
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def step_at(step: Step) -> str:
    """When a step of the ladder falls: ``到期前 3 个工作日``."""
    time = "" if step.minute is None else f" {clock(step.minute)}"
    n = abs(step.offset)
    if step.anchor is Anchor.SHARE:
        return f"时限用去 {step.share:.0%}{time}"
    if step.anchor is Anchor.DUE:
        side = "前" if step.offset < 0 else "后"
        return (f"到期{side} {n} 个工作日" if n else "到期当天") + time
    if step.anchor is Anchor.BREACH:
        return (f"超期后 {n} 个工作日" if n else "超期时") + time
    return (f"挂起该结束后 {n} 个工作日" if n else "挂起该结束时") + time


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in Beijing time, for ``--json``."""
    return None if at is None else at.astimezone(BEIJING).isoformat(timespec="seconds")
