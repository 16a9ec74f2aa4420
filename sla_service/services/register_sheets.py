"""Registers (台账) as plain rows: what is the same for CSV and Excel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple


class SheetRow(NamedTuple):
    """``number`` as the spreadsheet counts, from 1; ``position`` is how far the file is read (bytes, or rows)."""

    number: int
    cells: list[Any]
    position: int

    @property
    def empty(self) -> bool:
        return all(c is None or (isinstance(c, str) and not c.strip()) for c in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. ``size`` is what ``position`` grows to, None if nobody knows."""

    name: str
    rows: Iterator[SheetRow]
    size: int | None
