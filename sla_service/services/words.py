"""What the domain calls by fixed names, in the words that people read: on pages, in tables, in lists of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sla_service.domain.clock import business_date
from sla_service.domain.findings import KIND_WORDS
from sla_service.domain.policy import BEIJING
from sla_service.services.due import date_text

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
    "claimed": "正在发送",
    "sending": "正在发送",
    "accepted": "已发出",
    "delivered": "已送达",
    "failed": "没有发到",
    "unknown": "不清楚有没有发出",
    "suppressed": "不再需要，没有发",
}
#: How somebody said "seen".
VIA: Final[Mapping[str, str]] = {"link": "点了链接", "card": "点了卡片", "api": "业务系统", "page": "页面"}
_WHY: Final[Mapping[str, str]] = {
    "no_recipient": "通讯录里没有人可通知",
    "voided": "受理已撤销",
    "expired": "过了时候",
    "closed": "已办结",
    "replied": "已答复",
    "paused": "已挂起",
    "moved": "到期日变了",
    "reassigned": "已转给别人",
    "acknowledged": "他已表示知晓",
    "send_window": "等上班时间",
    "maintenance": "渠道维护中",
    "crowded_minute": "错开整点半点",
    "one_bundle_a_day": "领导每天一条短信，明天合并发",
}
_FAILED: Final[Mapping[str, str]] = {
    "refused": "服务商拒收",
    "rate_limited": "服务商限速",
    "unavailable": "服务商不可用",
    "unclear": "没有等到服务商的回答，重发可能重复",
    "partial": "服务商没有收下这个人",
}
_SPAN: Final = ((86400, "天"), (3600, "小时"), (60, "分钟"))
_PROVIDER: Final = re.compile(r"(refused|rate_limited|unavailable|unclear|partial)(?: (\d+) times)?(?:: (.*))?")
_STEP: Final = re.compile(r"(due|breach|pause_end)(?:([+-]\d+)wd)?(?: (\d\d:\d\d))?")
_SPOKEN: Final[Mapping[str, str]] = {
    "opening": "在办清单",
    "urged": "催办",
    "escalated": "上报",
    "no_reply": "待答复提醒",
    "due_changed": "到期日变动通知",
    "digest": "汇总",
    "calendar": "日历提醒",
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
    """Why a message waits, fell away or did not arrive, in words. Codes of providers stay as they are."""
    if reason.startswith("limit "):
        _, per, window = reason.split(" ")
        most, _, seconds = window.rstrip("s").partition("/")
        whom = {"recipient": "每人", "content": "同样内容每人", "channel": "整个渠道"}.get(per, per)
        return f"发送限额：{whom}{_span(int(seconds))}最多 {most} 条"
    if reason.startswith("receipt: "):
        return f"回执说没有送到：{reason.removeprefix('receipt: ')}"
    found = _PROVIDER.fullmatch(reason)
    if found is None:
        return _WHY.get(reason, reason)
    tries = f"，试了 {found[2]} 次" if found[2] else ""
    code = found[3].partition(",")[0] if found[3] else ""
    return f"{_FAILED[found[1]]}{tries}{f'：{code}' if code else ''}"


def _span(seconds: int) -> str:
    for unit, word in _SPAN:
        if seconds % unit == 0:
            n = seconds // unit
            return f"每{word}" if n == 1 else f"每 {n} {word}"
    return f"每 {seconds} 秒"


def channel(name: str) -> str:
    return CHANNELS.get(name, name)


def day(value: date | str | None) -> str:
    """A due date for people; empty where there is none."""
    if value is None:
        return ""
    return date_text(date.fromisoformat(value) if isinstance(value, str) else value)
