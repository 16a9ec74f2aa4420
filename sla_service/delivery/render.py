"""What a message says of a case, in Chinese: how long, what to do. Read on a phone at half past eight in the morning.

The same functions in English are in ``render_en``; how they are put together stands in the templates (``wording``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

#: What buttons say: open the link, "seen", and who has said so.
BUTTON, SEEN, SEEN_BY = "查看", "知道了", "{name}已知晓"
_WEEKDAYS = "一二三四五六日"
_KINDS = {"simple": "简单事项", "complex": "复杂问题", "special": "特殊问题"}


@dataclass(frozen=True, slots=True)
class Item:
    """One case in a message. ``left`` is in working days, negative once it has run out; None while paused."""

    source: str
    no: str
    title: str
    step: str
    role: str
    kind: str | None
    due_on: date | None
    left: int | None
    overdue: bool
    provisional: str = ""  # "视放假通知为1月12日至20日" where a notice is still to come
    handler: str = ""
    department: str = ""
    by: str = ""
    text: str = ""
    reassigned: bool = False
    missed: int = 0
    moved: tuple[date, date] | None = None  # the due date before and after a new calendar
    withdrawn: bool = False  # which has taken back a breach

    @property
    def urgency(self) -> tuple[int, int]:
        """Sorts red first, then by days left."""
        return (0 if self.overdue else 1, self.left if self.left is not None else 99)


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    body: str


def day(on: date) -> str:
    """``11月25日（周三）``"""
    return f"{on.month}月{on.day}日（周{_WEEKDAYS[on.weekday()]}）"


def short(on: date) -> str:
    """``11月25日``"""
    return f"{on.month}月{on.day}日"


def once_each(items: Sequence[Item]) -> list[Item]:
    """Each case once, by its latest step; what somebody said about it (催办, 上报) is kept."""
    cases: dict[tuple[str, str], Item] = {}
    for new in items:
        old = cases.get((new.source, new.no))
        said = old if old is not None and (old.by or old.text) and not (new.by or new.text) else None
        cases[new.source, new.no] = _with_words(new, said) if said else new
    return list(cases.values())


def _with_words(new: Item, said: Item) -> Item:
    return replace(new, by=said.by, text=said.text, moved=said.moved, withdrawn=said.withdrawn)


def several(no: str, n: int) -> str:
    """``BBC-1等3件``, for the variable of an SMS."""
    return f"{no}等{n}件"


def status(item: Item) -> str:
    """How long: ``已超期 2 个工作日``, ``今天到期``, ``还剩 1 个工作日``, ``挂起中``."""
    if item.overdue:
        late = -(item.left or 0)
        return f"已超期 {late} 个工作日" if late > 0 else "已超期（到期日已下班）"
    if item.left is None:
        return "挂起中"
    return "今天到期" if item.left == 0 else f"还剩 {item.left} 个工作日"


def headline(item: Item) -> str:
    """What it is about in two to four characters."""
    first = item.step.split(" ")[0]
    fixed = {
        "opening": "在办提醒",
        "urged": "催办",
        "escalated": "上报",
        "no_reply": "待答复",
        "due_changed": "到期日有变",
    }
    if first in fixed:
        return fixed[first]
    if first.startswith("pause_end"):
        return "挂起到期"
    if item.overdue:
        return "超期"
    return "今天到期" if item.left == 0 else "即将到期"


def when(item: Item) -> str:
    """How long, and until which day."""
    if item.step.startswith("no_reply"):
        return "已办结，还没有答复当事人"
    if item.due_on is None:
        return status(item)
    held = f"（暂定，{item.provisional}）" if item.provisional else ""
    verb = "应于" if item.overdue else ""
    ends = "办结" if item.overdue else "到期"
    if not item.overdue and item.left == 0:
        return f"今天下班前到期{held}"
    return f"{status(item)}，{verb}{day(item.due_on)}{ends}{held}"


def todo(item: Item) -> str:
    """What the reader is asked to do."""
    handler = item.role == "handler"
    if item.step.startswith("no_reply"):
        return "请把办理结果答复当事人，并登记答复时间。"
    if item.step.startswith("pause_end"):
        return "请确认是否可以恢复办理；仍需等待的，请告知当事人。" if handler else "请过问挂起是否该结束。"
    if item.reassigned:
        return "此件已转给您，请接手办理。"
    if item.step.startswith("escalated"):
        return "请研究处理意见。"
    if item.overdue:
        return "请立即办结并答复当事人；办不成的也要说明原因。" if handler else "请督办，必要时协调解决。"
    if handler:
        return "请在到期前办结并答复当事人；需要更长时间的，请在到期前办理延期。"
    return "请提醒承办人按时办结。"


def who(item: Item) -> str:
    """``承办 张三 · 社会事务科 · 简单事项``"""
    kind = _KINDS.get(item.kind or "", "")
    return " · ".join(w for w in (item.handler and f"承办 {item.handler}", item.department, kind) if w)


def note(item: Item) -> str:
    """What a line of a list says before how long it has."""
    head = headline(item)
    if item.moved:
        return f"{short(item.moved[0])}改为{short(item.moved[1])}"
    return head if head in ("催办", "上报", "挂起到期", "到期日有变") else ""


def state(item: Item) -> str:
    """How long, in a line of a list."""
    said = "待答复" if item.step.startswith("no_reply") else status(item)
    return f"{said}（暂定）" if item.provisional else said


def soon(on: date, today: date) -> str:
    """How the next working day is called on which something runs out: ``明天到期``, ``11月23日（周一）到期``."""
    return "明天到期" if (on - today).days == 1 else f"{day(on)}到期"


def morning(red: int, today: int, next_day: int, words: str) -> str:
    """``1 件超期，1 件今天到期，2 件明天到期``"""
    return "，".join(f"{n} 件{w}" for n, w in ((red, "超期"), (today, "今天到期"), (next_day, words)) if n)


def counts(red: int, today: int, rest: int) -> str:
    return "，".join(f"{n} 件{w}" for n, w in ((red, "超期"), (today, "今天到期"), (rest, "待办")) if n)
