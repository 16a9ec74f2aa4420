"""``sla policy``: the rules as a file, checked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from schemas.files import FileProblems, read
from sla_service.cli import policy_timeline, words
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.policy_apply import apply
from sla_service.cli.reading import read_settings
from sla_service.cli.tables import Column, pairs, show, terminal_width
from sla_service.domain.policy import Policy, Step
from sla_service.errors import ConfigError, NotFoundError
from sla_service.services import config_check, config_policy
from sla_service.services.config import configuration, load_config


@click.group(help="时限和升级规则。", epilog=examples("sla policy check config/policy.yaml", "sla policy show"))
def policy() -> None:
    """Commands about policy.yaml."""


@policy.command(
    help="检查规则文件，列出每个错误的行号和理由；写文件夹则检查其中全部三个配置文件。\n\n"
    "有错时退出码为 1；“注意”不算错。",
    epilog=examples("sla policy check config/policy.yaml", "sla policy check config"),
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    problems, warnings, version = _check_folder(file) if file.is_dir() else _check_file(file)
    if as_json:
        found = {"file": str(file), "valid": not problems, "version": version, "warnings": warnings}
        emit({**found, "problems": problems})
    else:
        for one in problems:
            click.echo(f"{one['file']}:{one['line']}: {one['text']}" if one["line"] else one["text"])
        for text in warnings:
            click.echo(f"注意：{text}")
        wrong = f"{len(problems)} 处错误" if problems else f"没有错误，版本 {version}"
        click.echo(f"{file}：{wrong}{f'，{len(warnings)} 处注意' if warnings else ''}。")
    if problems:
        raise click.exceptions.Exit(1)


Checked = tuple[list[dict[str, Any]], list[str], str | None]


def _check_file(path: Path) -> Checked:
    try:
        found = config_policy.from_file(config_policy.load(read(path.read_bytes(), str(path))))
    except FileProblems as e:
        return [{"file": str(path), "line": p.line, "text": p.text} for p in e.problems], [], None
    return [], config_check.check_policy(found), found.version


def _check_folder(folder: Path) -> Checked:
    try:
        config = load_config(folder)
    except ConfigError as e:
        return [_problem(line) for line in str(e).splitlines()], [], None
    return [], config_check.check(config, read_settings().variables), config.policy.version


def _problem(line: str) -> dict[str, Any]:
    """``file:line: text`` taken apart again."""
    file, _, rest = line.partition(":")
    number, colon, text = rest.partition(": ")
    if colon and number.isdecimal():
        return {"file": file, "line": int(number), "text": text}
    return {"file": line.partition("：")[0], "line": 0, "text": line}


@policy.command(
    name="show",
    help="用表格列出现行规则：时限、亮灯、逐级提醒的阶梯。",
    epilog=examples("sla policy show", "sla policy show --timeline", "sla policy show --hall north --json"),
)
@click.option("--hall", default="main", metavar="厅", help="看哪个厅的规则，默认 main。")
@click.option("--timeline", "drawn", is_flag=True, help="画出每一类办件从受理起哪天通知谁。")
@json_option
def show_(hall: str, drawn: bool, as_json: bool) -> None:
    config = configuration(read_settings())
    if config.directory.hall(hall) is None:
        known = "、".join(h.id for h in config.directory.halls)
        raise NotFoundError(f"没有厅 {hall}，通讯录里有 {known}。")
    found = config.policy_of(hall)
    if drawn:
        if as_json:
            emit({"hall": hall, "version": found.version, "timeline": policy_timeline.plain(found)})
        else:
            policy_timeline.draw(found)
        return
    if as_json:
        emit({"hall": hall, **config_policy.policy_to_dict(found)})
        return
    for line in pairs(_switches(found), room=terminal_width()):
        click.echo(line)
    kinds = list(words.KINDS)
    columns = [Column("目标"), *(Column(words.KINDS[k], right=True) for k in kinds)]
    click.echo("\n时限（括号里是还剩几个工作日起亮黄灯）")
    show(columns, [[words.TARGETS.get(t.name, t.name), *(_limit(t, k) for k in kinds)] for t in found.targets])
    for target in found.targets:
        click.echo(f"\n{words.TARGETS.get(target.name, target.name)}的提醒与升级")
        titles = [Column("何时"), Column("通知谁"), Column("渠道"), Column("说明", flexible=True)]
        show(titles, [_step(step) for step in target.ladder])


def _limit(target: Any, kind: str) -> str:
    yellow = target.yellow.get(kind)
    return f"{target.limits[kind]} 个工作日" + (f"（{yellow}）" if yellow else "")


def _switches(found: Policy) -> list[tuple[str, str]]:
    cap = "前后合计" if found.cap_counts == "total" else "在原时限之外"
    receipt = {"as_received": "按收到那天算", "next_workday": "视同下一个工作日收到"}
    since = {"start": "仍从受理算", "reclassification": "从改的那天算"}
    reopen = {"restart": "重新计时", "continue": "接着原来的计时"}
    window = {"working_hours": "只在工作日的办公时间", "always": "随时"}
    return [
        ("版本", found.version),
        ("办公时间", f"{words.clock(found.hours.open)}–{words.clock(found.hours.close)}（到期时刻为下班时）"),
        ("发送时间", window[found.send_window]),
        ("休息日收到", receipt[found.non_working_receipt]),
        ("未分类的", f"按{words.KINDS[found.unclassified_as]}计时"),
        ("改类别后", since[found.reclassify_from]),
        ("重办", reopen[found.reopen]),
        ("延期上限", f"{found.cap_days} 个工作日（{cap}）"),
        ("挂起未说明期限", f"{found.pause_days} 个工作日后提醒"),
    ]


def _step(step: Step) -> list[str]:
    via = ("、" if step.all else "，不成再用 ").join(step.via)
    notes = []
    if step.kinds:
        notes.append("只对" + "、".join(words.KINDS[k] for k in step.kinds))
    if step.departments:
        notes.append("只对" + "、".join(step.departments))
    if step.repeat:
        until = "办结" if step.until == "closed" else "承办人签收"
        notes.append(f"每 {step.repeat} 个工作日一次，直到{until}")
    if step.window == "always":
        notes.append("随时发")
    return [words.step_at(step), "、".join(words.ROLES[r] for r in step.to), via, "；".join(notes)]


policy.add_command(apply)
