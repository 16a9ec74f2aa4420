"""Tables of text, aligned by what a terminal shows; row by row, however many there are.

Not rich's: its tables hold every row before the first is printed and cut what does not fit into a pipe's eighty
columns, while lists of a hundred thousand cases go through here into ``grep`` and files.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import NamedTuple

import click

from sla_service.cli.wide import clean, pad, shorten, width, wrap

_SAMPLE = 500  # rows that decide the widths
_NARROWEST = 8
_LONG = 40
_GAP = "  "


class Cell(NamedTuple):
    """A coloured value."""

    text: str
    color: str | None = None
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """``flexible`` columns give way where the terminal is too narrow: their text goes on in the next line, or is
    cut there if ``cut``.
    """

    title: str
    right: bool = False
    flexible: bool = False
    cut: bool = False


Row = Sequence[str | Cell]


def terminal_width() -> int | None:
    """Columns of the terminal behind standard output; None where there is none, and nothing has to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def lines(columns: Sequence[Column], rows: Iterable[Row], *, room: int | None = None) -> Iterator[str]:
    """The table's lines: titles, a rule, the rows. ``room`` is the width that they have to fit into."""
    source = iter(rows)
    sample = list(islice(source, _SAMPLE))
    widths = _widths(columns, sample, room)
    yield _line(columns, [Cell(c.title, bold=True) for c in columns], widths)
    ruled = [*widths[:-1], min(widths[-1], _LONG)]  # one long last cell is no reason for a rule of its length
    yield click.style("─" * (sum(ruled) + len(_GAP) * (len(ruled) - 1)), dim=True)
    for row in chain(sample, source):
        yield from _row(columns, row, widths)


def show(columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Prints the table to standard output."""
    for line in lines(columns, rows, room=terminal_width()):
        click.echo(line)


def pairs(rows: Sequence[tuple[str, str | Cell]], *, room: int | None = None, indent: str = "") -> Iterator[str]:
    """``name  value`` lines, the values below each other."""
    first = max((width(name) for name, _ in rows), default=0)
    for name, value in rows:
        cell = _cell(value)
        space = max((room or 10_000) - len(indent) - first - len(_GAP), 2 * _NARROWEST)
        head, *rest = wrap(clean(cell.text), space)
        yield f"{indent}{click.style(pad(name, first), dim=True)}{_GAP}{_paint(head, cell)}".rstrip()
        for line in rest:
            yield f"{indent}{' ' * first}{_GAP}{_paint(line, cell)}"


def _cell(value: str | Cell) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _paint(text: str, cell: Cell) -> str:
    if not text.strip() or (cell.color is None and not cell.bold):
        return text
    return click.style(text, fg=cell.color, bold=cell.bold or None)


def _widths(columns: Sequence[Column], sample: Sequence[Row], room: int | None) -> list[int]:
    """What each column needs, the flexible ones shortened, widest first, until all fit into ``room``."""
    widths = [width(c.title) for c in columns]
    for row in sample:
        for i, value in enumerate(row):
            widths[i] = max(widths[i], width(clean(_cell(value).text)))
    if room is None:
        return widths
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while over > 0:
        able = [
            i for i, c in enumerate(columns) if (c.flexible or c.cut) and widths[i] > max(_NARROWEST, width(c.title))
        ]
        if not able:
            break
        widths[max(able, key=lambda i: widths[i])] -= 1
        over -= 1
    return widths


def _row(columns: Sequence[Column], row: Row, widths: Sequence[int]) -> Iterator[str]:
    cells = [_cell(value) for value in row]
    texts = [clean(cell.text) for cell in cells]
    pieces = [_fitted(text, c, w) for text, c, w in zip(texts, columns, widths, strict=True)]
    for piece in zip_longest(*pieces, fillvalue=""):
        yield _line(columns, [Cell(t, c.color, c.bold) for t, c in zip(piece, cells, strict=True)], widths)


def _fitted(text: str, column: Column, columns: int) -> list[str]:
    """The lines of one cell. What fits nowhere else stands out of its column: nothing is lost."""
    if width(text) <= columns or not (column.flexible or column.cut):
        return [text]
    return [shorten(text, columns)] if column.cut else wrap(text, columns)


def _line(columns: Sequence[Column], cells: Sequence[Cell], widths: Sequence[int]) -> str:
    last = max((i for i, cell in enumerate(cells) if cell.text.strip()), default=0)
    padded = [
        _paint(cell.text if i == last and not c.right else pad(cell.text, w, right=c.right), cell)
        for i, (c, cell, w) in enumerate(zip(columns, cells, widths, strict=True))
        if i <= last
    ]
    return _GAP.join(padded).rstrip()
