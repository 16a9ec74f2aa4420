"""``sla calendar``: the working calendar, read only."""

from __future__ import annotations

from datetime import date

import click

from sla_service import systime
from sla_service.calendars.layers import default_calendar
from sla_service.calendars.render import STATUS_WORDS, render_year
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import Day
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain import calendar as days
from sla_service.domain.calendar import DayKind, YearStatus
from sla_service.domain.clock import business_date
from sla_service.errors import CalendarError

KINDS = {
    DayKind.WORKING: "工作日",
    DayKind.WEEKEND: "周末",
    DayKind.HOLIDAY: "放假",
    DayKind.MAKEUP: "调休上班",
}
_COLORS = {YearStatus.PROJECTED: "yellow", YearStatus.UNKNOWN: "red"}
_BEFORE, _AFTER = 1, 2  # years around the present one


@click.group(
    help="工作日历：周末、节假日和调休上班。",
    epilog=examples("sla calendar status", "sla calendar show 2026", "sla calendar day 2026-10-10"),
)
def calendar() -> None:
    """Commands about the working calendar."""


@calendar.command(
    help="各年的放假安排公布了没有，从哪里来。",
    epilog=examples("sla calendar status", "sla calendar status --all --json"),
)
@click.option("--all", "every", is_flag=True, help="列出日历里的所有年份。")
@json_option
def status(every: bool, as_json: bool) -> None:
    found = default_calendar()
    today = business_date(systime.now())
    near = range(today.year - _BEFORE, today.year + _AFTER + 1)
    years = {y: info for y, info in sorted(found.years().items()) if every or y in near}
    settled = max((y for y, info in found.years().items() if info.status.settled), default=None)
    if as_json:
        rows = [
            {"year": y, "status": i.status, "source": i.source, "working_days": working_days(found, y)}
            for y, i in years.items()
        ]
        emit({"version": found.version, "settled_until": settled, "years": rows})
        return
    columns = [Column("年", right=True), Column("状态"), Column("工作日", right=True), Column("来处", flexible=True)]
    show(
        columns,
        [
            [str(y), Cell(STATUS_WORDS[i.status], _COLORS.get(i.status)), str(working_days(found, y)), i.source]
            for y, i in years.items()
        ],
    )
    if settled is not None:
        click.echo(f"\n放假安排已知到 {settled} 年底；落在之后的到期日是暂定的，通知公布后重算。")


@calendar.command(
    name="show",
    help="列出一年的日历：休 = 放假，班 = 调休上班。",
    epilog=examples("sla calendar show 2026", "sla calendar show 2026 --json"),
)
@click.argument("year", metavar="YEAR", type=int)
@json_option
def show_(year: int, as_json: bool) -> None:
    found = default_calendar()
    if not found.first.year <= year <= found.last.year:
        raise CalendarError(f"日历只有 {found.first.year} 年到 {found.last.year} 年，没有 {year} 年。")
    if not as_json:
        click.echo(render_year(found, year, columns=2), nl=False)
        return
    info = found.years().get(year)
    listed = [{"date": d.on, "kind": d.kind, "name": d.name, "source": d.source} for d in found.named_days(year)]
    plain = {"year": year, "status": found.status(year), "source": info.source if info else ""}
    emit({**plain, "working_days": working_days(found, year), "days": listed})


@calendar.command(
    help="某一天上不上班，谁说的。",
    epilog=examples("sla calendar day 2026-10-10", "sla calendar day 2026-02-17 --json"),
)
@click.argument("on", metavar="DATE", type=Day())
@json_option
def day(on: date, as_json: bool) -> None:
    found = default_calendar()
    it = found.day(on)
    working = found.is_working(on)
    following = found.nth_after(on, 1)
    if as_json:
        plain = {"date": on, "kind": it.kind, "working": working, "name": it.name, "source": it.source}
        emit({**plain, "projected": it.projected, "next_working_day": following})
        return
    name = f"（{it.name}）" if it.name else ""
    click.echo(f"{words.day(on)}：{KINDS[it.kind]}{name}，{'要上班' if working else '不上班'}。")
    click.echo(f"来处：{it.source}{'；暂定，通知尚未公布' if it.projected else ''}")
    click.echo(f"之后的第 1 个工作日：{words.day(following)}")


def working_days(found: days.Calendar, year: int) -> int:
    first, last = max(date(year, 1, 1), found.first), min(date(year, 12, 31), found.last)
    return found.between(first, last) + found.is_working(first)
