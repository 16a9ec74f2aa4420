"""People out of a list that an office keeps (CSV, Excel) or out of YAML: rows with the names of directory.yaml."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from schemas.directory import DirectoryFile
from schemas.files import FileProblems, read
from sla_service.domain.directory import same_name
from sla_service.errors import ConfigError, SlaError
from sla_service.services import register_csv
from sla_service.services.file_input import Input, Kind
from sla_service.services.register_cells import BadCell, text
from sla_service.services.register_sheets import Sheet, SheetRow

_LOOK: Final = 30  # rows in which the titles are looked for
_TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("编号", "人员编号", "用户编号", "账号", "userid", "id"),
    "name": ("姓名", "名字", "name"),
    "aliases": ("别名", "工号", "其他叫法", "aliases"),
    "phone": ("手机", "手机号", "手机号码", "电话", "联系电话", "phone"),
    "wecom": ("企业微信", "企业微信账号", "wecom"),
    "department": ("科室", "所在科室", "部门", "department"),
    "hall": ("厅", "大厅", "hall"),
}
_SPLIT: Final = str.maketrans("，、；;/", ",,,,,")


@dataclass(frozen=True, slots=True)
class Given:
    """One entry of a section (people, departments, absences), with the row or line where it stands.

    ``problem`` is why it cannot be read.
    """

    section: str
    number: int
    entry: Mapping[str, Any]
    problem: str = ""


def given(found: Input) -> list[Given]:
    """What the file says, in its order. Raises SlaError for a file that holds no list of people."""
    if found.kind is Kind.EMPTY:
        raise SlaError(f"{found.shown} 是空的。")
    if found.name.lower().endswith((".yaml", ".yml")):
        return _yaml(found)
    if found.kind is Kind.JSON:
        raise SlaError(f"{found.shown} 不是人员名单，能导入的有 YAML、CSV 和 XLSX。")
    if found.kind is Kind.XLSX:  # openpyxl takes longer to load than most lists to read
        sheets: Iterator[Sheet] = importlib.import_module("sla_service.services.register_xlsx").sheets(found)
    else:
        sheets = register_csv.sheets(found)
    people = [one for sheet in sheets for one in _people(sheet)]
    if not people:
        raise SlaError(f"{found.shown} 里没有人员：要有一行标题，至少有“姓名”和“编号”两列，下面每人一行。")
    return people


def _people(sheet: Sheet) -> Iterator[Given]:
    head = list(islice(sheet.rows, _LOOK))
    columns: dict[int, str] = {}
    for row in (*head, *sheet.rows):
        if not columns:
            columns = _columns(row)
        elif not row.empty:
            yield _given(row, columns)


def _given(row: SheetRow, columns: Mapping[int, str]) -> Given:
    try:
        return Given("people", row.number, _entry(row, columns))
    except BadCell as e:
        return Given("people", row.number, {}, str(e))


def _columns(row: SheetRow) -> dict[int, str]:
    """Which column holds what; empty if these are not the titles. Without another id the staff number is it."""
    named = {i: same_name(text(cell)) for i, cell in enumerate(row.cells)}
    found = {i: key for i, name in named.items() for key, words in _TITLES.items() if name in words}
    if "id" not in found.values():
        found |= {i: "id" for i, name in named.items() if name == "工号"}
    return found if {"id", "name"} <= set(found.values()) else {}


def _entry(row: SheetRow, columns: Mapping[int, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for i, key in columns.items():
        value = text(row.cells[i]) if i < len(row.cells) else ""
        if not value:
            continue
        if key == "aliases":
            entry["aliases"] = [*entry.get("aliases", ()), *(a.strip() for a in value.translate(_SPLIT).split(","))]
        else:
            entry[key] = value
    return entry


def _yaml(found: Input) -> list[Given]:
    """The sections of a file like directory.yaml; what its entries refer to may stand in the other one."""
    try:
        document = read(found.path.read_bytes(), found.shown)
        file = document.load(DirectoryFile)
    except FileProblems as e:
        raise ConfigError(str(e)) from None
    entries = []
    for section in ("people", "departments", "absences", "roles", "halls"):
        for i, entry in enumerate(getattr(file, section)):
            said = entry.model_dump(by_alias=True, exclude_unset=True)
            entries.append(Given(section, document.line(section, i), said))
    return entries
