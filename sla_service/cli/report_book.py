"""The report as a workbook: a sheet for the figures by each group, one for what was late, one for doubtful pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from sla_service.domain.figures import Round
from sla_service.services.reporting import Report

_LATE = ("来源", "办件编号", "轮次", "事由", "科室", "承办人", "到期日", "办结时间", "超期工作日", "谁办了几个工作日")
_PAUSES = ("来源", "办件编号", "事由", "科室", "承办人", "问题")


def write(path: Path, made: Report, titles: Mapping[str, str], columns: Sequence[tuple[str, str]]) -> None:
    """Text is stored as text, so that nothing in it is a formula; days are real dates."""
    book = Workbook(write_only=True)
    for what, table in made.tables.items():
        rows = [[name, *(getattr(figures, key) for _, key in columns)] for name, figures in table.sorted()]
        rows.append(["合计", *(getattr(made.total, key) for _, key in columns)])
        _sheet(book, f"按{titles[what]}", [titles[what], *(title for title, _ in columns)], rows)
    late = [_late(one) for one in made.late]
    _sheet(book, "超期的件", _LATE, late)
    pauses = [
        [r["source"], r["no"], r["title"], r["department"], r["handler"], "；".join(f["text"] for f in r["findings"])]
        for r in made.pauses
    ]
    _sheet(book, "存疑的挂起", _PAUSES, pauses)
    book.save(path)


def _late(one: Round) -> list[Any]:
    closed_at = one.closed_at.replace(tzinfo=None)  # Excel knows no zones; it is Beijing time
    held = "，".join(f"{h.name} {h.days}" for h in one.held)
    whose = (one.source, one.no, one.round, one.title, one.department, one.handler)
    return [*whose, one.due_on, closed_at, one.late_days, held]


def _sheet(book: Workbook, title: str, titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    for i, name in enumerate(titles, 1):
        sheet.column_dimensions[get_column_letter(i)].width = 26 if name in ("事由", "问题") or "谁" in name else 12
    head = [WriteOnlyCell(sheet, value=name) for name in titles]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub(" ", value))
    cell.data_type = "s"  # not "f", whatever it begins with
    return cell
