"""``sla calendar import|local|withdraw``: what changes the calendar; a preview unless ``--apply`` is given."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from sla_service import systime
from sla_service.calendars.render import STATUS_WORDS
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.progress import progress
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain.calendar import Day, DayKind
from sla_service.services import calendar_admin
from sla_service.services.app import App
from sla_service.services.audit import operator
from sla_service.services.calendar_admin import ChangedDay, Draft, Preview
from sla_service.services.calendar_moves import Move, moves

_SHOWN = 30  # moved cases that a terminal lists; --json has all
_KINDS = {DayKind.WORKING: "上班", DayKind.WEEKEND: "周末", DayKind.HOLIDAY: "放假", DayKind.MAKEUP: "调休上班"}

apply_option = click.option("--apply", "in_force", is_flag=True, help="生效，并重算在办的件；不写只预览。")
file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True)
)


@click.command(
    name="import",
    help="导入国务院办公厅的放假通知：通知原文（.txt）、holiday-cn 的 JSON、CSV（日期,off 或 work,名称）、.ics。\n\n"
    "先预览哪些天会变、哪些在办件的到期日会变；核对后加 --apply 生效。FILE 写 - 时从标准输入读（可以直接粘贴原文）。",
    epilog=examples(
        "sla calendar import 通知.txt",
        "sla calendar import 通知.txt --apply",
        "sla calendar import 2027.json --apply --json",
    ),
)
@file_argument
@click.option("--year", type=int, metavar="YEAR", help="文件里有几年时只导入这一年；原文没写年份时注明。")
@apply_option
@json_option
def import_(file: Path, year: int | None, in_force: bool, as_json: bool) -> None:
    source: Path | bytes = file
    if str(file) == "-":
        source = sys.stdin.buffer.read()
    draft = calendar_admin.notices(source, "" if source is file else "标准输入", year=year)
    with opened() as app:
        _carry_out(app, draft, in_force=in_force, as_json=as_json)


@click.group(
    help="地方假日：广西三月三、彝族火把节、宁夏开斋节等，叠加在全国日历之上。",
    epilog=examples("sla calendar local add guangxi.yaml", "sla calendar local add guangxi.yaml --apply"),
)
def local() -> None:
    """Commands about layers of regions."""


@local.command(
    help="加入地方的放假和上班日（YAML，或地方通知的原文）；同名的旧层由新的取代。先预览，加 --apply 生效。\n\n"
    "加到哪个日历：--calendar 写明的；否则与文件同名的（guangxi.yaml → guangxi）；只有一个日历时就是它。",
    epilog=examples(
        "sla calendar local add guangxi.yaml",
        "sla calendar local add guangxi.yaml --apply",
        "sla calendar local add 三月三.yaml --calendar nanning --calendar liuzhou --apply",
    ),
)
@file_argument
@click.option("--calendar", "names", metavar="NAME", multiple=True, help="加到哪一个日历，可以写多次。")
@apply_option
@json_option
def add(file: Path, names: tuple[str, ...], in_force: bool, as_json: bool) -> None:
    with opened() as app:
        calendars = calendar_admin.calendars_for(app, file, names)
        _carry_out(app, calendar_admin.local(file, calendars), in_force=in_force, as_json=as_json)


@click.command(
    help="撤销一层（编号见 sla calendar status），例如导错的通知。先预览，加 --apply 生效。",
    epilog=examples("sla calendar withdraw 5", "sla calendar withdraw 5 --apply"),
)
@click.argument("layer", metavar="NO", type=int)
@apply_option
@json_option
def withdraw(layer: int, in_force: bool, as_json: bool) -> None:
    with opened() as app:
        _carry_out(app, calendar_admin.withdrawal(layer), in_force=in_force, as_json=as_json)


def order(on: date, *, off: bool, reason: str, names: Sequence[str], in_force: bool, as_json: bool) -> None:
    """``sla calendar day DATE off|work``"""
    with opened() as app:
        calendars = calendar_admin.calendars_for(app, Path("-"), names)
        draft = calendar_admin.single_day(on, off=off, name=reason, calendars=calendars)
        _carry_out(app, draft, in_force=in_force, as_json=as_json)


# -- preview and apply --------------------------------------------------------------------------------------


def _carry_out(app: App, draft: Draft, *, in_force: bool, as_json: bool) -> None:
    found = calendar_admin.preview(app, draft)
    with progress("比对在办件") as advance:
        moved = list(moves(app, calendar_admin.trial(app, found), now=systime.now(), advance=advance))
    plain: dict[str, Any] = {"applied": in_force, **_plain(found, moved)}
    if not as_json:
        _say_preview(found, moved)
    if in_force:
        with progress("重算") as advance:
            done = calendar_admin.apply(app, draft, who=operator(), clock=systime.now, advance=advance)
        plain |= {"versions": dict(done.calendars), "recomputed": done.followed.cases, "failed": done.followed.failed}
        if not as_json:
            _say_done(plain)
    elif not as_json and not found.proposal.empty:
        click.echo("\n以上是预览，什么都没有改。核对无误后加 --apply 生效。")
    if as_json:
        emit(plain)
    if plain.get("failed"):
        raise SystemExit(1)


def _say_done(plain: dict[str, Any]) -> None:
    if not plain["versions"] and not plain["recomputed"]:
        click.echo("\n日历没有变化。")
        return
    moved = f"{len(plain['moves'])} 件的到期日有变，每位承办人会收到一条消息" if plain["moves"] else "到期日都没有变"
    click.echo(f"\n已生效。重算在办件 {plain['recomputed']} 件，{moved}。")
    if plain["failed"]:
        say(f"有 {plain['failed']} 件没能重算，仍按原来的日历；请运行 sla doctor 查看。")


def _say_preview(found: Preview, moved: Sequence[Move]) -> None:
    if found.proposal.reason:
        click.echo(found.proposal.reason)
    for warning in found.proposal.warnings:
        click.echo(click.style(f"注意：{warning}", fg="yellow"))
    for year, (old, new) in found.years.items():
        click.echo(f"{year} 年：{STATUS_WORDS[old]} → {STATUS_WORDS[new]}")
    for name, changed in found.days.items():
        counted = [c for c in changed if c.old.kind.counts != c.new.kind.counts]
        title = "" if len(found.days) == 1 else f"日历 {name}："
        click.echo(f"\n{title}{len(counted)} 天的上班或放假有变")
        if counted:
            columns = [Column("日期"), Column("原来"), Column("改为"), Column("来处", flexible=True)]
            show(columns, [_span(list(run)) for run in _runs(counted)])
    if moved:
        click.echo(f"\n{len(moved)} 件在办件的到期日会变：")
        columns = [
            Column("办件编号"),
            Column("标题", cut=True),
            Column("承办人"),
            Column("原到期日"),
            Column("新到期日"),
            Column(""),
        ]
        show(columns, [_moved(m) for m in moved[:_SHOWN]])
        if len(moved) > _SHOWN:
            click.echo(f"…… 另有 {len(moved) - _SHOWN} 件（--json 列出全部）")
    elif not found.proposal.empty:
        click.echo("\n没有在办件的到期日会变。")


def _runs(changed: Sequence[ChangedDay]) -> Iterable[Iterable[ChangedDay]]:
    """Neighbouring days to which the same happens."""
    keyed = groupby(
        enumerate(changed),
        lambda p: (p[1].on.toordinal() - p[0], p[1].old.kind, p[1].new.kind, p[1].new.name, p[1].new.source),
    )
    return ([change for _, change in run] for _, run in keyed)


def _span(run: Sequence[ChangedDay]) -> list[str]:
    first, last = run[0], run[-1]
    when = words.day(first.on) if len(run) == 1 else f"{words.day(first.on)} 至 {words.day(last.on)}"
    return [when, _kind(first.old), _kind(first.new), first.new.source]


def _kind(day: Day) -> str:
    return f"{_KINDS[day.kind]}{f'（{day.name}）' if day.name else ''}"


def _moved(m: Move) -> list[str | Cell]:
    note = Cell("超期撤销", "green") if m.withdrawn else Cell("变为超期", "red") if m.breached else Cell("")
    old = f"{words.day(m.old)}{' 暂定' if m.old_provisional else ''}"
    new = f"{words.day(m.new)}{' 暂定' if m.new_provisional else ''}"
    return [m.no, m.title, m.handler, old, new, note]


def _plain(found: Preview, moved: Sequence[Move]) -> dict[str, Any]:
    return {
        "reason": found.proposal.reason,
        "warnings": list(found.proposal.warnings),
        "years": {str(y): {"old": old, "new": new} for y, (old, new) in found.years.items()},
        "days": [
            {
                "calendar": name,
                "date": c.on,
                "old": c.old.kind,
                "new": c.new.kind,
                "name": c.new.name,
                "source": c.new.source,
            }
            for name, changed in found.days.items()
            for c in changed
        ],
        "moves": [
            {
                "source": m.source,
                "no": m.no,
                "hall": m.hall,
                "handler": m.handler,
                "old": m.old,
                "new": m.new,
                "provisional": m.new_provisional,
                "breach_withdrawn": m.withdrawn,
                "breached": m.breached,
            }
            for m in moved
        ],
    }
