"""Excel workbooks, row by row in constant memory, merged cells filled with what stands in them."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring
from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.utils.exceptions import InvalidFileException

from sla_service.errors import SlaError
from sla_service.services.file_input import Input
from sla_service.services.register_sheets import Sheet, SheetRow

_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError, ParseError, InvalidFileException)
_CHUNK = 1 << 20
_AT_ONCE = 500
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3}[0-9]{1,7}):([A-Z]{1,3}[0-9]{1,7})"')
_LONGEST_MATCH = 80
_MAX_MERGED = 200_000
_LARGEST = 2 << 30  # unpacked; a million rows of thirty columns are about one gigabyte
_LARGEST_OTHER = 256 << 20  # of a part that is read whole: names, styles, texts
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"


class Merged(NamedTuple):
    """A merged range, columns from 0, rows from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


def sheets(found: Input) -> Iterator[Sheet]:
    """The visible sheets of a workbook. Raises SlaError for a file that is none or is damaged."""
    _bounded(found)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks about styles and extensions say nothing about values
            book = load_workbook(found.path, read_only=True, data_only=True)
    except _BROKEN:
        raise SlaError(f"{found.shown} 打不开：不是 .xlsx，或者文件不完整，请在 Excel 里重新另存为 .xlsx。") from None
    try:
        parts = _parts(found)
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # what a program wrote there need not be true
                merged = _merged_ranges(found, parts.get(sheet.title))
                yield Sheet(sheet.title, _rows(found, sheet, merged), None)
    finally:
        book.close()


def _rows(found: Input, sheet: Any, merged: list[Merged]) -> Iterator[SheetRow]:
    fill = _Fill(merged)
    raw = enumerate(sheet.iter_rows(values_only=True), 1)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                chunk = list(islice(raw, _AT_ONCE))
        except _BROKEN:
            raise SlaError(
                f"{found.shown} 的工作表“{sheet.title}”读到一半就坏了，请在 Excel 里重新另存为 .xlsx 再导入整个文件，"
                "已写入的行不会重复。"
            ) from None
        if not chunk:
            return
        for number, cells in chunk:
            yield SheetRow(number, fill.row(number, list(cells)), number)


class _Fill:
    """Puts the value of a merged range into all its cells; a file holds it only in the first."""

    def __init__(self, merged: list[Merged]) -> None:
        self.ahead = sorted(merged, reverse=True)
        self.active: list[tuple[Merged, Any]] = []

    def row(self, number: int, cells: list[Any]) -> list[Any]:
        while self.ahead and self.ahead[-1].top <= number:
            one = self.ahead.pop()
            value = cells[one.left] if one.left < len(cells) and one.top == number else None
            if value is not None:
                self.active.append((one, value))
        if self.active:
            self.active = [(one, value) for one, value in self.active if one.bottom >= number]
            for one, value in self.active:
                cells += [None] * (one.right + 1 - len(cells))
                cells[one.left : one.right + 1] = [value] * (one.right + 1 - one.left)
        return cells


def _bounded(found: Input) -> None:
    """Refuses a small file that unpacks to gigabytes before it is. zipfile reads no more of a part than it declares."""
    try:
        with zipfile.ZipFile(found.path) as archive:
            parts = archive.infolist()
    except (*_BROKEN, OSError):
        return  # said below, in the words for a file that cannot be opened
    whole = max((p.file_size for p in parts if not p.filename.startswith("xl/worksheets/")), default=0)
    if whole > _LARGEST_OTHER or sum(p.file_size for p in parts) > _LARGEST:
        raise SlaError(f"{found.shown} 解开后太大，不像是台账，没有读取。")


def _parts(found: Input) -> dict[str, str]:
    """Sheet name -> where its XML is in the archive."""
    try:
        with zipfile.ZipFile(found.path) as archive:
            book = fromstring(archive.read("xl/workbook.xml"))
            links = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except _BROKEN:  # an unusual but readable workbook: then without merged cells
        return {}
    targets = {r.get("Id"): str(r.get("Target")) for r in links}
    return {
        str(s.get("name")): targets[s.get(_OFFICE)].removeprefix("/").removeprefix("xl/")
        for s in book.iter(_MAIN)
        if s.get(_OFFICE) in targets
    }


def _merged_ranges(found: Input, part: str | None) -> list[Merged]:
    """Read from the XML itself: openpyxl's reading mode, which needs no memory, does not give them."""
    if part is None:
        return []
    ranges: list[Merged] = []
    tail = b""
    with zipfile.ZipFile(found.path) as archive, archive.open(f"xl/{part}") as xml:
        while chunk := xml.read(_CHUNK):
            text = tail + chunk
            end = 0
            for match in _MERGED.finditer(text):
                ranges.append(_range(match[1].decode(), match[2].decode()))
                end = match.end()
            if len(ranges) > _MAX_MERGED:
                raise SlaError(f"{found.shown} 的合并单元格太多，请在 Excel 里取消合并后再导入。")
            tail = text[max(end, len(text) - _LONGEST_MATCH) :]
    return ranges


def _range(first: str, last: str) -> Merged:
    (left, top), (right, bottom) = coordinate_from_string(first), coordinate_from_string(last)
    return Merged(top, column_index_from_string(left) - 1, bottom, column_index_from_string(right) - 1)
