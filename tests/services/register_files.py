"""Registers on disk, written as offices write them, and read back as the file door reads them."""

from __future__ import annotations

import csv
import io

import openpyxl
from builders import at

from sla_service.domain.policy import Hours
from sla_service.services import registers
from sla_service.services.file_input import opened
from sla_service.services.register_map import RegisterMap

NOW = at("2026-11-23 10:00")
TITLES = ["序号", "受理编号", "受理时间", "类别", "承办科室", "承办人", "办结时间", "办理结果", "答复时间"]
ROW = [1, "A-1", "2026-09-18", "简单事项", "社会事务科", "张三", "2026-09-22", "办结", "2026-09-22 11:00"]


def read(path, rules=None, source="hall", now=NOW):
    """Rows as (place, ids or problem), the layouts that were told, and all events by id."""
    seen, found, events = [], [], {}
    with opened(str(path), io.BytesIO()) as one:
        for row in registers.rows(
            one, rules or RegisterMap(), source, Hours(), lambda where, _s: seen.append(where), now=now
        ):
            found.append((row.place["row"], row.problem or [e.raw["id"] for e in row.events]))
            events |= {e.raw["id"]: e.raw for e in row.events}
    return found, seen, events


def as_csv(tmp_path, *rows, encoding="utf-8", delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path = tmp_path / "t.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def as_xlsx(tmp_path, *rows, merged=(), title="台账"):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for span in merged:
        sheet.merge_cells(span)
    path = tmp_path / "t.xlsx"
    book.save(path)
    return path
