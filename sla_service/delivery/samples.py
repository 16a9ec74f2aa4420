"""Sample cases: what templates are tried on when they are loaded, and previewed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from sla_service.delivery import render, render_en
from sla_service.delivery.render import Item

_DUE: Final = date(2026, 11, 25)
_MOVED: Final = (_DUE, date(2026, 11, 26))
_BASE: Final = Item(
    "hall",
    "BBC-2026-0001",
    "诊所名称核准",
    "due-1wd",
    "handler",
    "simple",
    _DUE,
    1,
    False,
    handler="张三",
    department="社会事务科",
)
_TITLES: Final = ("诊所名称核准", "食品经营许可", "社保关系转移接续")


def samples(*, many: bool) -> list[list[Item]]:
    """Cases to try a template on, one list per message."""
    base = _BASE
    over = replace(base, step="breach+2wd", role="section_head", left=-2, overdue=True)
    urged = replace(base, step="urged 2026-11-24", by="市民热线", text="请尽快回复")
    every = [
        base,
        replace(base, step="due-0wd", left=0),
        over,
        urged,
        replace(base, step="pause_end", due_on=None, left=None),
        replace(base, step="due_changed x", moved=_MOVED, text="放假通知", withdrawn=True),
        replace(base, title="", handler="", department="", kind=None, reassigned=True, provisional="等放假通知"),
        replace(base, step="no_reply"),
    ]
    if not many:
        return [[item] for item in every]
    numbered = [replace(item, no=f"BBC-2026-{n:04}") for n, item in enumerate(every * 2, start=1)]
    return [numbered[:2], numbered[:8], numbered, [replace(numbered[5], no=f"C{n}") for n in (1, 2)]]


def of_step(step: str, *, many: bool) -> list[Item]:
    """One case, or three, in the state in which that step finds them."""
    first = _BASE
    match step.split(" ", maxsplit=1)[0]:
        case word if word.startswith("breach"):
            role = "handler" if word == "breach" else "station_chief"
            first = replace(first, left=-2, overdue=True, role=role)
        case word if word.startswith("due-"):
            days = word.removeprefix("due-").split("wd", maxsplit=1)[0]
            first = replace(first, left=int(days) if days.isdecimal() else 1)
        case word if word.startswith("pause_end"):
            first = replace(first, due_on=None, left=None, role="handler" if word == "pause_end" else "section_head")
        case "urged":
            first = replace(first, by="市民热线", text="请尽快回复")
        case "escalated":
            first = replace(first, role="bureau_leader", by="站长", text="涉及两个部门，请协调")
        case "due_changed":
            first = replace(first, due_on=_MOVED[1], left=2, moved=_MOVED, text="国务院办公厅放假通知")
    first = replace(first, step=step)
    if not many:
        return [first]
    return [replace(first, no=f"BBC-2026-000{n}", title=title) for n, title in enumerate(_TITLES, start=1)]


def digest(
    kind: str, *, weekly: bool = False, committee: bool = False, lang: str = "zh"
) -> tuple[Sequence[Item], dict[str, Any]]:
    """The cases of a digest and what it counts."""
    speak = render if lang == "zh" else render_en
    late = replace(_BASE, step="digest", left=-6, overdue=True)
    today, soon = replace(_BASE, step="digest", no="BBC-2026-0002", left=0), replace(_BASE, no="BBC-2026-0003")
    if kind == "digest_staff":
        words = speak.soon(_DUE, _DUE - timedelta(days=1))
        return (late, today, soon), {"counts": speak.morning(1, 1, 1, words), "soon": 1, "soon_text": words}
    one = {"open": 12, "red": 1, "today": 1, "new_red": 1, "closed": 4, "new": 3}
    values = {
        "weekly": weekly,
        "committee": committee,
        "beyond": 5,
        "since": speak.short(_DUE - timedelta(days=2)),
        "total": one | {"open": 17},
        "departments": [{"name": "社会事务科", "mark": "●", **one}],
        "quiet": 1,
        "matters": [{"name": "食品经营许可", "n": 3}] if weekly or committee else [],
    }
    return (replace(late, role="bureau_leader"),), values
