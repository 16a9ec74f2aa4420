"""Scenario calendars: everything that notices may still make of the projected days around a due date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, product
from math import prod
from typing import Final

from sla_service.calendars import lunar, projection
from sla_service.calendars.model import is_weekend
from sla_service.calendars.rules import Block, Option, blocks
from sla_service.domain.calendar import Calendar, Day, DayKind

#: A notice may move a due date past the next holiday, so holidays up to this long after it are looked at.
_REACH: Final = timedelta(days=14)
_DAY: Final = timedelta(days=1)
_MOST: Final = 300
_ASKED: Final = 10_000
_KEPT: Final = 200  # windows; about two years of them, some megabytes

Choice = tuple[Option, ...]


class NoticeScenarios:
    """The scenarios of one calendar, as :meth:`Calendar.variants` asks for them; keeps what it has built.

    Every combination of the options of the holidays that a window touches, as long as these are at most 300
    (a window of fifteen working days never touches more than two holidays). In longer windows each holiday's
    options are reduced to those that are extreme at some day, only the first and last holiday are combined (a
    complete holiday takes the same number of working days whatever the option, so those between do not move
    a running clock), and each other option is added on its own, for clocks that were paused meanwhile.
    """

    def __init__(self) -> None:
        self._built: dict[tuple[object, ...], tuple[Calendar, ...]] = {}
        self._asked: dict[tuple[str, date, date], tuple[Calendar, ...]] = {}

    def __call__(self, calendar: Calendar, a: date, b: date) -> tuple[Calendar, ...]:
        # Cases received on one day with one limit ask the same, thousands of them in a recomputation.
        asked = (calendar.version, a, b)
        found = self._asked.get(asked)
        if found is None:
            if len(self._asked) >= _ASKED:
                self._asked.clear()
            found = self._asked[asked] = self._find(calendar, a, b)
        return found

    def _find(self, calendar: Calendar, a: date, b: date) -> tuple[Calendar, ...]:
        touched = tuple(_touched(calendar, a, b))
        # Whole months around the window, so that neighbouring starts share one set of tables. The quarter
        # after it leaves room for the latest date and for whoever counts a few steps on from there.
        first = (a.replace(day=1) - _DAY).replace(day=1)
        last = (b.replace(day=1) + timedelta(days=124)).replace(day=1)
        key = (calendar.version, first, last, *(block.key for block in touched))
        found = self._built.get(key)
        if found is None:
            if len(self._built) >= _KEPT:
                self._built.clear()
                self._asked.clear()  # holds the same tables
            found = self._built[key] = tuple(_calendars(calendar, touched, first, last))
        return found


def _touched(calendar: Calendar, a: date, b: date) -> Iterator[Block]:
    """Unsettled holidays of which some option changes a day after ``a`` and not long after ``b``."""
    for year in range(max(a.year, lunar.FIRST_YEAR), min(b.year + 1, lunar.LAST_YEAR) + 1):
        if not calendar.status(year).settled:
            for block in blocks(year):
                if len(block.options) > 1 and block.last > a and block.first <= b + _REACH:
                    yield block


def _calendars(calendar: Calendar, touched: tuple[Block, ...], first: date, last: date) -> Iterator[Calendar]:
    fixed = {
        day.on
        for year in range(first.year, last.year + 1)
        for day in calendar.named_days(year)
        if day.source != projection.SOURCE  # local days lie on whatever the notice will say
    }
    changes = {
        (block, option): tuple(day for day in _days(block, option) if day.on not in fixed)
        for block in touched
        for option in block.options
    }
    around = calendar.derive(version=calendar.version, first=first, last=last, changes=())
    for n, choice in enumerate(_choices(touched)):
        changed = (day for pair in zip(touched, choice, strict=True) for day in changes[pair])
        yield around.derive(version=f"{calendar.version}+{n}", first=first, last=last, changes=changed)


@cache
def _days(block: Block, option: Option) -> tuple[Day, ...]:
    """Every day that the block may touch, as this option has it."""
    days = []
    for on in _run(block):
        if on in option.work:
            kind = DayKind.MAKEUP
        elif on in option.off:
            kind = DayKind.HOLIDAY
        else:
            kind = DayKind.WEEKEND if is_weekend(on) else DayKind.WORKING
        days.append(Day(on, kind, "" if kind in _PLAIN else block.name, projection.SOURCE, True))
    return tuple(days)


_PLAIN: Final = (DayKind.WORKING, DayKind.WEEKEND)


def _choices(touched: tuple[Block, ...]) -> Iterable[Choice]:
    if prod(len(block.options) for block in touched) <= _MOST:
        return product(*(block.options for block in touched))
    base = tuple(block.options[0] for block in touched)
    chosen = dict.fromkeys((low, *base[1:-1], high) for low in _extreme(touched[0]) for high in _extreme(touched[-1]))
    for i, block in enumerate(touched):
        chosen |= dict.fromkeys((*base[:i], option, *base[i + 1 :]) for option in block.options)
    return chosen


@cache
def _extreme(block: Block) -> tuple[Option, ...]:
    """The options with the most or the fewest working days up to some day, and the projection."""
    run = _run(block)
    sums = {option: tuple(accumulate(day.kind.counts for day in _days(block, option))) for option in block.options}
    kept = dict.fromkeys(block.options[:1])
    for i in range(len(run)):
        kept[max(block.options, key=lambda option: sums[option][i])] = None
        kept[min(block.options, key=lambda option: sums[option][i])] = None
    return tuple(kept)


def _run(block: Block) -> list[date]:
    return [block.first + n * _DAY for n in range((block.last - block.first).days + 1)]
