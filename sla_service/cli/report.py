"""``sla report``: the month's figures, on the terminal, as JSON or as a workbook."""

from __future__ import annotations

import calendar
import re
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import Day
from sla_service.cli.report_book import write
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain.clock import business_date
from sla_service.domain.figures import Figures, Round
from sla_service.errors import UsageError
from sla_service.services.reporting import GROUPS, Report, report

_TITLES: Final = {"department": "科室", "kind": "分类", "matter": "事项", "handler": "承办人"}
#: Title -> what of the figures; as on the terminal, so in the workbook.
COLUMNS: Final = (
    ("按时率", "rate_text"),
    ("按时", "met"),
    ("超期", "breached"),
    ("当天下班后", "same_day"),
    ("超期天数", "late_days"),
    ("最长", "longest"),
    ("撤回", "withdrawn"),
    ("受理", "accepted"),
    ("来访", "visits"),
    ("在办", "running"),
    ("现超期", "overdue"),
    ("挂起", "paused"),
)
_SHOWN: Final = 20  # late rounds on the terminal


class Month(click.ParamType[tuple[date, date]]):
    """``2026-11``: its first and its last day."""

    name = "月份"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, date]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", str(value).strip())
        if found is None:
            self.fail(f"要写月份，例如 2026-11，现在是 {value}", param, ctx)
        year, month = int(found[1]), int(found[2])
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


@click.command(
    name="report",
    help="一个月的数字：按科室、分类、事项、承办人，以及每一件超期的。\n\n"
    "按时率 = 按时 ÷（按时 + 超期），按期间内办结的轮次算，撤回的不算，不足 20 件写成几分之几；"
    "超期算在到期那一刻的承办人头上；在办、现超期、挂起是此刻的数。",
    epilog=examples(
        "sla report",
        "sla report --month 2026-11",
        "sla report --month 2026-11 --xlsx 十一月.xlsx",
        "sla report --from 2026-10-01 --to 2026-12-31 --hall north --json",
    ),
)
@click.option("--month", type=Month(), metavar="年-月", help="哪个月，默认本月。")
@click.option("--from", "first", type=Day(), metavar="日期", help="不按月时：第一天。")
@click.option("--to", "last", type=Day(), metavar="日期", help="不按月时：最后一天，默认今天。")
@click.option("--hall", metavar="厅", help="只看这个厅，默认全部。")
@click.option("--source", metavar="来源", help="只看这个来源；测试来源只有这样才看得到。")
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="文件", help="另存为 Excel。")
@json_option
def report_(
    month: tuple[date, date] | None,
    first: date | None,
    last: date | None,
    hall: str | None,
    source: str | None,
    xlsx: Path | None,
    as_json: bool,
) -> None:
    now = systime.now()
    begin, end = _period(month, first, last, business_date(now))
    with opened() as app:
        made = report(app, first=begin, last=end, now=now, hall=hall, source=source)
    if xlsx is not None:
        write(xlsx, made, _TITLES, COLUMNS)
        say(f"已写出 {xlsx}")
    if as_json:
        emit(plain(made))
    elif xlsx is None:
        _print(made)


def _period(month: tuple[date, date] | None, first: date | None, last: date | None, today: date) -> tuple[date, date]:
    if month is not None:
        if first is not None or last is not None:
            raise UsageError("--month 和 --from、--to 只能用一种。")
        return month
    if first is None and last is not None:
        raise UsageError("写了 --to 也要写 --from。")
    return first or today.replace(day=1), last or today


def plain(made: Report) -> dict[str, Any]:
    """The report as JSON: figures as in ``GET /v1/stats``, every group, every late round with who held it."""
    return {
        "from": made.first.isoformat(),
        "to": made.last.isoformat(),
        "total": made.total.plain(),
        **{f"by_{what}": [{"name": n, **f.plain()} for n, f in t.sorted()] for what, t in made.tables.items()},
        "late": [_late(one) for one in made.late],
        "doubtful_pauses": [
            {k: row[k] for k in ("source", "no", "title", "department", "handler", "state", "findings")}
            for row in made.pauses
        ],
    }


def _late(one: Round) -> dict[str, Any]:
    held = [
        {"name": h.name, "handler": h.handler, "department": h.department, "working_days": h.days} for h in one.held
    ]
    names = ("source", "no", "round", "title", "kind", "matter", "department", "handler", "late_days")
    times = {"due_on": one.due_on.isoformat() if one.due_on else None, "closed_at": one.closed_at.isoformat()}
    return {**{n: getattr(one, n) for n in names}, **times, "held": held}


def _print(made: Report) -> None:
    click.echo(f"{made.first} 至 {made.last}：{_sentence(made.total)}")
    for what, table in made.tables.items():
        if not table.groups:
            continue
        click.echo("")
        groups = table.sorted()
        told = [(title, key) for title, key in COLUMNS if any(getattr(figures, key) for _, figures in groups)]
        titles = [Column(_TITLES[what], flexible=True), *(Column(title, right=True) for title, _ in told)]
        show(titles, [[name, *(_cell(figures, key) for _, key in told)] for name, figures in groups])
    if made.late:
        click.echo("")
        columns = [
            Column("超期的件"),
            Column("事由", flexible=True),
            Column("工作日", right=True),
            Column("谁办了几天", flexible=True),
        ]
        show(
            columns,
            [
                [one.no, one.title or one.matter or "", str(one.late_days), held_words(one)]
                for one in made.late[:_SHOWN]
            ],
        )
        if len(made.late) > _SHOWN:
            say(f"另有 {len(made.late) - _SHOWN} 件超期，用 --xlsx 或 --json 看全部。")
    if made.pauses:
        click.echo("")
        rows = [
            [r["no"], r["title"] or "", words.STATES.get(r["state"], r["state"]), pause_words(r)]
            for r in made.pauses[:_SHOWN]
        ]
        show([Column("存疑的挂起"), Column("事由", flexible=True), Column("状态"), Column("问题", flexible=True)], rows)
        if len(made.pauses) > _SHOWN:
            say(f"另有 {len(made.pauses) - _SHOWN} 件，用 --xlsx 或 --json 看全部。")


def _sentence(total: Figures) -> str:
    """The month in one line, for whoever reads no table."""
    judged = f"办结 {total.judged} 件，按时 {total.met} 件" + (
        f"（{total.rate_text}）" if "%" in total.rate_text else ""
    )
    late = f"，超期 {total.breached} 件" if total.breached else ""
    same = f"（其中 {total.same_day} 件是到期当天下班后办结）" if total.same_day else ""
    rest = f"；现在在办 {total.running} 件，其中超期 {total.overdue} 件，挂起 {total.paused} 件"
    return judged + late + same + rest + (f"；来访解答 {total.visits} 次" if total.visits else "") + "。"


def _cell(figures: Figures, key: str) -> str | Cell:
    value = getattr(figures, key)
    if key in ("breached", "overdue") and value:
        return Cell(str(value), "red")
    return str(value or "") if key != "rate_text" else value


def held_words(one: Round) -> str:
    return "，".join(f"{h.name} {h.days} 天" for h in one.held if h.days) or one.held[-1].name


def pause_words(row: Any) -> str:
    return "；".join(f["text"] for f in row["findings"])


assert set(_TITLES) == set(GROUPS)  # noqa: S101 (one table each)
