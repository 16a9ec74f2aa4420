"""``sla policy show --timeline``: when whom, drawn from top to bottom for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import click

from sla_service.cli import words
from sla_service.cli.tables import Cell, Column, Row, show
from sla_service.domain.policy import Policy, Step
from sla_service.services.policy_timeline import Moment, Timeline, timelines

_REMINDER, _BREACH, _DUE, _YELLOW, _GAP = "○", "●", "◆", "◇", "│"


def draw(policy: Policy) -> None:
    """Every target and kind; kinds that are told alike are drawn once."""
    for n, (_, same) in enumerate(groupby(timelines(policy), key=lambda t: t.same)):
        together = list(same)
        first = together[0]
        kinds = "、".join(words.KINDS[t.kind] for t in together)
        yellow = f"，还剩 {first.yellow} 个工作日起亮黄灯" if first.yellow else ""
        click.echo("" if n else f"{_REMINDER} 提醒   {_BREACH} 超期后   {_DUE} 到期\n")
        title = f"{words.TARGETS.get(first.target, first.target)} · {kinds}：{first.limit} 个工作日{yellow}"
        click.echo(click.style(title, bold=True))
        columns = [Column("何时"), Column(""), Column("时刻"), Column("通知谁"), Column("渠道与说明", flexible=True)]
        show(columns, list(_rows(first, policy)))
        if first.never:
            steps = "、".join(step.key for step in first.never)
            click.echo(click.style(f"不会发：{steps}（早于受理）", fg="yellow"))


def _rows(line: Timeline, policy: Policy) -> Iterator[Row]:
    close = policy.hours.close
    yellow = (line.limit - line.yellow, -1, None) if line.yellow else None
    marks: list[tuple[int, int, Moment | None]] = [(m.day, m.minute, m) for m in line.moments]
    marks += [(line.limit, close, None)] + ([yellow] if yellow else [])
    # the due instant comes before what is told at it
    marks.sort(key=lambda mark: (mark[0], mark[1], mark[2] is not None))
    yield ["受理", "┬", "", "当天不算", ""]
    before = 0
    for day, same in groupby(marks, key=lambda mark: mark[0]):
        if day > before + 1:
            yield ["", _GAP, "", "", ""]
        for n, (_, minute, moment) in enumerate(same):
            when = "" if n else _day(day, line.limit)
            if moment is not None:
                yield _row(when, moment)
            elif minute < 0:
                yield [when, Cell(_YELLOW, "yellow"), "", "亮黄灯", ""]
            else:
                yield [when, Cell(_DUE, "red"), words.clock(minute), "到期", ""]
        before = day
    for step in line.on_pause:
        yield [words.step_at(step).replace("个工作日", "天"), _REMINDER, "", _who(step), _how(step)]


def _day(day: int, limit: int) -> str:
    return f"第 {day} 天" if day <= limit else f"超期 {day - limit} 天"


def _row(when: str, moment: Moment) -> Row:
    step = moment.step
    mark = Cell(_REMINDER) if step.before_breach else Cell(_BREACH, "red")
    time = words.clock(moment.goes_minute)
    return [when, mark, f"次日 {time}" if moment.goes_day > moment.day else time, _who(step), _how(step)]


def _who(step: Step) -> str:
    return "、".join(words.ROLES[role] for role in step.to)


def _how(step: Step) -> str:
    via = ("、" if step.all else "，不成用 ").join(step.via)
    notes = ["只对" + "、".join(step.departments)] if step.departments else []
    if step.repeat:
        until = "办结" if step.until == "closed" else "签收"
        notes.append(f"每 {step.repeat} 天一次到{until}")
    return "；".join((via, *notes))


def plain(policy: Policy) -> list[dict[str, Any]]:
    """For ``--json``: one entry per target and kind."""
    return [
        {
            "target": line.target,
            "kind": line.kind,
            "limit": line.limit,
            "yellow": line.yellow,
            "steps": [_moment(m, line.limit) for m in line.moments],
            "on_pause": [_step(s) for s in line.on_pause],
            "never": [s.key for s in line.never],
        }
        for line in timelines(policy)
    ]


def _moment(moment: Moment, limit: int) -> dict[str, Any]:
    return {
        "day": moment.day,
        "after_due": moment.day - limit,
        "time": words.clock(moment.minute),
        "goes_out": {"day": moment.goes_day, "time": words.clock(moment.goes_minute)},
        **_step(moment.step),
    }


def _step(step: Step) -> dict[str, Any]:
    names: Sequence[str] = ("to", "via", "departments")
    lists = {name: list(getattr(step, name)) for name in names}
    return {"step": step.key, **lists, "all": step.all, "repeat": step.repeat, "until": step.until}
