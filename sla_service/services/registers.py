"""Case registers (台账): one row per case, read from CSV or Excel into events."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from sla_service.domain.policy import Hours
from sla_service.errors import UsageError
from sla_service.services import register_csv
from sla_service.services.file_input import Input, Kind
from sla_service.services.register_cells import zone_of
from sla_service.services.register_events import BadRow, Made, RowReader, plain_row
from sla_service.services.register_map import Layout, RegisterMap, layout, no_layout
from sla_service.services.register_sheets import Sheet, SheetRow

__all__ = ["Layout", "RegisterRow", "rows"]

_LOOK = 30  # rows in which the titles are looked for


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row: its events, or the problem with the column that has it. ``raw`` is what stood there, by title."""

    place: Mapping[str, Any]
    events: tuple[Made, ...]
    raw: Mapping[str, Any]
    position: int
    field: str = ""
    problem: str = ""


def rows(
    found: Input,
    rules: RegisterMap,
    source: str | None,
    hours: Hours,
    seen: Callable[[Layout, str], None],
    *,
    now: datetime,
) -> Iterator[RegisterRow]:
    """The cases of a register. ``seen`` is told how the columns of each sheet were read, before its first row.

    Of a workbook every visible sheet with the titles of a register counts (a sheet per month is usual). Raises
    UsageError without a source, ConfigError where no sheet has the columns.
    """
    source = source or rules.source
    if not source:
        raise UsageError(f"{found.shown} 是台账，里面没有写来源，请用 --source 写明，例如 --source hall。")
    taken = 0
    last: tuple[str, list[SheetRow]] | None = None
    for sheet in _sheets(found):
        if rules.sheet is not None and sheet.name != rules.sheet:
            continue
        head = list(islice(sheet.rows, _LOOK))
        where = layout(head, rules.columns)
        if where is None:
            if last is None or any(not row.empty for row in head):
                last = f"{found.shown}{f' 的工作表“{sheet.name}”' if sheet.name else ''}", head
            continue
        taken += 1
        seen(where, sheet.name)
        reader = RowReader(where, rules, zone_of(rules.time_zone), hours, source)
        yield from _read(chain(head, sheet.rows), reader, sheet.name, now)
    if not taken:
        raise no_layout(*(last or (f"{found.shown}", [])), rules.columns)


def _sheets(found: Input) -> Iterator[Sheet]:
    if found.kind is Kind.XLSX:  # openpyxl takes longer to load than most files to read
        found_sheets: Iterator[Sheet] = importlib.import_module("sla_service.services.register_xlsx").sheets(found)
        return found_sheets
    return register_csv.sheets(found)


def _read(found: Iterator[SheetRow], reader: RowReader, sheet: str, now: datetime) -> Iterator[RegisterRow]:
    for row in found:
        if row.number <= reader.layout.last:
            continue
        place: dict[str, Any] = {"sheet": sheet, "row": row.number} if sheet else {"row": row.number}
        try:
            made = reader.events(row, now=now)
        except BadRow as e:
            raw = plain_row(row, reader.layout)
            yield RegisterRow(place, (), raw, row.position, e.field, f"{e.problem}。")
            continue
        if made:
            yield RegisterRow(place, tuple(made), plain_row(row, reader.layout), row.position)
