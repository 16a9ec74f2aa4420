"""``sla recompute``: open cases folded anew, differences first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, plain
from sla_service.cli.progress import progress
from sla_service.cli.tables import Column, show
from sla_service.services.doctor_cases import Untold
from sla_service.services.recompute import Difference
from sla_service.services.recompute import recompute as fold_anew
from sla_service.services.retelling import retell

_NAMES = {
    "state": "状态",
    "due_on": "到期日",
    "due_earliest": "最早到期",
    "due_latest": "最晚到期",
    "verdict": "判定",
    "late_days": "超期",
    "kind": "类别",
    "handler": "承办人",
}


@click.command(
    help="按事件、现行日历和现行规则重算在办的件，列出变了的；已经发过的提醒不会再发。\n\n先用 --dry-run 看差异。\n\n"
    "--missing 不重算，只把到了时间却没有写下的提醒（sla doctor 的“漏写的提醒”）补上。",
    epilog=examples(
        "sla recompute --dry-run",
        "sla recompute",
        "sla recompute --case hall BBC-2026-0001",
        "sla recompute --missing",
    ),
)
@click.option("--case", "chosen", nargs=2, multiple=True, metavar="SOURCE NO", help="只算这一件；可以写多次。")
@click.option("--dry-run", is_flag=True, help="只列出差异，不改。")
@click.option("--missing", is_flag=True, help="补上到了时间却没有写下的提醒，由运行中的服务发出。")
@json_option
def recompute(chosen: tuple[tuple[str, str], ...], dry_run: bool, missing: bool, as_json: bool) -> None:
    if missing:
        _retell(chosen, dry_run=dry_run, as_json=as_json)
        return
    found: list[Difference] = []
    total = 0
    with opened() as app, progress("重算", "件") as advance:
        for n, differences in fold_anew(app, chosen, now=systime.now(), dry_run=dry_run):
            total += n
            found += differences
            advance(total, None)
    if as_json:
        emit({"cases": total, "dry_run": dry_run, "differences": [difference_out(d) for d in found]})
        return
    report(total, found, dry_run=dry_run)


def _retell(chosen: Sequence[tuple[str, str]], *, dry_run: bool, as_json: bool) -> None:
    found: list[Untold] = []
    total = 0
    with opened() as app, progress("查看", "件") as advance:
        for n, untold in retell(app, chosen, now=systime.now(), dry_run=dry_run):
            total += n
            found += untold
            advance(total, None)
    if as_json:
        rows = [{"source": u.source, "no": u.no, "step": u.planned.step.key, "at": plain(u.planned.at)} for u in found]
        emit({"cases": total, "dry_run": dry_run, "missing": rows})
        return
    if found:
        columns = [Column("来源"), Column("办件编号"), Column("提醒"), Column("本该在")]
        show(columns, [[u.source, u.no, u.planned.step.key, str(plain(u.planned.at))] for u in found])
    done = "（只看，没有改）" if dry_run or not found else "，运行中的服务会在几秒内补上"
    click.echo(f"查看 {total} 件，{len(found)} 个提醒漏写了{done}。")


def report(total: int, found: Sequence[Difference], *, dry_run: bool) -> None:
    if found:
        columns = [Column("来源"), Column("办件编号"), Column("差异", flexible=True)]
        show(columns, [[d.source, d.no, _text(d)] for d in found])
    click.echo(f"重算 {total} 件，{len(found)} 件有差异{'（只看，没有改）' if dry_run else ''}。")


def _text(one: Difference) -> str:
    if one.next_look:
        return "到期日不变，补上了漏掉的提醒安排"
    changed = [n for n in one.before if one.before[n] != one.after[n]]
    return "；".join(f"{_NAMES[n]} {_shown(one.before[n])} → {_shown(one.after[n])}" for n in changed)


def _shown(value: Any) -> str:
    return "无" if value is None else str(value)


def difference_out(one: Difference) -> dict[str, Any]:
    def out(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: plain(v) if hasattr(v, "isoformat") else v for k, v in values.items()}

    return {
        "source": one.source,
        "no": one.no,
        "before": out(one.before),
        "after": out(one.after),
        "next_look": one.next_look,
    }
