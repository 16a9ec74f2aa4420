"""The figures of a simulation as people read them: one column, or two side by side with the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sla_service.cli import words
from sla_service.cli.tables import Cell, Column, Row, show
from sla_service.domain.findings import TEXTS
from sla_service.domain.policy import MAIN_TARGET, Policy

Figures = Mapping[str, Any]

#: Label, figure, and whether it is shown where it is 0.
_LINES: tuple[tuple[str, str, bool], ...] = (
    ("办件", "cases", True),
    ("按时办结", "met", True),
    ("超期办结", "breached", True),
    ("  到期日下班后办结的", "breached_same_day", False),
    ("  撤回的（已计入上面）", "withdrawn", False),
    ("在办", "open", True),
    ("  已超期", "overdue_open", False),
    ("  已挂起", "paused_open", False),
    ("按时率（按轮次，不含撤回）", "rate", True),
    ("消息", "messages", True),
    ("  找不到人的", "nobody", False),
    ("当场答复人次", "visits", False),
    ("未采用的事件（状态不符）", "rejected", False),
    ("等待受理的事件", "waiting", False),
    ("已撤销的事件", "voided", False),
    ("格式不对的行", "invalid", False),
    ("重复的事件", "duplicate", False),
    ("id 相同、内容不同的事件", "conflict", False),
)
_WHEN = {"no_reply": "办结后每个工作日，直到答复", "urged": "催办时", "escalated": "上报时"}


def print_figures(figures: Sequence[Figures], policies: Sequence[Policy]) -> None:
    """One or two sets of figures, each with the policy it comes from."""
    first = figures[0]
    since = f"从 {words.moment(first['start'])} " if first["start"] else ""
    click.echo(f"重放 {first['events']} 个事件，{since}到 {words.moment(first['end'])}\n")
    titles = [f"规则 {policy.version}" for policy in policies]
    flat = [{**one, "messages": one["messages"]["total"], "nobody": one["messages"]["nobody"]} for one in figures]
    show([Column("项目"), *_numbers(titles)], [_line(*line, flat) for line in _LINES if _shown(*line, flat)])
    if any(one["messages"]["total"] for one in figures):
        click.echo("\n消息")
        columns = [Column("目标"), Column("步骤"), Column("何时", flexible=True), Column("发给")]
        show([*columns, *_numbers(titles)], _messages(figures, policies))
    if any(one["findings"] for one in figures):
        click.echo("\n异常")
        show([Column("代码"), Column("说明", flexible=True), *_numbers(titles)], _findings(figures))


def _numbers(titles: Sequence[str]) -> list[Column]:
    if len(titles) == 1:
        return [Column("数量", right=True)]
    return [*(Column(title, right=True) for title in titles), Column("差", right=True)]


def _shown(_label: str, name: str, always: bool, figures: Sequence[Figures]) -> bool:
    return always or any(one[name] for one in figures)


def _line(label: str, name: str, _always: bool, figures: Sequence[Figures]) -> Row:
    if name == "rate":
        return [label, *(_rate(one) for one in figures), *([""] if len(figures) > 1 else [])]
    bad = name in ("breached", "overdue_open", "nobody", "invalid", "conflict")
    return [label, *_counts([one[name] for one in figures], bad=bad)]


def _counts(values: Sequence[int], *, bad: bool = False) -> list[str | Cell]:
    cells: list[str | Cell] = [Cell(str(n), "red") if bad and n else str(n) for n in values]
    if len(values) > 1:
        difference = values[1] - values[0]
        cells.append(f"{difference:+}" if difference else "0")
    return cells


def _rate(figures: Figures) -> str:
    """As numbers too: 1 of 2 is not the same as 500 of 1,000."""
    met, judged = figures["rounds"]["met"], sum(figures["rounds"].values())
    return f"{met}/{judged}（{met / judged:.1%}）" if judged else "—"


def _messages(figures: Sequence[Figures], policies: Sequence[Policy]) -> list[Row]:
    steps = {step.key: words.step_at(step) for p in policies for target in p.targets for step in target.ladder}
    found = [{(m["target"], m["step"], m["role"]): m["count"] for m in f["messages"]["by_step_role"]} for f in figures]
    rows: list[Row] = []
    place = {step: n for n, step in enumerate(steps)}
    every = dict.fromkeys(key for one in found for key in one)
    for target, step, role in sorted(every, key=lambda key: (key[0] != MAIN_TARGET, key[0], place.get(key[1], 999))):
        counts = _counts([one.get((target, step, role), 0) for one in found])
        when = _WHEN.get(step) or steps.get(step, "")
        rows.append([words.TARGETS.get(target, target), step, when, words.ROLES.get(role, role), *counts])
    return rows


def _findings(figures: Sequence[Figures]) -> list[Row]:
    codes = sorted({code for one in figures for code in one["findings"]})
    blank = {"kind": "…", "event": "…", "limit": "…", "cap": "…"}
    return [
        [code, TEXTS[code].format(**blank), *_counts([one["findings"].get(code, 0) for one in figures])]
        for code in codes
    ]
