"""One calendar out of many layers: projection, package, notices, local days, the hall's own days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Final

from sla_service.calendars import package, projection
from sla_service.calendars.model import Layer, LayerDay, Rank, hash_lines, kind_of
from sla_service.calendars.variants import NoticeScenarios
from sla_service.domain.calendar import Calendar, Day, Year, YearStatus

#: Cases older than the first year or due after the last one are refused by date, not silently miscounted.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2050

#: Raise it when the projection, or what is made of the package, gives other days: databases then take up the new ones.
REVISION: Final = 1

_VERSION_LENGTH: Final = 12
_ORDER: Final = (YearStatus.UNKNOWN, YearStatus.PROJECTED, YearStatus.PUBLISHED, YearStatus.AMENDED)


def build(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR, layers: Iterable[Layer] = ()) -> Calendar:
    """The calendar of the given layers, and of nothing else: :func:`base_layers` are to be among them.

    Layers are laid in order of rank, those of one rank in the order given; the later wins, day by day. The
    version is a hash of every day, status and source, so the same layers give the same version anywhere.
    """
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    ordered = sorted(layers, key=lambda layer: layer.rank)
    years = _years(ordered, first_year, last_year)
    days = _days(ordered, years, first, last)
    return Calendar(
        version=_version(first, last, days, years),
        first=first,
        last=last,
        days=days,
        years=years,
        scenarios=NoticeScenarios(),
    )


def base_layers(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> tuple[Layer, ...]:
    """What is there without any import: the projection below the package."""
    return projection.layer(first_year, last_year), package.layer()


def edition() -> str:
    """Names what :func:`base_layers` gives: the package's version and our own revision."""
    return f"{package.VERSION}+{REVISION}"


def newer(edition: str, than: str) -> bool:
    """Is one edition newer than another? Anything is newer than none."""
    return _parts(edition) > _parts(than)


def _parts(edition: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", edition)]


@cache
def default_calendar(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Calendar:
    """The calendar without any import; cached."""
    return build(first_year, last_year, base_layers(first_year, last_year))


def _years(ordered: list[Layer], first: int, last: int) -> dict[int, Year]:
    """The best status of each year, named after the uppermost layer that gives it."""
    years: dict[int, Year] = {}
    for layer in ordered:
        for year, status in layer.years.items():
            held = years.get(year, Year(YearStatus.UNKNOWN))
            if first <= year <= last and _ORDER.index(status) >= _ORDER.index(held.status):
                years[year] = Year(status, layer.shown_source)
    return years


def _days(ordered: list[Layer], years: Mapping[int, Year], first: date, last: date) -> list[Day]:
    merged: dict[date, tuple[LayerDay, str]] = {}
    for layer in ordered:
        # A local layer never settles the national days below it, it only lies on them.
        if layer.replaces and layer.rank < Rank.LOCAL:
            merged = {on: held for on, held in merged.items() if not layer.settles(on)}
        source = layer.shown_source
        merged.update((on, (day, source)) for on, day in layer.days.items() if first <= on <= last)
    settled = {year for year, info in years.items() if info.status.settled}
    return [
        Day(on, kind_of(on, day), day.name, source, on.year not in settled)
        for on, (day, source) in sorted(merged.items())
    ]


def _version(first: date, last: date, days: list[Day], years: Mapping[int, Year]) -> str:
    lines = [f"{first} {last}"]
    lines += [f"{year} {info.status} {info.source}" for year, info in sorted(years.items())]
    lines += [f"{day.on} {day.kind} {day.name} {day.source}" for day in days]
    return hash_lines(lines)[:_VERSION_LENGTH]
