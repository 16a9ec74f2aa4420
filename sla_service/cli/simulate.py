"""``sla simulate``: a history replayed in virtual time, under one policy or two side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.files import FileProblems, read
from sla_service import systime
from sla_service.cli.calendar_read import calendars_in_force
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import When, read_settings
from sla_service.cli.simulate_tables import print_figures
from sla_service.domain.calendar import Calendar
from sla_service.domain.directory import MAIN_HALL, Directory
from sla_service.domain.policy import DAY_MINUTES, Policy, at_minute
from sla_service.errors import ConfigError, NotFoundError, SlaError, UsageError
from sla_service.services import config_directory, simulation
from sla_service.services.config import DIRECTORY, POLICY, Config, default_text, load_config, parse_policy
from sla_service.services.file_input import opened
from sla_service.services.simulation import SimulationResult
from sla_service.services.simulation_file import History, read_history

MOST_PROBLEMS = 20
Figures = Mapping[str, Any]


@click.command(
    name="simulate",
    help="用虚拟时间重放一段历史：谁会在何时收到什么，按时几件、超期几件。什么都不发送，不需要数据库。\n\n"
    "FILE 是事件文件（每行一个 CloudEvents JSON，或一个数组；- 为标准输入）。写坏的行报出来并跳过。"
    "不写 --policy、--directory 时用配置文件夹里的，没有配置文件夹时用随带的默认规则。",
    epilog=examples(
        "sla simulate examples/hall.jsonl",
        "sla simulate 历史.jsonl --from 2026-05-01 --to 2026-05-31 --json",
        "# 两套规则对比，并列出第一套规则下的每一条消息：",
        "sla simulate 历史.jsonl --policy 现行.yaml --versus 新规则.yaml --messages 消息.jsonl",
    ),
)
@click.argument("file", metavar="FILE")
@click.option("--policy", "policy_path", metavar="P", type=click.Path(path_type=Path), help="规则文件。")
@click.option("--versus", "versus_path", metavar="P2", type=click.Path(path_type=Path), help="与这一套规则对比。")
@click.option("--directory", "directory_path", metavar="D", type=click.Path(path_type=Path), help="通讯录文件。")
@click.option("--hall", default=MAIN_HALL, metavar="厅", help="按哪个厅的规则和人员，默认 main。")
@click.option("--from", "start", metavar="D", type=When(), help="从哪天起：更早的事件只作为前情。")
@click.option("--to", "end", metavar="D", type=When(), help="到哪天为止（含）；默认到最后一个事件。")
@click.option(
    "--messages", "out", metavar="OUT.jsonl", type=click.Path(path_type=Path), help="把每条消息写成一行 JSON。"
)
@json_option
def simulate(
    *,
    file: str,
    policy_path: Path | None,
    versus_path: Path | None,
    directory_path: Path | None,
    hall: str,
    start: date | datetime | None,
    end: date | datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    begin, finish = _begin(start), _finish(end)
    if begin is not None and finish is not None and begin > finish:
        raise UsageError(f"--from {start} 晚于 --to {end}，请对调。")
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise SlaError(f"写不了 {out}：要写一个文件名，它所在的文件夹要已经有。")
    defaults = _Defaults(hall)
    policies = [_policy(policy_path) if policy_path else defaults.policy]
    policies += [_policy(versus_path)] if versus_path else []
    directory = _directory(directory_path) if directory_path else defaults.directory
    if directory.hall(hall) is None:
        raise NotFoundError(f"没有厅 {hall}，通讯录里有 {'、'.join(h.id for h in directory.halls)}。")
    history = _read(file)
    results = _replay(history, policies, directory, begin, finish, hall)
    if out is not None:
        _write(out, results[0])
    figures = [_figures(history, p, r) for p, r in zip(policies, results, strict=True)]
    if as_json:
        emit({**figures[0], **({"versus": figures[1]} if versus_path else {})})
        return
    print_figures(figures, policies)
    if out is not None:
        say(f"{len(results[0].messages)} 条消息已写入 {out}。")


# -- what it is replayed under --------------------------------------------------------------------------------------


class _Defaults:
    """The config folder's policy and directory, read only where they are asked for; the shipped ones without it."""

    def __init__(self, hall: str) -> None:
        self.hall = hall

    @cached_property
    def config(self) -> Config | None:
        folder = read_settings().config_dir
        return load_config(folder) if folder.exists() else None

    @property
    def policy(self) -> Policy:
        return self.config.policy_of(self.hall) if self.config else parse_policy(default_text(POLICY), POLICY)

    @property
    def directory(self) -> Directory:
        return self.config.directory if self.config else _parse_directory(default_text(DIRECTORY), DIRECTORY)


def _policy(path: Path) -> Policy:
    return parse_policy(path.read_bytes(), str(path))


def _directory(path: Path) -> Directory:
    return _parse_directory(path.read_bytes(), str(path))


def _parse_directory(text: str | bytes, name: str) -> Directory:
    try:
        return config_directory.load(read(text, name))
    except FileProblems as e:
        raise ConfigError(str(e)) from None


def _begin(given: date | datetime | None) -> datetime | None:
    return given if given is None or isinstance(given, datetime) else at_minute(given, 0)


def _finish(given: date | datetime | None) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return given
    return at_minute(given, DAY_MINUTES) - timedelta(microseconds=1)


# -- reading and replaying ------------------------------------------------------------------------------------------


def _read(file: str) -> History:
    with opened(file, sys.stdin.buffer) as found, _progress("读取", found.size) as moved:
        history = read_history(found, now=systime.now(), progress=moved)
    for number, problem in history.problems[:MOST_PROBLEMS]:
        say(f"第 {number} 行：{problem}")
    more = len(history.problems) - MOST_PROBLEMS
    if more > 0:
        say(f"还有 {more} 行有问题，没有列出。")
    if not history.events:
        raise SlaError(f"{file} 里没有可以重放的事件。")
    return history


def _replay(
    history: History,
    policies: Sequence[Policy],
    directory: Directory,
    begin: datetime | None,
    finish: datetime | None,
    hall: str,
) -> list[SimulationResult]:
    in_force = calendars_in_force()

    def calendar(department: str | None) -> Calendar:
        return in_force.of(hall, department, directory)

    results = []
    with _progress("重放", len(history.events) * len(policies)) as moved:
        for n, policy in enumerate(policies):
            done = n * len(history.events)

            def step(events: int) -> None:
                nonlocal done
                done += events
                moved(done)

            period = {"start": begin, "end": finish}
            found = simulation.simulate(history.events, policy, directory, calendar, **period, hall=hall, progress=step)
            results.append(found)
    return results


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while somebody watches it; told the amount done so far."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _write(out: Path, result: SimulationResult) -> None:
    """All of it or nothing: a half-written list would be read as a whole one."""
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(m.out(), ensure_ascii=False) + "\n" for m in result.messages)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _figures(history: History, policy: Policy, result: SimulationResult) -> Figures:
    return {
        "policy": policy.version,
        **result.figures(),
        "invalid": len(history.problems) - history.conflict,
        "duplicate": history.duplicate,
        "conflict": history.conflict,
    }
