"""``sla calendar``: what the working calendar says. What changes it stands in ``calendar_import``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from sla_service import systime
from sla_service.calendars import projection
from sla_service.calendars.ics import to_ics
from sla_service.calendars.render import STATUS_WORDS, render_year
from sla_service.cli import words
from sla_service.cli.calendar_import import import_, local, order, withdraw
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import Day
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain import calendar as days
from sla_service.domain.calendar import DayKind, YearStatus
from sla_service.domain.clock import business_date
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.errors import CalendarError, NotFoundError, UsageError
from sla_service.services.app import App
from sla_service.services.calendar_watch import Standing, standing

KINDS = {
    DayKind.WORKING: "工作日",
    DayKind.WEEKEND: "周末",
    DayKind.HOLIDAY: "放假",
    DayKind.MAKEUP: "调休上班",
}
RANKS = {0: "推算", 10: "软件包", 20: "通知", 30: "地方", 40: "本级"}
_COLORS = {YearStatus.PROJECTED: "yellow", YearStatus.UNKNOWN: "red"}
_BEFORE, _AFTER = 1, 2  # years around the present one

calendar_option = click.option(
    "--calendar", "name", metavar="NAME", help="哪一个日历（directory.yaml 里大厅或科室的 calendar），默认 main。"
)


@click.group(
    help="工作日历：周末、节假日和调休上班；导入放假通知和地方假日。",
    epilog=examples(
        "sla calendar status",
        "sla calendar show 2026",
        "sla calendar import 通知.txt          # 预览",
        "sla calendar import 通知.txt --apply  # 生效",
    ),
)
def calendar() -> None:
    """Commands about the working calendar."""


@calendar.command(
    help="放假安排已知到哪一年、有多少件在办件因此暂定、日历由哪些层组成。",
    epilog=examples("sla calendar status", "sla calendar status --all --json"),
)
@click.option("--all", "every", is_flag=True, help="列出日历里的所有年份。")
@calendar_option
@json_option
def status(every: bool, name: str | None, as_json: bool) -> None:
    now = systime.now()
    with opened() as app:
        found, calendar_name = chosen(app, name)
        it = standing(app, now=now, calendar=calendar_name)
    today = business_date(now)
    near = range(today.year - _BEFORE, today.year + _AFTER + 1)
    years = {y: info for y, info in sorted(found.years().items()) if every or y in near}
    if as_json:
        rows = [
            {"year": y, "status": i.status, "source": i.source, "working_days": working_days(found, y)}
            for y, i in years.items()
        ]
        plain = {"calendar": calendar_name, "version": found.version, "settled_until": it.horizon.settled_until}
        emit({**plain, **_standing_plain(it), "years": rows})
        return
    columns = [Column("年", right=True), Column("状态"), Column("工作日", right=True), Column("来处", flexible=True)]
    show(
        columns,
        [
            [str(y), Cell(STATUS_WORDS[i.status], _COLORS.get(i.status)), str(working_days(found, y)), source(i.source)]
            for y, i in years.items()
        ],
    )
    _say_standing(it, today)


def _say_standing(it: Standing, today: date) -> None:
    horizon = it.horizon
    known = f"已知到 {horizon.settled_until} 年底" if horizon.settled_until else f"缺 {today.year} 年"
    n = horizon.provisional
    held = f"有 {n} 件在办件的到期日要数到之后，是暂定的" if n else "没有在办件的到期日要数到之后"
    click.echo(f"\n放假安排{known}；{held}。")
    click.echo("通知公布后用 sla calendar import 导入，自动重算。")
    if it.waiting:
        click.echo(f"日历刚换过，还有 {it.waiting} 件在办件等着重算。")
        click.echo("服务会接着算，也可以运行 sla recompute。")
    click.echo()
    columns = [Column("编号", right=True), Column("日历"), Column("类型"), Column("名称", flexible=True)]
    columns += [Column("文号", flexible=True), Column("谁导入"), Column("哪天")]
    show(columns, [_layer(row) for row in it.layers])


def _layer(row: Mapping[str, Any]) -> list[str]:
    where = "全部" if row["calendar"] == "*" else row["calendar"]
    day = words.moment(row["imported_at"])[:10]
    document = "" if row["document"] in row["name"] else row["document"]
    name, who = source(row["name"]), "程序自带" if row["edition"] else row["importer"]
    return [str(row["id"]), where, RANKS.get(row["rank"], ""), name, document, who, day]


def _standing_plain(it: Standing) -> dict[str, Any]:
    keys = ("id", "calendar", "name", "source", "document", "url", "sha256", "importer")
    held = [
        {**{k: r[k] for k in keys}, "rank": RANKS.get(r["rank"], ""), "imported_at": words.instant(r["imported_at"])}
        for r in it.layers
    ]
    return {
        "missing": it.horizon.missing,
        "provisional_cases": it.horizon.provisional,
        "waiting_cases": it.waiting,
        "layers": held,
    }


@calendar.command(
    name="show",
    help="列出一年的日历：休 = 放假，班 = 调休上班。",
    epilog=examples("sla calendar show 2026", "sla calendar show 2026 --json"),
)
@click.argument("year", metavar="YEAR", type=int)
@calendar_option
@json_option
def show_(year: int, name: str | None, as_json: bool) -> None:
    with opened() as app:
        found, _ = chosen(app, name)
    _within(found, year)
    if not as_json:
        click.echo(render_year(found, year, columns=2), nl=False)
        return
    info = found.years().get(year)
    listed = [{"date": d.on, "kind": d.kind, "name": d.name, "source": d.source} for d in found.named_days(year)]
    plain = {"year": year, "status": found.status(year), "source": info.source if info else ""}
    emit({**plain, "working_days": working_days(found, year), "days": listed})


@calendar.command(
    help="某一天上不上班，谁说的；后面写 off 或 work 就把这一天定为放假或上班（先预览，加 --apply 生效）。",
    epilog=examples(
        "sla calendar day 2026-10-10",
        "sla calendar day 2026-12-24 off --name 系统切换 --apply",
        "sla calendar day 2026-12-26 work --name 集中办理 --apply",
    ),
)
@click.argument("on", metavar="DATE", type=Day())
@click.argument("what", metavar="[off|work]", required=False, type=click.Choice(["off", "work"]))
@click.option("--name", "reason", metavar="NAME", help="为什么，例如 系统切换；会写在逐日账和消息里。")
@click.option("--calendar", "names", metavar="NAME", multiple=True, help="改哪一个日历，可以写多次。")
@click.option("--apply", "in_force", is_flag=True, help="生效并重算在办的件。")
@json_option
def day(on: date, what: str | None, reason: str | None, names: tuple[str, ...], in_force: bool, as_json: bool) -> None:
    if what is not None:
        if not reason:
            raise UsageError("要用 --name 写明为什么，例如 --name 系统切换。")
        order(on, off=what == "off", reason=reason, names=names, in_force=in_force, as_json=as_json)
        return
    if len(names) > 1:
        raise UsageError("查看时 --calendar 只写一个。")
    with opened() as app:
        found, _ = chosen(app, names[0] if names else None)
    it = found.day(on)
    working = found.is_working(on)
    following = found.nth_after(on, 1)
    if as_json:
        plain = {"date": on, "kind": it.kind, "working": working, "name": it.name, "source": it.source}
        emit({**plain, "projected": it.projected, "next_working_day": following})
        return
    name = f"（{it.name}）" if it.name else ""
    click.echo(f"{words.day(on)}：{KINDS[it.kind]}{name}，{'要上班' if working else '不上班'}。")
    click.echo(f"来处：{source(it.source)}{'；暂定，通知尚未公布' if it.projected else ''}")
    click.echo(f"之后的第 1 个工作日：{words.day(following)}")


@calendar.command(
    help="把一年的放假和调休上班输出为 iCalendar 文件（.ics），手机和邮件程序都能订阅。",
    epilog=examples("sla calendar export 2026 > 2026.ics", "sla calendar export 2026 --out 2026.ics"),
)
@click.argument("year", metavar="YEAR", type=int)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="写到文件，不写则输出。")
@calendar_option
@json_option
def export(year: int, out: Path | None, name: str | None, as_json: bool) -> None:
    with opened() as app:
        found, _ = chosen(app, name)
    _within(found, year)
    text = to_ics(found, year)
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")
        say(f"已写到 {out}。")
    if as_json:
        emit({"year": year, "version": found.version, "file": str(out) if out else None, "ics": text})
    elif out is None:
        click.echo(text, nl=False)


def chosen(app: App, name: str | None) -> tuple[days.Calendar, str]:
    """The calendar of that name, by default the main one, or the only one that halls use."""
    used = app.calendar_names()
    if name is None:
        name = used[0] if len(used) == 1 else MAIN_CALENDAR
    if name not in {*used, *app.calendars.changes}:
        raise NotFoundError(f"没有日历 {name}；现有：{'、'.join(sorted({*used, *app.calendars.changes}))}。")
    return app.calendars.change(name).calendar, name


def source(text: str) -> str:
    """A layer's source in words."""
    return "按法定节日推算" if text == projection.SOURCE else text


def _within(found: days.Calendar, year: int) -> None:
    if not found.first.year <= year <= found.last.year:
        raise CalendarError(f"日历只有 {found.first.year} 年到 {found.last.year} 年，没有 {year} 年。")


def working_days(found: days.Calendar, year: int) -> int:
    first, last = max(date(year, 1, 1), found.first), min(date(year, 12, 31), found.last)
    return found.between(first, last) + found.is_working(first)


for _command in (import_, local, withdraw):
    calendar.add_command(_command)
