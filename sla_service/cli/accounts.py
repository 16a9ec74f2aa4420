"""The day-by-day account as a table, for ``sla due`` and ``sla show``."""

from __future__ import annotations

from collections.abc import Iterable

from sla_service.cli import words
from sla_service.cli.tables import Cell, Column, Row
from sla_service.services.due import PAUSE_WORDS, DayOut

COLUMNS = (
    Column("日期"),
    Column("星期"),
    Column("计时"),
    Column("第几天", right=True),
    Column("说明", flexible=True),
)
_STATES = {
    "start": Cell("起算"),
    "counted": Cell("计入", "green"),
    "off": Cell("休息", "bright_black"),
    "paused": Cell("挂起", "yellow"),
    "due": Cell("到期", "red", bold=True),
}


def rows(account: Iterable[DayOut]) -> list[Row]:
    return [
        [str(day.date), words.weekday(day.date), _STATES[day.state], str(day.n or ""), _why(day)] for day in account
    ]


def _why(day: DayOut) -> str:
    named = f"（{day.name}）" if day.name else ""
    kinds = {"weekend": "周末", "holiday": day.name or "放假", "makeup": f"调休上班{named}", "working": day.name}
    notes = [kinds[day.kind]]
    if day.state == "start":
        notes.append("受理当天不计")
    if day.state == "paused":
        notes.append(PAUSE_WORDS.get(day.reason, day.reason) or "下班时还在挂起，不计")
    if day.projected:
        notes.append("放假安排未公布")
    return "，".join(n for n in notes if n)
