"""Events, steps and messages in the words that people read in a case's history."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sla_service.cli import words
from sla_service.domain import masking

Data = Mapping[str, Any]
Said = Callable[[Data], list[str]]

CHANNELS: Mapping[str, str] = {"wecom": "企业微信", "sms": "短信", "sandbox": "沙箱", "group": "企业微信群"}
MESSAGE_STATES: Mapping[str, str] = {
    "queued": "待发",
    "claimed": "发送中",
    "sending": "发送中",
    "accepted": "已发出",
    "delivered": "已送达",
    "failed": "没有发出",
    "unknown": "结果不明",
    "suppressed": "不再发送",
}
EVENT_STATES: Mapping[str, str] = {"applied": "", "waiting": "等待", "rejected": "不适用", "voided": "已撤销"}
REASONS: Mapping[str, str] = {
    "no_recipient": "通讯录里没有人可通知",
    "voided": "受理已撤销",
    "expired": "已过时",
    "closed": "已办结",
    "replied": "已答复",
    "paused": "已挂起",
    "moved": "到期日已变",
    "reassigned": "已转给别人",
}
_SPOKEN = {
    "opening": "在办清单",
    "urged": "催办",
    "escalated": "上报",
    "no_reply": "待答复",
    "due_changed": "到期日变动",
}
_STEP = re.compile(r"(due|breach|pause_end)(?:([+-]\d+)wd)?(?: (\d\d:\d\d))?")


def step(key: str) -> str:
    """A step's key: ``到期前 1 个工作日``, ``超期``, ``催办``."""
    spoken = _SPOKEN.get(key.partition(" ")[0])
    if spoken is not None:
        return spoken
    found = _STEP.fullmatch(key)
    if found is None:
        return f"时限用去 {key}"
    n, time = int(found[2] or 0), f" {found[3]}" if found[3] else ""
    if found[1] == "due":
        return (f"到期前 {-n} 个工作日" if n < 0 else f"到期后 {n} 个工作日" if n else "到期当天") + time
    if found[1] == "breach":
        return (f"超期后 {n} 个工作日" if n else "超期") + time
    return (f"挂起该结束后 {n} 个工作日" if n else "挂起该结束") + time


def event(type_: str) -> str:
    return _EVENTS[type_][0] if type_ in _EVENTS else type_


def said(type_: str, data: Data) -> str:
    """What an event says besides. Names and numbers of applicants are never in it."""
    tell = _EVENTS[type_][1] if type_ in _EVENTS else _nothing
    return "，".join(part for part in tell(data) if part)


def change(row: Mapping[str, Any]) -> tuple[str, str]:
    """A line of the journal: what it is, and the rest."""
    detail = row["detail"]
    target = words.TARGETS.get(detail.get("target", "resolve"), "")
    if row["what"] == "due_changed":
        old, new = (words.day(detail.get(k)) if detail.get(k) else "无" for k in ("old", "new"))
        return "到期日变动", f"{target}：{old} → {new}{_by(detail)}"
    if row["what"] == "breached":
        return "发现超期", f"{target}：应在 {words.moment(detail['due'])} 前"
    if row["what"] == "breach_withdrawn":
        return "超期撤销", f"{target}：原为 {words.moment(detail['old'])}{_by(detail)}"
    return str(row["what"]), ""


def _by(detail: Data) -> str:
    """The notice or order that has moved a date."""
    return f"（{detail['text']}）" if detail.get("text") else ""


def masked(data: Data) -> dict[str, Any]:
    """An event's data with the applicant's name and number masked (赵*, 138****0000)."""
    plain = dict(data)
    if isinstance(plain.get("applicant"), Mapping):
        plain["applicant"] = masking.applicant(plain["applicant"])
    return plain


def _nothing(_data: Data) -> list[str]:
    return []


def _text(*names: str) -> Said:
    return lambda data: [str(data[name]) for name in names if data.get(name)]


def _kind(data: Data) -> list[str]:
    limit = f"时限 {data['limit_days']} 个工作日" if data.get("limit_days") else ""
    return [words.KINDS.get(data.get("kind") or "", "未分类"), limit]


def _holder(data: Data) -> list[str]:
    return [str(data.get("department") or ""), f"承办 {data['handler']}" if data.get("handler") else ""]


def _extended(data: Data) -> list[str]:
    limit = f"共 {data['limit_days']} 个工作日" if data.get("limit_days") else ""
    until = f"延到 {str(data['until'])[:10]}" if data.get("until") else ""
    by = f"{data['approved_by']} 批准" if data.get("approved_by") else ""
    return [limit, until, str(data.get("reason") or ""), by]


def _paused(data: Data) -> list[str]:
    until = f"预计到 {str(data['expected_until'])[:10]}" if data.get("expected_until") else ""
    told = "已告知当事人" if data.get("applicant_informed_at") else "未告知当事人"
    return [words.REASONS.get(data.get("reason") or "", ""), until, told, str(data.get("note") or "")]


def _closed(data: Data) -> list[str]:
    told = "已答复当事人" if data.get("replied_at") else "未答复当事人"
    return [words.OUTCOMES.get(data.get("outcome") or "", ""), told, str(data.get("note") or "")]


def _followed_up(data: Data) -> list[str]:
    satisfied = data.get("satisfied")
    return ["" if satisfied is None else "满意" if satisfied else "不满意", str(data.get("note") or "")]


def _escalated(data: Data) -> list[str]:
    return [f"报{words.ROLES.get(data.get('to') or '', '')}", *_text("by", "reason")(data)]


_EVENTS: Mapping[str, tuple[str, Said]] = {
    "case.accepted": ("受理", lambda data: [*_kind(data), *_holder(data)]),
    "case.classified": ("分类", _kind),
    "case.assigned": ("分派", _holder),
    "case.signed": ("签收", _text("handler")),
    "case.extended": ("延期", _extended),
    "case.escalated": ("上报", _escalated),
    "case.paused": ("挂起", _paused),
    "case.resumed": ("恢复", _nothing),
    "case.reset": ("补正重新计时", _text("reason")),
    "case.urged": ("催办", _text("by", "text")),
    "case.progressed": ("进展", _text("text")),
    "case.closed": ("办结", _closed),
    "case.replied": ("答复", _nothing),
    "case.reopened": ("重办", _text("reason")),
    "case.followed_up": ("回访", _followed_up),
    "case.merged": ("并案", lambda data: [f"并入 {data.get('into')}"]),
    "event.voided": ("撤销", lambda data: [f"事件 {data.get('event_id')}", str(data.get("reason") or "")]),
}
