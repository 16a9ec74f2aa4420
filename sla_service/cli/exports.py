"""Cases as files: JSON Lines and CSV for programs, Excel for people. Row by row, however many there are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from sla_service.cli import words

Case = Mapping[str, Any]

#: Field of the case object -> title in Excel, width there.
COLUMNS: Mapping[str, tuple[str, int]] = {
    "source": ("来源", 12),
    "hall": ("厅", 8),
    "no": ("办件编号", 20),
    "title": ("事由", 36),
    "kind": ("类别", 10),
    "matter": ("事项", 20),
    "department": ("科室", 14),
    "handler": ("承办人", 12),
    "state": ("状态", 8),
    "light": ("灯", 6),
    "due_on": ("到期日", 12),
    "due_at": ("到期时刻", 18),
    "provisional": ("暂定", 6),
    "due_earliest": ("最早到期", 12),
    "due_latest": ("最晚到期", 12),
    "remaining_days": ("剩余工作日", 12),
    "verdict": ("判定", 8),
    "late_days": ("超期工作日", 12),
    "findings": ("异常", 40),
    "accepted_at": ("受理时间", 18),
    "closed_at": ("办结时间", 18),
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "kind": words.KINDS,
    "state": words.STATES,
    "light": {name: cell.text for name, cell in words.LIGHTS.items()},
    "verdict": words.VERDICTS,
}
#: A cell that begins like this is run as a formula by spreadsheets that open a CSV.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_DAY, _INSTANT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


def json_array(cases: Iterable[Case]) -> Iterator[str]:
    """One JSON array, a case per line."""
    opening = "[\n"
    for case in cases:
        yield opening + json.dumps(case, ensure_ascii=False)
        opening = ",\n"
    yield "[]\n" if opening == "[\n" else "\n]\n"


def json_lines(cases: Iterable[Case]) -> Iterator[str]:
    return (json.dumps(case, ensure_ascii=False) + "\n" for case in cases)


def csv_lines(cases: Iterable[Case]) -> Iterator[str]:
    """The names of the case object as titles; text that looks like a formula gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for case in cases:
        writer.writerow([_csv_value(case.get(name)) for name in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = "；".join(f["text"] for f in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def workbook(cases: Iterable[Case], file: BinaryIO) -> None:
    """Chinese titles and words, real dates; text is stored as text, so that nothing in it is a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("办件")
    sheet.freeze_panes = "A2"
    for i, (_, size) in enumerate(COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(i)].width = size
    titles = [WriteOnlyCell(sheet, value=title) for title, _ in COLUMNS.values()]
    for cell in titles:
        cell.font = Font(bold=True)
    sheet.append(titles)
    for case in cases:
        sheet.append([_cell(sheet, name, case.get(name)) for name in COLUMNS])
    book.save(file)


def _cell(sheet: Any, name: str, value: Any) -> Any:
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return "是" if value else None
    if isinstance(value, int):
        return value
    if name.endswith("_at"):
        naive = datetime.fromisoformat(value).replace(tzinfo=None)  # Excel knows no zones; it is Beijing time
        return _formatted(sheet, naive, _INSTANT)
    if name in ("due_on", "due_earliest", "due_latest"):
        return _formatted(sheet, datetime.fromisoformat(value), _DAY)
    text = "；".join(f["text"] for f in value) if isinstance(value, list) else str(value)
    text = ILLEGAL_CHARACTERS_RE.sub(" ", _WORDS.get(name, {}).get(text, text))
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"  # not "f", whatever it begins with
    return cell


def _formatted(sheet: Any, value: datetime, form: str) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = form
    return cell
