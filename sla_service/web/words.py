"""What the domain calls by fixed names, in the words that people read on pages and in timelines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sla_service.domain.clock import business_date
from sla_service.domain.directory import ROLE_WORDS
from sla_service.domain.findings import KIND_WORDS
from sla_service.domain.policy import BEIJING
from sla_service.services.due import PAUSE_WORDS, date_text

STATES: Final[Mapping[str, str]] = {"running": "办理中", "paused": "已挂起", "closed": "已办结"}
VERDICTS: Final[Mapping[str, str]] = {"met": "按时办结", "breached": "超期办结"}
OUTCOMES: Final[Mapping[str, str]] = {
    "resolved": "办成",
    "explained": "已解释",
    "transferred": "转办",
    "withdrawn": "撤回",
}
CHANNELS: Final[Mapping[str, str]] = {"wecom": "企业微信", "sms": "短信", "sandbox": "沙箱", "group": "企业微信群"}
MESSAGE_STATES: Final[Mapping[str, str]] = {
    "queued": "待发",
    "claimed": "发送中",
    "sending": "发送中",
    "accepted": "已发出",
    "delivered": "已送达",
    "failed": "没有发出",
    "unknown": "结果不明",
    "suppressed": "不再发送",
}
_WHY: Final[Mapping[str, str]] = {
    "no_recipient": "通讯录里没有人可通知",
    "voided": "受理已撤销",
    "expired": "已过时",
    "closed": "已办结",
    "replied": "已答复",
    "paused": "已挂起",
    "moved": "到期日已变",
    "reassigned": "已转给别人",
}
_STEP: Final = re.compile(r"(due|breach|pause_end)(?:([+-]\d+)wd)?(?: (\d\d:\d\d))?")
_SPOKEN: Final[Mapping[str, str]] = {
    "opening": "在办清单",
    "urged": "催办",
    "escalated": "上报",
    "no_reply": "待答复提醒",
    "due_changed": "到期日变动通知",
}


def kind(name: str | None) -> str:
    return KIND_WORDS.get(name or "", name or "未分类")


def moment(at: datetime) -> str:
    """``11月20日（周五）10:12``, Beijing time."""
    return f"{date_text(business_date(at))}{at.astimezone(BEIJING):%H:%M}"


def remaining(light: str, left: int | None, state: str) -> str:
    """How long a case still has: ``还剩 3 个工作日``, ``今天到期``, ``超期 2 个工作日``."""
    if state != "running" or left is None:
        return STATES.get(state, state)
    if light == "red":
        return f"超期 {-left} 个工作日" if left < 0 else "超期，到期日已下班"
    return "今天到期" if left == 0 else f"还剩 {left} 个工作日"


def step(key: str) -> str:
    """A message's step: ``到期前 1 个工作日提醒``, ``超期督办``."""
    spoken = _SPOKEN.get(key.partition(" ")[0])
    if spoken:
        return spoken
    found = _STEP.fullmatch(key)
    if found is None:
        return f"时限用去 {key} 提醒"
    anchor, offset, time = found[1], int(found[2] or 0), f" {found[3]} " if found[3] else ""
    if anchor == "due":
        return (f"到期前 {-offset} 个工作日" if offset else "到期当天") + f"{time}提醒"
    if anchor == "breach":
        return (f"超期 {offset} 个工作日" if offset else "超期") + f"{time}督办"
    return f"挂起到期{f' {offset} 个工作日后' if offset else ''}{time}提醒"


def why(reason: str) -> str:
    return _WHY.get(reason, reason)


# -- events ---------------------------------------------------------------------------------------------------------


def event(type_: str, data: Mapping[str, Any]) -> str:
    """One line about an event. Names and numbers of applicants are never in it."""
    head, more = _EVENTS.get(type_, (type_, _nothing))
    said = "，".join(part for part in more(data) if part)
    return f"{head}：{said}" if said else head


def _nothing(_data: Mapping[str, Any]) -> list[str]:
    return []


def _text(*names: str) -> Callable[[Mapping[str, Any]], list[str]]:
    return lambda data: [str(data[name]) for name in names if data.get(name)]


def _holder(data: Mapping[str, Any]) -> list[str]:
    handler = f"承办 {data['handler']}" if data.get("handler") else ""
    return [str(data.get("department") or ""), handler]


def _kind(data: Mapping[str, Any]) -> list[str]:
    limit = f"时限 {data['limit_days']} 个工作日" if data.get("limit_days") else ""
    return [kind(data.get("kind")), limit]


def _extended(data: Mapping[str, Any]) -> list[str]:
    until = f"延到 {_day(data['until'])}" if data.get("until") else ""
    limit = f"共 {data['limit_days']} 个工作日" if data.get("limit_days") else ""
    return [
        limit,
        until,
        str(data.get("reason") or ""),
        f"{data['approved_by']} 批准" if data.get("approved_by") else "",
    ]


def _paused(data: Mapping[str, Any]) -> list[str]:
    until = f"预计到 {_day(data['expected_until'])}" if data.get("expected_until") else ""
    return [PAUSE_WORDS.get(data.get("reason", ""), ""), until, str(data.get("note") or "")]


def _closed(data: Mapping[str, Any]) -> list[str]:
    told = "已答复当事人" if data.get("replied_at") else ""
    return [OUTCOMES.get(data.get("outcome", ""), ""), told, str(data.get("note") or "")]


def _followed_up(data: Mapping[str, Any]) -> list[str]:
    satisfied = {True: "满意", False: "不满意"}.get(data.get("satisfied"), "")  # type: ignore[arg-type]
    return [satisfied, str(data.get("note") or "")]


def _day(value: object) -> str:
    """The business date of a date or a date-time in an event's data."""
    found = datetime.fromisoformat(str(value))
    return date_text(business_date(found) if found.tzinfo else found.date())


def day(value: date | str | None) -> str:
    """A due date for people; empty where there is none."""
    if value is None:
        return ""
    return date_text(date.fromisoformat(value) if isinstance(value, str) else value)


_EVENTS: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], list[str]]]]] = {
    "case.accepted": ("受理", lambda data: [*_kind(data), *_holder(data)]),
    "case.classified": ("分类", _kind),
    "case.assigned": ("分派", _holder),
    "case.signed": ("签收", _text("handler")),
    "case.extended": ("延期", _extended),
    "case.escalated": ("上报", lambda data: [ROLE_WORDS.get(data.get("to", ""), ""), *_text("by", "reason")(data)]),
    "case.paused": ("挂起", _paused),
    "case.resumed": ("恢复办理", _nothing),
    "case.reset": ("补正后重新计时", _text("reason")),
    "case.urged": ("催办", _text("by", "text")),
    "case.progressed": ("办理进展", _text("text")),
    "case.closed": ("办结", _closed),
    "case.replied": ("答复当事人", _nothing),
    "case.reopened": ("重办", _text("reason")),
    "case.followed_up": ("回访", _followed_up),
    "case.merged": ("并案", lambda data: [f"并入 {data['into']}"]),
    "event.voided": ("撤销", lambda data: [f"事件 {data['event_id']}", str(data.get("reason") or "")]),
}
