"""Years without a notice: the statutory days with their substitute days, no make-up days.

Source: 全国年节及纪念日放假办法 (State Council). The days off for everybody were
    2000–2007  10 days: 元旦 1, 春节 3 (from the first day), 劳动节 3, 国庆节 3       (Order 270, 1999)
    2008–2013  11 days: 元旦 1, 春节 3 (from the eve), 清明, 劳动节, 端午, 中秋 1 each, 国庆节 3 (Order 513, 2007)
    2014–2024  11 days: the same, 春节 from the first day again                       (Order 644, 2013)
    2025–      13 days: 春节 4 (eve to the third), 劳动节 2                           (Order 795, 2024)
Art. 6 (of the text in force): a day off for everybody that falls on a weekend is made up for on a working day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from sla_service.calendars import lunar
from sla_service.calendars.model import Layer, LayerDay, Rank, is_weekend
from sla_service.domain.calendar import YearStatus

SOURCE: Final = "projection"
DOCUMENT: Final = "全国年节及纪念日放假办法"

_DAY: Final = timedelta(days=1)
_FOUR_TRADITIONAL: Final = 2008  # 清明、端午、中秋、除夕 became days off, 劳动节 shrank to one
_EVE_DROPPED: Final = 2014
_THIRTEEN_DAYS: Final = 2025


class Feast(StrEnum):
    """The holidays of the law; the value is the name used by the notices."""

    NEW_YEAR = "元旦"
    SPRING = "春节"
    QINGMING = "清明节"
    LABOUR = "劳动节"
    DRAGON_BOAT = "端午节"
    MID_AUTUMN = "中秋节"
    NATIONAL = "国庆节"


@dataclass(frozen=True, slots=True)
class Holiday:
    """One holiday of one year with its statutory days, in order."""

    feast: Feast
    days: tuple[date, ...]


@cache
def statutory(year: int) -> tuple[Holiday, ...]:
    """The statutory days of ``year`` by holiday, in order of the law; ``KeyError`` outside 2000–2050."""
    moving = lunar.festivals(year)
    labour = 3 if year < _FOUR_TRADITIONAL else 1 if year < _THIRTEEN_DAYS else 2
    with_eve = _FOUR_TRADITIONAL <= year < _EVE_DROPPED or year >= _THIRTEEN_DAYS
    spring = _run(moving.spring - with_eve * _DAY, 3 if year < _THIRTEEN_DAYS else 4)
    found = [Holiday(Feast.NEW_YEAR, (date(year, 1, 1),)), Holiday(Feast.SPRING, spring)]
    if year >= _FOUR_TRADITIONAL:
        found.append(Holiday(Feast.QINGMING, (moving.qingming,)))
    found.append(Holiday(Feast.LABOUR, _run(date(year, 5, 1), labour)))
    if year >= _FOUR_TRADITIONAL:
        found.append(Holiday(Feast.DRAGON_BOAT, (moving.dragon_boat,)))
        found.append(Holiday(Feast.MID_AUTUMN, (moving.mid_autumn,)))
    found.append(Holiday(Feast.NATIONAL, _run(date(year, 10, 1), 3)))
    return tuple(found)


@cache
def projected_days(year: int) -> dict[date, LayerDay]:
    """Statutory and substitute days of ``year``: what stands until the notice comes.

    A substitute is the next working day after the holiday; a day that is statutory twice (中秋 on 国庆) is
    made up for like one on a weekend, as the notices of 2009 and 2020 did.
    """
    holidays = statutory(year)
    days: dict[date, LayerDay] = {}
    owed: list[tuple[date, Feast]] = []
    for holiday in holidays:
        for on in holiday.days:
            if is_weekend(on) or on in days:
                owed.append((on, holiday.feast))
            name = f"{holiday.feast}、{days[on].name}" if on in days else str(holiday.feast)
            days[on] = LayerDay(True, name)
    for on, feast in sorted(owed):
        free = next(d for d in _from(on) if d not in days and not is_weekend(d))
        days[free] = LayerDay(True, feast)
    return days


def layer(first_year: int, last_year: int) -> Layer:
    """The projection of the years that the lunar table holds; years beyond it stay unknown."""
    years = range(max(first_year, lunar.FIRST_YEAR), min(last_year, lunar.LAST_YEAR) + 1)
    return Layer(
        name=SOURCE,
        rank=Rank.PROJECTION,
        days={on: day for year in years for on, day in projected_days(year).items()},
        source=SOURCE,
        document=DOCUMENT,
        years=dict.fromkeys(years, YearStatus.PROJECTED),
    )


def _run(start: date, length: int) -> tuple[date, ...]:
    return tuple(start + i * _DAY for i in range(length))


def _from(start: date) -> Iterator[date]:
    day = start
    while True:
        day += _DAY
        yield day
