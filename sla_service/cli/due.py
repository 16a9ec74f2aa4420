"""``sla due``: a due date and how it was counted; needs no database, but goes by the calendar of one."""

from __future__ import annotations

from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import click

from sla_service.cli import accounts, words
from sla_service.cli.calendar_read import calendars_in_force
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import When, read_settings
from sla_service.cli.tables import show
from sla_service.domain.people import MAIN_HALL
from sla_service.domain.policy import Kind, Policy
from sla_service.errors import NotFoundError
from sla_service.services.config import configuration
from sla_service.services.config_policy import parse_policy
from sla_service.services.due import MAX_DAYS, DueAccountOut, read_pause
from sla_service.services.due import due as count


@click.command(
    help="算到期日，并逐日列明：哪天计入，哪天休息、调休上班或挂起，为什么。\n\n"
    "START 是受理时间：日期，或带时区的时间。挂起写 开始/结束，可以写多次；不写结束表示还在挂起，没有到期日。",
    epilog=examples(
        "sla due 2026-11-20 --kind simple",
        "sla due 2026-09-18T16:20:00+08:00 --days 10",
        "sla due 2026-11-02 --days 3 --pause 2026-11-03T10:00:00+08:00/2026-11-04T10:00:00+08:00",
        "sla due 2026-12-25 --kind complex --json",
        "sla due 2026-04-13 --kind complex --department 民族科   # 科室另有日历的",
    ),
)
@click.argument("start", metavar="START", type=When())
@click.option("--kind", type=click.Choice([k.value for k in Kind]), help="按哪一类的时限。")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), metavar="N", help="时限，工作日数。")
@click.option("--pause", "pauses", multiple=True, metavar="A/B", help="从 A 挂起到 B；时间或日期。")
@click.option("--hall", metavar="厅", help="按哪个厅的规则和日历，默认 main。")
@click.option("--department", metavar="科室", help="按哪个科室的日历（directory.yaml 里科室的 calendar）。")
@json_option
def due(
    *,
    start: datetime | date,
    kind: str | None,
    days: int | None,
    pauses: tuple[str, ...],
    hall: str | None,
    department: str | None,
    as_json: bool,
) -> None:
    if (kind is None) == (days is None):
        raise click.UsageError("--kind 和 --days 要写一个，也只能写一个", click.get_current_context())
    policy = _policy() if hall is None and department is None else _policy_of(hall or MAIN_HALL, department)
    calendar = calendars_in_force().of(hall or MAIN_HALL, department)
    spans = [read_pause(text) for text in pauses]
    found = count(start, days=days, kind=kind, pauses=spans, policy=policy, calendar=calendar)
    if as_json:
        emit(_plain(found))
        return
    limit = f"{words.KINDS[kind]}，{found.days} 个工作日" if kind else f"{found.days} 个工作日"
    click.echo(f"受理 {_start(start)}，{limit}")
    click.echo(_result(found))
    click.echo("")
    show(accounts.COLUMNS, accounts.rows(found.account))


def _policy() -> Policy:
    """The config folder's, if there is one, else the one that is shipped."""
    path: Path = read_settings().config_dir / "policy.yaml"
    if path.exists():
        return parse_policy(path.read_bytes(), str(path))
    shipped = resources.files("sla_service.services.defaults") / "policy.yaml"
    return parse_policy(shipped.read_bytes(), "policy.yaml")


def _policy_of(hall: str, department: str | None) -> Policy:
    """The hall's; NotFoundError for a hall or a department that the directory does not know."""
    config = configuration(read_settings())
    directory = config.directory
    if directory.hall(hall) is None:
        raise NotFoundError(f"没有厅 {hall}，通讯录里有 {'、'.join(h.id for h in directory.halls)}。")
    if department is not None and directory.department(department, hall) is None:
        known = "、".join(d.id for d in directory.departments if d.hall == hall)
        raise NotFoundError(f"没有科室 {department}，通讯录里有 {known}。")
    return config.policy_of(hall)


def _plain(found: DueAccountOut) -> dict[str, Any]:
    """As HTTP answers it, with the bounds of a provisional date always there."""
    return {"due_earliest": None, "due_latest": None, **found.model_dump(mode="json")}


def _start(start: datetime | date) -> str:
    if isinstance(start, datetime):
        at = words.moment(start)
        return f"{words.day(at[:10])} {at[11:]}"
    return words.day(start)


def _result(found: DueAccountOut) -> str:
    if found.due_on is None or found.due_at is None:
        return click.style("到期 没有：还在挂起，恢复后才能算出到期日", fg="yellow")
    # A hall that closes at midnight closes at 24:00 of the due date, not at 0:00 of the next.
    time = f"{found.due_at:%H:%M}" if found.due_at.date() == found.due_on else "24:00"
    line = f"到期 {click.style(f'{words.day(found.due_on)} {time}', bold=True)}"
    if found.provisional:
        span = f"最早 {words.day(found.due_earliest)}，最晚 {words.day(found.due_latest)}"
        line += "\n" + click.style(f"暂定：放假安排还没有公布，{span}", fg="yellow")
    return line
