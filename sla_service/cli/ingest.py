"""``sla ingest``: files in."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.progress import progress
from sla_service.cli.reading import When
from sla_service.cli.tables import Cell, pairs
from sla_service.domain.policy import at_minute
from sla_service.errors import SlaError, UsageError
from sla_service.services import file_input
from sla_service.services.app import App
from sla_service.services.file_input import STDIN
from sla_service.services.files_in import STATUSES, Report, Watch, Wish, take
from sla_service.services.register_map import Layout, load_map

REJECTS = ".rejects.jsonl"
WORDS = {
    "applied": Cell("生效", "green"),
    "duplicate": Cell("重复（以前收过，内容相同）"),
    "waiting": Cell("等待受理（收到受理事件后生效）", "yellow"),
    "conflict": Cell("冲突（编号相同内容不同，以先到的为准）", "red"),
    "rejected": Cell("不适用（与办件的状态不符，已留存）", "red"),
    "invalid": Cell("无效（不符合要求）", "red"),
}


@dataclass(slots=True)
class Done:
    """One file, taken. ``rejects`` is None where nothing was refused."""

    name: str
    report: Report
    rejects: Path | None
    columns: dict[str, str]

    def out(self) -> dict[str, Any]:
        counts = {status: self.report.counts[status] for status in STATUSES}
        found: dict[str, Any] = {"file": self.name, "rows": self.report.rows, "counts": counts}
        if self.columns:
            found["columns"] = self.columns
        if self.report.registered:
            found["registered"] = self.report.registered
        return {**found, "rejects": str(self.rejects) if self.rejects else None}


@click.command(
    help="导入文件：事件（JSON Lines、JSON 数组、单个 CloudEvent），或台账（CSV、XLSX，一行一件）。\n\n"
    "写 - 从标准输入读。好的行收下，坏的行连同行号和原因写进拒收清单。同一个文件可以反复导入，不会重复。"
    "文件读完了退出码就是 0，各行如何看统计。\n\n"
    "台账的列按表头自动识别；识别得不对时用 --map 写明，见下面的例子。"
    "日期单独写时，受理按当天 0 点、办结按当天下班。\n\n"
    "每晚导出的同一份台账可以直接导入：没变的行不动，换了承办人、类别、办结、答复的，变成相应的事件，时间记为文件写成的时间"
    "（文件的修改时间，或用 --as-of 写明）；比已导入的旧的文件不会把新的改回去，清空的格子不算改动。",
    epilog=examples(
        "sla ingest 事件.jsonl",
        "sla ingest 台账.xlsx --source hall --dry-run",
        "sla ingest 历史.csv --source hall --silent --map 列.yaml",
        "sla ingest 昨晚.xlsx --source hall --as-of 2026-11-21T18:00:00+08:00",
        "cat 事件.jsonl | sla ingest - --source hall",
        "# 列.yaml：",
        "#   columns: {no: 受理编号, accepted: 受理时间, closed: 办结时间, kind: 类别}",
        "#   words: {一般: simple, 疑难: complex}",
        "#   replied: closed     # 办结就是答复了当事人",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--source", metavar="来源", help="事件没有写来源时用它；写了别的来源的算无效。台账必须有。")
@click.option("--dry-run", is_flag=True, help="只试算，什么都不写入数据库。")
@click.option("--silent", is_flag=True, help="导入历史：照常判定，但不发任何消息。")
@click.option("--map", "map_file", type=click.Path(path_type=Path), metavar="文件", help="台账的列对应（YAML）。")
@click.option("--as-of", type=When(), metavar="时间", help="台账是什么时候导出的；默认文件的修改时间。")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="文件", help=f"拒收清单，默认 FILE{REJECTS}。")
@json_option
def ingest(
    files: Sequence[str],
    source: str | None,
    dry_run: bool,
    silent: bool,
    map_file: Path | None,
    as_of: date | datetime | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    wanted = _wanted(files, rejects)
    written = as_of if as_of is None or isinstance(as_of, datetime) else at_minute(as_of, 0)
    wish = Wish(source, load_map(map_file) if map_file is not None else None, silent, dry_run, written)
    done: list[Done] = []
    with opened() as app:
        for name in wanted:
            try:
                done.append(_take(app, name, wish, rejects or _beside(name)))
            except KeyboardInterrupt:
                say(f"{name} 读到一半：已写入的行都保留，重新导入整个文件即可，不会重复。")
                raise
            if not as_json:
                _tell(done[-1], dry_run=dry_run)
    if as_json:
        emit(done[0].out() if len(files) == 1 else _together(done))


def _wanted(files: Sequence[str], rejects: Path | None) -> list[str]:
    """The files to take: all there, none twice, no list of refused rows caught by a ``*``."""
    wanted = [name for name in dict.fromkeys(files) if len(files) == 1 or not name.endswith(REJECTS)]
    for name in [n for n in files if n not in wanted]:
        say(f"跳过 {name}：这是以前的拒收清单。")
    for name in wanted:
        if name != STDIN:
            Path(name).open("rb").close()  # what is missing or closed to us is said before anything is taken
    if rejects is not None and len(wanted) > 1:
        raise UsageError("--rejects 只能配一个文件；导入多个文件时，拒收清单分别写在各文件旁边。")
    return wanted


def _beside(name: str) -> Path:
    """Where the refused rows go: beside the file, or here if that folder is not ours to write into."""
    beside = Path("stdin" + REJECTS) if name == STDIN else Path(name + REJECTS)
    for path in (beside, Path(beside.name)):
        if os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK)):
            return path
    raise SlaError(f"拒收清单没有地方写（{beside.parent} 和当前文件夹都不可写），请用 --rejects 指明一个文件。")


def _take(app: App, name: str, wish: Wish, rejects: Path) -> Done:
    columns: dict[str, str] = {}

    def seen(layout: Layout, sheet: str) -> None:
        columns.update(layout.titles)
        _show_columns(layout, sheet, wish)

    with file_input.opened(name, sys.stdin.buffer) as found, progress(f"导入 {found.shown}") as advance:
        wish = wish if wish.as_of is not None else replace(wish, as_of=found.written)
        watch = Watch(advance, say, seen)
        report = take(app, found, wish, rejects, watch, now=systime.now())
    return Done(name, report, rejects if report.refused else None, columns)


def _show_columns(layout: Layout, sheet: str, wish: Wish) -> None:
    where = f"工作表“{sheet}”，" if sheet else ""
    say(f"{where}第 {layout.last} 行是表头，列这样对应{'' if wish.mapping else '（不对时用 --map 写明）'}：")
    for line in pairs([(title, f"→ {field}") for field, title in layout.titles.items()], indent="  "):
        say(line)
    if layout.unused:
        say(f"  没有用到：{'、'.join(layout.unused)}")
    answered = wish.mapping is not None and wish.mapping.replied == "closed"
    if "closed" in layout.titles and "replied" not in layout.titles and not answered:
        say("  没有答复时间一列：办结的件会记为“未答复当事人”；如果办结就是答复，在映射文件里写 replied: closed。")


def _tell(one: Done, *, dry_run: bool) -> None:
    report = one.report
    trial = "（试算，没有写入）" if dry_run else ""
    click.echo(
        f"{'标准输入' if one.name == STDIN else one.name}：{report.rows} 行，{report.counts.total()} 个事件{trial}"
    )
    told = [(str(report.counts[s]), WORDS[s]) for s in STATUSES if report.counts[s]]
    longest = max((len(n) for n, _ in told), default=0)
    for line in pairs([(n.rjust(longest), word) for n, word in told], indent="  "):
        click.echo(line)
    if one.rejects is not None:
        click.echo(f"  拒收清单：{one.rejects}（{report.refused} 条，有行号和原因）")


def _together(done: Sequence[Done]) -> dict[str, Any]:
    total: Counter[str] = sum((d.report.counts for d in done), Counter())
    rows = sum(d.report.rows for d in done)
    return {"files": [d.out() for d in done], "rows": rows, "counts": {s: total[s] for s in STATUSES}}
