"""Findings (异常): what is not as it should be, said once, in the words that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

KIND_WORDS: Mapping[str, str] = {"simple": "简单事项", "complex": "复杂问题", "special": "特殊问题"}

TEXTS: Mapping[str, str] = {
    "unclassified": "受理时未分类，暂按{kind}计时，请尽快研判分类",
    "before_acceptance": "事件 {event} 的时间早于受理时间，按受理时间计",
    "special_incomplete": "特殊问题须明确办理时限并告知当事人，补齐前按复杂问题时限计",
    "limit_over_cap": "申报时限 {limit} 个工作日超过上限 {cap} 个工作日，不予采用",
    "extension_late": "延期在超期之后才批准，原时限不变",
    "extension_over_cap": "延期后共 {limit} 个工作日，超过上限 {cap} 个工作日，原时限不变",
    "extension_twice": "延期只能一次，原时限不变",
    "extension_shorter": "延期后的时限短于原时限，原时限不变",
    "extension_no_reason": "延期未写明理由，原时限不变",
    "extension_not_informed": "延期未写明告知当事人的时间，原时限不变",
    "extension_unapproved": "延期未写明批准人",
    "reclassified_late": "改为更长时限的分类发生在超期之后，超期不变",
    "reset_late": "补正发生在超期之后，超期不变",
    "paused_overdue": "超期之后挂起，到期日不变，督办不停",
    "pause_not_informed": "挂起未告知当事人",
    "pause_supplement": "因补正挂起，请核实材料是否已一次性告知",
    "pause_other": "挂起理由为“其他”，请写明依据",
    "no_reply": "已办结但未答复当事人",
    "transferred_unanswered": "转办未答复当事人，计时不停（首问负责）",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is fixed, ``text`` is for people, ``at`` is when it arose (the event's time)."""

    code: str
    text: str
    at: datetime
    event_id: str = ""


def finding(code: str, at: datetime, event_id: str = "", **words: object) -> Finding:
    return Finding(code, TEXTS[code].format(**words), at, event_id)
