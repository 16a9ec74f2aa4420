"""``sla cases``: the cases as they stand."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import json_option, say
from sla_service.cli.tables import Cell, Column, Row, lines, terminal_width
from sla_service.errors import UsageError
from sla_service.services.listing import every_case
from sla_service.store.queries import CaseFilter

Case = Mapping[str, Any]

_WIDE = 110  # columns of a terminal on which everything has room
_LESS_NEEDED = frozenset(("类别", "科室", "异常"))
_COLUMNS = (
    Column("灯"),
    Column("来源", cut=True),
    Column("办件编号"),
    Column("状态"),
    Column("类别"),
    Column("到期"),
    Column("剩余"),
    Column("科室", cut=True),
    Column("承办人", cut=True),
    Column("事由", cut=True),
    Column("异常", cut=True),
)


@click.command(
    help="列出办件，已办结的也在内，不限件数。筛选项可以写多次，例如 --light red --light yellow。\n\n"
    "给人看用 table 和 xlsx，给程序用 --json、jsonl 和 csv。",
    epilog=examples(
        "sla cases --light red",
        "sla cases --state running --department 社会事务科",
        "sla cases --format xlsx -o 办件.xlsx",
        "sla cases --format csv > 办件.csv",
        "sla cases --json",
    ),
)
@click.option("--light", multiple=True, type=click.Choice(list(words.LIGHTS)), help="亮什么灯。")
@click.option("--state", multiple=True, type=click.Choice(list(words.STATES)), help="状态。")
@click.option("--kind", multiple=True, type=click.Choice(list(words.KINDS)), help="类别。")
@click.option("--department", multiple=True, metavar="科室", help="承办科室。")
@click.option("--handler", multiple=True, metavar="谁", help="承办人，按业务系统里的写法。")
@click.option("--source", multiple=True, metavar="来源", help="业务系统。")
@click.option("--hall", multiple=True, metavar="厅", help="厅。")
@click.option(
    "--format", "form", type=click.Choice(["table", "jsonl", "csv", "xlsx"]), default="table", help="输出成什么。"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="文件", help="写进文件，而不是标准输出。")
@json_option
def cases(form: str, output: Path | None, as_json: bool, **chosen: tuple[str, ...]) -> None:
    form = "json" if as_json else form
    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise UsageError("xlsx 是二进制文件，请写 -o 办件.xlsx，或重定向到文件。")
    wanted = CaseFilter(
        sources=chosen["source"] or None,
        halls=chosen["hall"],
        states=chosen["state"],
        lights=chosen["light"],
        kinds=chosen["kind"],
        departments=chosen["department"],
        handlers=chosen["handler"],
    )
    with opened() as app:
        counted = _Counted(every_case(app, wanted, now=systime.now()))
        if output is not None:
            with output.open("wb") as file:
                _write(counted, form, file)
            say(f"已写出 {output}，{counted.n} 件。")
        else:
            sys.stdout.flush()
            _write(counted, form, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            if form == "table":
                say(f"共 {counted.n} 件。")


class _Counted:
    """An iterable that knows how many it gave."""

    def __init__(self, found: Iterable[Case]) -> None:
        self.found, self.n = found, 0

    def __iter__(self) -> Iterator[Case]:
        for case in self.found:
            self.n += 1
            yield case


def _write(found: Iterable[Case], form: str, file: BinaryIO) -> None:
    if form == "table":
        color = file is sys.stdout.buffer and sys.stdout.isatty()
        room = terminal_width() if color else None
        narrow = room is not None and room < _WIDE
        chosen = [i for i, c in enumerate(_COLUMNS) if not (narrow and c.title in _LESS_NEEDED)]
        rows = ([row[i] for i in chosen] for row in map(_row, found))
        text = (line + "\n" for line in lines([_COLUMNS[i] for i in chosen], rows, room=room))
        pieces = text if color else map(click.unstyle, text)
    else:
        exports = importlib.import_module("sla_service.cli.exports")  # openpyxl: a tenth of a second
        if form == "xlsx":
            exports.workbook(found, file)
            return
        pieces = {"json": exports.json_array, "jsonl": exports.json_lines, "csv": exports.csv_lines}[form](found)
    file.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)


def _row(case: Case) -> Row:
    due = case["due_on"] or "—"
    return [
        words.LIGHTS[case["light"]],
        case["source"],
        case["no"],
        words.STATES[case["state"]],
        words.KINDS.get(case["kind"], "—"),
        f"{due} 暂定" if case["provisional"] else due,
        left(case),
        case["department"] or "",
        case["handler"] or "",
        case["title"] or case["matter"] or "",
        Cell("；".join(f["text"] for f in case["findings"]), "yellow"),
    ]


def left(case: Case) -> Cell:
    """How long, or how it ended: ``3 天``, ``今天``, ``超 2 天``, ``按时``, ``超期 2 天``."""
    if case["state"] == "closed":
        late = case["late_days"]
        if case["verdict"] == "breached":
            return Cell(f"超期 {late} 天" if late else "超期（当天下班后）", "red")
        return Cell(words.VERDICTS.get(case["verdict"] or "", "—"))
    days = case["remaining_days"]
    if days is None:
        return Cell("—")
    if case["light"] == "red":
        return Cell(f"超 {-days} 天" if days < 0 else "刚超期", "red", bold=True)
    return Cell("今天" if days == 0 else f"{days} 天", "yellow" if case["light"] == "yellow" else None)
