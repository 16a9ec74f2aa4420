"""What every source of days is turned into: a layer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import NamedTuple

from sla_service.domain.calendar import DayKind, YearStatus

_SATURDAY = 5
_DECEMBER = 12


class Rank(IntEnum):
    """Order of the layers, the upper one wins."""

    PROJECTION = 0
    PACKAGE = 10
    NOTICE = 20
    LOCAL = 30
    HALL = 40


class LayerDay(NamedTuple):
    """What a layer says of one day: off or worked, and the holiday's name."""

    off: bool
    name: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Days from one source, with where they come from.

    ``years`` is the status that this layer gives to years; ``replaces`` the years that it settles as a whole:
    national days of lower layers are dropped for these, so that what a notice does not mention is a plain day,
    whatever a projection held before.
    """

    name: str
    rank: Rank
    days: Mapping[date, LayerDay]
    source: str = ""  # as shown beside a day; empty: the document, else the name
    document: str = ""  # document number, 国办发明电〔2025〕7号
    url: str = ""
    sha256: str = ""  # of the document as it came in; empty: of the days
    importer: str = ""
    imported_at: datetime | None = None
    years: Mapping[int, YearStatus] = field(default_factory=dict)
    replaces: frozenset[int] = frozenset()

    @property
    def shown_source(self) -> str:
        """What stands as the source of each of its days."""
        return self.source or self.document or self.name

    def settles(self, on: date) -> bool:
        """True if this layer says all there is to say of ``on``, as a national day.

        Of the December before its year it does so only if it names days there: many files for a year begin
        with its first of January, which does not take back what the New Year's notice had said.
        """
        year = notice_year(on)
        if year not in self.replaces:
            return False
        return on.year == year or any(day.year < year for day in self.days if notice_year(day) == year)

    @property
    def hash(self) -> str:
        """SHA-256 of the document, or of the days where there is no document."""
        return self.sha256 or hash_days(self.days)


def notice_year(d: date) -> int:
    """The year whose notice speaks of ``d``: December days belong to the New Year that follows.

    No other national holiday comes near December, and each December day that a notice ever moved stood in the
    notice of the next year (29–31 December of 2006, 2007, 2011, 2018, 2022).
    """
    return d.year + (d.month == _DECEMBER)


def kind_of(d: date, day: LayerDay) -> DayKind:
    """The kind of a named day: worked on a weekend is a make-up day, an unnamed weekend stays a weekend."""
    weekend = is_weekend(d)
    if day.off:
        return DayKind.WEEKEND if weekend and not day.name else DayKind.HOLIDAY
    return DayKind.MAKEUP if weekend else DayKind.WORKING


def is_weekend(d: date) -> bool:
    """True for Saturday and Sunday."""
    return d.weekday() >= _SATURDAY


def hash_days(days: Mapping[date, LayerDay]) -> str:
    """SHA-256 over the days in order."""
    return hash_lines(f"{on} {'off' if day.off else 'work'} {day.name}" for on, day in sorted(days.items()))


def hash_lines(lines: Iterable[str]) -> str:
    """SHA-256 (hex) of text lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedNotice:
    """A notice as read, from whatever format; nothing is stored by reading it.

    ``complete``: it sets the whole year (and so replaces projection and package there). ``amended``: it changes
    single days of a year that another notice has set. Neither: the file holds no days, the year stays unknown.
    """

    year: int
    days: Mapping[date, LayerDay]
    title: str = ""
    document: str = ""
    issued: date | None = None
    complete: bool = False
    amended: bool = False
    warnings: tuple[str, ...] = ()
    url: str = ""
    sha256: str = ""

    @property
    def status(self) -> YearStatus:
        """What the year becomes by it."""
        if self.complete:
            return YearStatus.PUBLISHED
        return YearStatus.AMENDED if self.amended else YearStatus.UNKNOWN

    def layer(
        self, *, rank: Rank = Rank.NOTICE, name: str = "", importer: str = "", imported_at: datetime | None = None
    ) -> Layer:
        """The layer that an import of this notice adds; a local or hall's one leaves the year's status alone."""
        national = rank <= Rank.NOTICE and bool(self.days)
        return Layer(
            name=name or self.document or self.title or f"{self.year} 年放假安排",
            rank=rank,
            days=self.days,
            document=self.document,
            url=self.url,
            sha256=self.sha256,
            importer=importer,
            imported_at=imported_at,
            years={self.year: self.status} if national else {},
            replaces=frozenset({self.year}) if national and self.complete else frozenset(),
        )
