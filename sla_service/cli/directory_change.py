"""``sla directory import|substitute|handover``: what changes who is told; a preview unless ``--apply`` is given."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.progress import progress
from sla_service.cli.reading import Day, read_settings
from sla_service.cli.tables import Column, show
from sla_service.services import directory_admin, directory_import, directory_rows, file_input, handing_over
from sla_service.services.directory_import import Plan
from sla_service.services.handing_over import HandOver

_SECTIONS = {"people": "人员", "departments": "科室", "absences": "请假"}
_RESTART = "正在运行的服务请重启。"
apply_option = click.option("--apply", "in_force", is_flag=True, help="写进 directory.yaml；不写只预览。")


@click.command(
    name="import",
    help="从名单导入人员：CSV 或 XLSX（一行标题，至少有 姓名、编号；可以有 别名、工号、手机、企业微信、科室、厅），\n"
    "或写法与 directory.yaml 相同的 YAML（人员、科室、请假）。\n\n"
    "先预览谁是新的、谁的什么会变；核对后加 --apply 写进 directory.yaml，其余内容和注释不动，原来的留作 "
    "directory.yaml.old。空白的格子不改原来的值，名单里没有的人保留。",
    epilog=examples("sla directory import 人员.xlsx", "sla directory import 人员.csv --apply"),
)
@click.argument("file", metavar="FILE")
@apply_option
@json_option
def import_(file: str, in_force: bool, as_json: bool) -> None:
    now = directory_admin.held(_folder())
    with file_input.opened(file, sys.stdin.buffer) as found:
        plan = directory_import.plan(now, directory_rows.given(found))
    written = in_force and bool(plan.changes)
    kept = directory_admin.write(plan.new) if written else None
    if as_json:
        emit({"applied": written, "kept": str(kept) if kept else None, **_plain(plan)})
    else:
        _say_plan(plan)
        if kept is not None:
            click.echo(f"\n已写进 {plan.new.path}，原来的留在 {kept}。{_RESTART}")
        elif plan.changes:
            click.echo("\n以上是预览，什么都没有改。核对无误后加 --apply 生效。")
    for refused in plan.refused:
        say(f"第 {refused.number} 行没有采用：{refused.reason}。")
    if plan.refused and not plan.changes and not plan.same:
        raise SystemExit(1)


def _say_plan(plan: Plan) -> None:
    if plan.changes:
        rows = [
            [_SECTIONS[c.section], c.id, "" if c.name == c.id else c.name, "新增" if c.new else "修改", c.what]
            for c in plan.changes
        ]
        columns = [Column(""), Column("编号", flexible=True), Column("姓名"), Column(""), Column("内容", flexible=True)]
        show(columns, rows)
    new = sum(c.new and c.section == "people" for c in plan.changes)
    changed = sum(not c.new and c.section == "people" for c in plan.changes)
    refused = f"，{len(plan.refused)} 行没有采用" if plan.refused else ""
    if plan.changes:
        click.echo("")
    click.echo(f"新增 {new} 人，修改 {changed} 人，{plan.same} 行没有变化{refused}。")


def _plain(plan: Plan) -> dict[str, Any]:
    return {
        "changes": [
            {"section": c.section, "id": c.id, "name": c.name, "new": c.new, "what": c.what} for c in plan.changes
        ],
        "same": plan.same,
        "refused": [{"row": r.number, "reason": r.reason} for r in plan.refused],
    }


@click.command(
    help="请假代班：WHO 从 D 到 D（首尾两天都算）由 --by 的人代，发给 WHO 的消息这几天改发给代班人。\n\n"
    "写进 directory.yaml 的 absences，其余内容和注释不动。人可以写编号、姓名或别名。",
    epilog=examples("sla directory substitute lisi --by zhangsan --from 2026-11-01 --to 2026-11-07"),
)
@click.argument("who", metavar="WHO")
@click.option("--by", required=True, metavar="WHO", help="谁来代。")
@click.option("--from", "first", required=True, type=Day(), metavar="D", help="从哪天起。")
@click.option("--to", "last", required=True, type=Day(), metavar="D", help="到哪天为止（含）。")
@json_option
def substitute(who: str, by: str, first: date, last: date, as_json: bool) -> None:
    new, made = directory_admin.substitute(directory_admin.held(_folder()), who, by, first, last)
    kept = directory_admin.write(new)
    if as_json:
        absence = {"who": made.who.id, "by": made.by.id, "from": first, "to": last}
        emit({"absence": absence, "remarks": list(made.remarks), "kept": str(kept)})
        return
    span = words.day(first) if first == last else f"{words.day(first)} 到 {words.day(last)}"
    click.echo(f"{made.who.name}（{made.who.id}）{span} 由{made.by.name}（{made.by.id}）代班。")
    for remark in made.remarks:
        click.echo(click.style(f"注意：{remark}", fg="yellow"))
    click.echo(f"已写进 {new.path}。{_RESTART}")


@click.command(
    help="移交：把 WHO 的在办件全部交给 --to 的人，例如有人调走。已经离开通讯录的人，写办件上的名字。\n\n"
    "先预览有多少件；加 --apply 后每件记一个 case.assigned 事件（科室不变）。已到过的提醒，接手的人只收到一条汇总。",
    epilog=examples("sla directory handover zhangsan --to lisi", "sla directory handover 张三 --to lisi --apply"),
)
@click.argument("who", metavar="WHO")
@click.option("--to", "heir", required=True, metavar="WHO", help="交给谁。")
@click.option("--apply", "in_force", is_flag=True, help="移交；不写只预览。")
@json_option
def handover(who: str, heir: str, in_force: bool, as_json: bool) -> None:
    with opened() as app:
        found = handing_over.plan(app, who, heir)
        done = 0
        if in_force:
            with progress("移交", "件") as advance:
                done = handing_over.carry_out(app, found, now=systime.now(), advance=advance)
    if as_json:
        held = [{"hall": h.hall, "department": h.department, "handler": h.handler, "cases": h.n} for h in found.held]
        plain = {"to": found.to.id, "cases": found.cases, "held": held, "elsewhere": found.elsewhere}
        emit({"applied": in_force, **plain, "done": done})
        return
    _say_handover(found)
    if in_force:
        click.echo(f"\n已移交 {done} 件给{found.to.name}。")
        if done < found.cases:
            say(f"{found.cases - done} 件没有移交，可能刚办结；见 sla inbox list。")
    else:
        click.echo("\n以上是预览，什么都没有改。核对无误后加 --apply 移交。")


def _say_handover(found: HandOver) -> None:
    columns = [Column("科室", flexible=True), Column("办件上的承办人"), Column("在办", right=True)]
    show(columns, [[h.department or "—", h.handler, str(h.n)] for h in found.held])
    click.echo(f"共 {found.cases} 件，交给{found.to.name}（{found.to.id}）。")
    if found.elsewhere:
        click.echo(f"其他厅还有 {found.elsewhere} 件，要交给那个厅的人。")


def _folder() -> Path:
    return read_settings().config_dir
