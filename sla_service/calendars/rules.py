"""What notices do to the statutory days: the finite list that bounds provisional due dates.

Derived from the State Council's notices for 2008 to 2026 and from the principles that the notice for 2025
(国办发明电〔2024〕12号) states: 春节 eight days from the eve, 国庆节 seven days from 1 October, 劳动节 five days,
元旦、清明节、端午节、中秋节 three days (a Wednesday stays alone), 国庆节 with 中秋节 eight days, special cases apart.

1. **Nothing more**: statutory days and substitute days only (any holiday; 2018 端午节).
2. **One-day holidays** by weekday, ``ONE_DAY``: alone, with its weekend, bridged to three days.
3. **Stretches** (春节, 劳动节, 国庆节): consecutive days off that hold the statutory days; as many make-up days as
   weekdays off beyond the statutory number, at most two; taken from the last Saturday and Sunday before and the
   first ones after the stretch. All six pairs of these four have occurred (2008, 2009, 2010, 2011, 2024, 2026).
   Lengths and first days: ``_spring``, ``_labour``, ``_national``.
4. **中秋节 near 国庆节**: joined to eight days when it falls on 28 September or later (2009, 2012, 2017, 2020,
   2023, 2025); before that apart, where the 国庆节 make-up day may move a week forward because 中秋节 holds the
   weekend between (2026), and a 中秋节 on a weekend may be made up for inside 国庆节 (2015).

Not in the list: days off that no law gives (3 September 2015) and extensions in an emergency (春节 2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import combinations
from typing import Final, NamedTuple

from sla_service.calendars import lunar
from sla_service.calendars.model import is_weekend
from sla_service.calendars.projection import Feast, projected_days, statutory

_DAY: Final = timedelta(days=1)
_TUESDAY, _WEDNESDAY, _SATURDAY, _SUNDAY = 1, 2, 5, 6
_MAX_MAKEUPS: Final = 2
_JOINED_FROM: Final = (9, 28)  # month and day of a 中秋节 that may be joined to 国庆节
_TOUCHING_FROM: Final = (9, 19)  # from here on the two share weekends and are enumerated together
_LABOUR_SINCE_2025: Final = 2  # statutory days

# Offsets in days from the holiday: (further weekdays off, weekend days worked). Monday is 0.
ONE_DAY: Final[dict[int, tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]]] = {
    0: (((), ()),),  # joined to its weekend
    1: (
        ((), ()),
        ((-1,), (-3,)),  # Monday off for the Saturday before: 2011 清明节, 2018 劳动节, 2019 元旦, 2024 中秋节
        ((1, 2), (4, 5)),  # to Thursday, for the weekend after: 2013 元旦
    ),
    2: (
        ((), ()),  # alone: 2014 元旦, 2020 元旦, 2023 清明节, 2025 元旦
        ((-2, -1), (-4, -3)),  # from Monday, for the weekend before: 2012 清明节, 2013 劳动节 and 端午节
        ((1, 2), (-3, 3)),  # to Friday, for the Sunday before and the Saturday after: 2010 中秋节
    ),
    3: (
        ((), ()),
        ((1,), (3,)),  # Friday off for the Sunday after: every Thursday since 2008
    ),
    4: (((), ()),),
    5: (
        ((2,), ()),  # substitute on Monday
        ((-1,), ()),  # substitute on Friday: 2012 端午节
    ),
    6: (
        ((1,), ()),
        ((1, 2), (-1,)),  # to Tuesday, for the Saturday before: 2012 元旦
    ),
}


class Option(NamedTuple):
    """One thing that a notice may make of a holiday: weekdays off and weekend days worked."""

    off: frozenset[date]
    work: frozenset[date]


class Block(NamedTuple):
    """A holiday (or two that share weekends) with everything that a notice may make of it.

    The first option is the projection. ``first`` to ``last`` are the days that any option touches.
    """

    name: str
    year: int
    options: tuple[Option, ...]
    first: date
    last: date

    @property
    def key(self) -> tuple[str, int]:
        """Names the block; hashing all its options on each look-up would cost more than the look-up."""
        return self.name, self.year


@cache
def blocks(year: int) -> tuple[Block, ...]:
    """The holidays of ``year`` in order, each with its options; ``KeyError`` outside the lunar table."""
    held = {holiday.feast: holiday.days for holiday in statutory(year)}
    found = [_block(feast, year, _single(held[feast][0])) for feast in _ONE_DAY_FEASTS if feast in held]
    found.append(_block(Feast.SPRING, year, _spring(held[Feast.SPRING], year)))
    found.append(_block(Feast.LABOUR, year, _labour(held[Feast.LABOUR])))
    found.extend(_autumn(held, year))
    return tuple(sorted(found, key=lambda block: block.first))


_ONE_DAY_FEASTS: Final = (Feast.NEW_YEAR, Feast.QINGMING, Feast.DRAGON_BOAT)


def _block(name: str, year: int, options: Iterable[Option], *, feasts: tuple[Feast, ...] = ()) -> Block:
    names = feasts or (name,)
    base = _plain(day for day, held in projected_days(year).items() if set(held.name.split("、")) & set(names))
    distinct = tuple(dict.fromkeys((base, *options)))
    touched = [day for option in distinct for day in option.off | option.work]
    return Block(name, year, distinct, min(touched, default=date(year, 1, 1)), max(touched, default=date(year, 1, 1)))


def _single(day: date) -> Iterator[Option]:
    """Rule 2."""
    for off, work in ONE_DAY[day.weekday()]:
        yield _option([day, *(day + n * _DAY for n in off)], (day + n * _DAY for n in work))


def _spring(days: tuple[date, ...], year: int) -> Iterator[Option]:
    """Rule 3: seven days (2008–2023), eight (2024, 2025) or nine (2026).

    They begin on the first statutory day, on the eve where that is none (2015–2023), or on the weekend days
    straight before (2026).
    """
    firsts = {days[0], lunar.festivals(year).spring - _DAY}
    starts = {start for first in firsts for start in _back_over_weekend(first)}
    return _stretches(days, starts, (7, 8, 9))


def _labour(days: tuple[date, ...]) -> Iterator[Option]:
    """Rules 2 and 3: as a one-day holiday (2008–2018), four days (2019) or five (since 2020).

    They begin on 1 May, on the weekend before it (2022, 2023) or on a bridged Monday (2012, 2018). Under the law
    before 2008 there were seven.
    """
    if len(days) == 1:
        yield from _single(days[0])
    starts = set(_back_over_weekend(days[0]))
    if days[0].weekday() == _TUESDAY:
        starts |= set(_back_over_weekend(days[0] - _DAY))
    yield from _stretches(days, starts, (7,) if len(days) > _LABOUR_SINCE_2025 else (4, 5))


def _autumn(held: dict[Feast, tuple[date, ...]], year: int) -> Iterator[Block]:
    """Rule 4."""
    national = held[Feast.NATIONAL]
    if Feast.MID_AUTUMN not in held:
        yield _block(Feast.NATIONAL, year, _national(national))
        return
    moon = held[Feast.MID_AUTUMN][0]
    if (moon.month, moon.day) < _TOUCHING_FROM:
        yield _block(Feast.MID_AUTUMN, year, _single(moon))
        yield _block(Feast.NATIONAL, year, _national(national))
        return
    options: list[Option] = []
    if (moon.month, moon.day) >= _JOINED_FROM:
        options.extend(_stretches((moon, *national), {min(moon, national[0])}, (8,)))
    if moon < national[0]:
        options.extend(_apart(moon, national))
    both = (Feast.MID_AUTUMN, Feast.NATIONAL)
    yield _block("、".join(both), year, options, feasts=both)


def _national(days: tuple[date, ...], extra: int = 0, held: frozenset[date] = frozenset()) -> Iterator[Option]:
    """Rule 3: seven days from 1 October; from Monday when that is a Wednesday (2008)."""
    starts = {days[0]} | ({days[0] - 2 * _DAY} if days[0].weekday() == _WEDNESDAY else set())
    if not extra:
        yield _plain(_substituted(days))
    yield from _stretches(days, starts, (7,), extra=extra, held=held)


def _apart(moon: date, national: tuple[date, ...]) -> Iterator[Option]:
    for first in _single(moon):
        if any(day >= national[0] for day in first.work):
            continue
        held = frozenset(_with_weekends(first.off | {moon}, first.work)) | first.work
        for second in _national(national, held=held):
            if not first.off & second.off:
                yield Option(first.off | second.off, first.work | second.work)
    if is_weekend(moon):  # made up for inside 国庆节: 2015
        yield from _national(national, extra=1, held=frozenset({moon}))


def _stretches(
    days: tuple[date, ...],
    starts: Iterable[date],
    lengths: tuple[int, ...],
    *,
    extra: int = 0,
    held: frozenset[date] = frozenset(),
) -> Iterator[Option]:
    """Rule 3; ``extra`` further days are owed, ``held`` days are spoken for by another holiday."""
    for start in sorted(starts):
        for length in lengths:
            off = [start + n * _DAY for n in range(length)]
            owed = sum(not is_weekend(day) for day in off) - len(days) - extra
            if set(days) <= set(off) and 0 <= owed <= _MAX_MAKEUPS:
                for work in combinations(_candidates(off, held), owed):
                    yield _option(off, work)


def _candidates(off: list[date], held: frozenset[date]) -> list[date]:
    """The weekend days next to a stretch; where another holiday holds some of those before, a week earlier too."""
    before = [_last(weekday, off[0]) for weekday in (_SATURDAY, _SUNDAY)]
    if held & set(before):
        before += [day - 7 * _DAY for day in before]
    after = [_next(weekday, off[-1]) for weekday in (_SATURDAY, _SUNDAY)]
    return [day for day in (*sorted(before), *after) if day not in held]


def _option(off: Iterable[date], work: Iterable[date]) -> Option:
    return Option(frozenset(day for day in off if not is_weekend(day)), frozenset(work))


def _plain(off: Iterable[date]) -> Option:
    return _option(off, ())


def _substituted(days: tuple[date, ...]) -> list[date]:
    """The statutory days with a substitute on the next weekday for each one on a weekend."""
    off = list(days)
    for _ in filter(is_weekend, days):
        off.append(next(d for n in range(1, 9) if not is_weekend(d := days[-1] + n * _DAY) and d not in off))
    return off


def _back_over_weekend(first: date) -> Iterator[date]:
    yield first
    day = first - _DAY
    while is_weekend(day):
        yield day
        day -= _DAY


def _with_weekends(off: Iterable[date], work: frozenset[date]) -> Iterator[date]:
    """The days off and the weekend days that adjoin them."""
    for day in off:
        yield day
        for step in (-_DAY, _DAY):
            near = day + step
            while is_weekend(near) and near not in work:
                yield near
                near += step


def _last(weekday: int, before: date) -> date:
    return before - timedelta(days=(before.weekday() - weekday - 1) % 7 + 1)


def _next(weekday: int, after: date) -> date:
    return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)
