"""Events and what followed from them, in the words of a case's history: on its page and in ``sla show``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sla_service.domain.clock import business_date
from sla_service.domain.directory import ROLE_WORDS, Directory
from sla_service.services import words
from sla_service.services.due import PAUSE_WORDS, date_text
from sla_service.services.explaining import TARGET_WORDS

Said = Callable[[Mapping[str, Any]], list[str]]

#: What became of an event, where it did not simply apply.
STATUS: Final[Mapping[str, str]] = {"waiting": "等待受理", "rejected": "未采用", "voided": "已撤销"}

MOVED: Final = "到期日变动"


def event(type_: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What an event is called, and what it says. Names and numbers of applicants are never in it."""
    head, more = _EVENTS.get(type_, (type_, _nothing))
    return head, "，".join(part for part in more(data) if part)


def change(row: Mapping[str, Any], directory: Directory) -> tuple[str, str]:
    """A line of the journal: what it is called, and the rest."""
    detail = row["detail"]
    target = detail.get("target", "resolve")
    named = "" if target == "resolve" else TARGET_WORDS.get(target, target)
    match row["what"]:
        case "due_changed":
            return f"{named}{MOVED}", f"{_moved(detail.get('old'), detail.get('new'))}{_by(detail)}"
        case "breached":
            return f"{named}超期", f"应在{words.moment(_instant(detail['due']))}前办结"
        case "breach_withdrawn":
            return f"{named}超期撤销", _by(detail).removeprefix("，")
        case "acknowledged":
            person = directory.person(detail.get("person", ""))
            steps = "、".join(dict.fromkeys(words.step(s) for s in detail.get("steps", ())))
            via = words.VIA.get(detail.get("via", ""), "")
            name = person.name if person else detail.get("person", "")
            return f"{name}已知晓", f"{steps}{f'（{via}）' if via else ''}"
    return str(row["what"]), ""


def _by(detail: Mapping[str, Any]) -> str:
    """The notice or order that has moved a date."""
    return f"，依据{detail['text']}" if detail.get("text") else ""


def _moved(old: str | None, new: str | None) -> str:
    if new is None:
        return f"停表，原定{words.day(old)}到期"
    return f"改为{words.day(new)}到期" + (f"，原为{words.day(old)}" if old else "")


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _nothing(_data: Mapping[str, Any]) -> list[str]:
    return []


def _text(*names: str) -> Said:
    return lambda data: [str(data[name]) for name in names if data.get(name)]


def _holder(data: Mapping[str, Any]) -> list[str]:
    handler = f"承办 {data['handler']}" if data.get("handler") else ""
    return [str(data.get("department") or ""), handler]


def _kind(data: Mapping[str, Any]) -> list[str]:
    limit = f"时限 {data['limit_days']} 个工作日" if data.get("limit_days") else ""
    return [words.kind(data.get("kind")), limit]


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
    told = "已告知当事人" if data.get("applicant_informed_at") else "未告知当事人"
    return [PAUSE_WORDS.get(data.get("reason", ""), ""), until, told, str(data.get("note") or "")]


def _closed(data: Mapping[str, Any]) -> list[str]:
    told = "已答复当事人" if data.get("replied_at") else "还没有答复当事人"
    return [words.OUTCOMES.get(data.get("outcome", ""), ""), told, str(data.get("note") or "")]


def _followed_up(data: Mapping[str, Any]) -> list[str]:
    satisfied = {True: "满意", False: "不满意"}.get(data.get("satisfied"), "")  # type: ignore[arg-type]
    return [satisfied, str(data.get("note") or "")]


def _day(value: object) -> str:
    """The business date of a date or a date-time in an event's data."""
    found = datetime.fromisoformat(str(value))
    return date_text(business_date(found) if found.tzinfo else found.date())


_EVENTS: Final[Mapping[str, tuple[str, Said]]] = {
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
