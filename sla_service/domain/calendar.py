"""The working calendar: which days count, and the Nth working day in constant time.

A :class:`Calendar` is an immutable table over a range of days. It knows nothing of files, notices or
packages: whoever builds it (``sla_service.calendars.layers``) hands in the days that differ from the plain
week, the status of each year, and a provider of scenarios for years that no notice has settled yet.

Working days are those of 行政许可法 art. 82: neither weekends nor public holidays, but make-up working days
(调休上班), which fall on weekends, do count.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import accumulate
from typing import Final

from sla_service.errors import CalendarError

_WEEK = b"\x01\x01\x01\x01\x01\x00\x00"  # Monday to Sunday, 1 = worked


class DayKind(StrEnum):
    """What a day is; only ``WORKING`` and ``MAKEUP`` are counted."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKEUP = "makeup"  # 调休上班: a weekend day that is worked

    @property
    def counts(self) -> bool:
        """True if a day of this kind is a working day."""
        return self is DayKind.WORKING or self is DayKind.MAKEUP


class YearStatus(StrEnum):
    """How far a year's days can be relied on."""

    PUBLISHED = "published"  # from the year's notice (or the package that holds it)
    AMENDED = "amended"  # published, and changed within the year by a later notice
    PROJECTED = "projected"  # statutory days only, the notice is still to come
    UNKNOWN = "unknown"  # nothing known but the plain week

    @property
    def settled(self) -> bool:
        """True if a notice has settled the year."""
        return self is YearStatus.PUBLISHED or self is YearStatus.AMENDED


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar.

    ``name`` is the holiday it belongs to ("国庆节"; empty for a plain day), ``source`` the layer or document
    that says so, ``projected`` True if the day's year is not settled by a notice.
    """

    on: date
    kind: DayKind
    name: str = ""
    source: str = ""
    projected: bool = False


@dataclass(frozen=True, slots=True)
class Year:
    """Status of a year, and the source of those of its days that no layer names."""

    status: YearStatus
    source: str = ""


Scenarios = Callable[["Calendar", date, date], "tuple[Calendar, ...]"]


class Calendar:
    """Immutable table of the days ``first`` to ``last`` (both included).

    ``days`` are the days that differ from the plain week or bear a name; every other day follows its weekday.
    ``years`` gives each year's status; a year that is left out is ``UNKNOWN``. ``scenarios`` answers
    :meth:`variants`; without it there are none. ``version`` names the content: equal versions, equal days.

    Every question is a look-up: a list of the working days, and per day the number of working days before it.
    Dates are plain ``date`` values; a ``datetime`` is refused, since its date depends on the zone.
    """

    __slots__ = (
        "_before",
        "_explicit",
        "_offset",
        "_projected",
        "_scenarios",
        "_size",
        "_upto",
        "_worked",
        "_years",
        "first",
        "last",
        "version",
    )

    def __init__(
        self,
        *,
        version: str,
        first: date,
        last: date,
        days: Iterable[Day] = (),
        years: Mapping[int, Year] | None = None,
        scenarios: Scenarios | None = None,
    ) -> None:
        if last < first:
            raise ValueError(f"a calendar needs a range, not {first} to {last}")
        offset = first.toordinal()
        size = last.toordinal() - offset + 1
        explicit = {day.on: day for day in days if first <= day.on <= last}
        week = _WEEK[first.weekday() :] + _WEEK[: first.weekday()]
        flags = bytearray((week * (size // 7 + 1))[:size])
        for on, day in explicit.items():
            flags[on.toordinal() - offset] = day.kind.counts
        known = dict(years or {})
        unsettled = (not known.get(y, _UNKNOWN_YEAR).status.settled for y in range(first.year, last.year + 1))

        self.version: Final = version
        self.first: Final = first
        self.last: Final = last
        self._offset: Final = offset
        self._size: Final = size
        self._explicit: Final = explicit
        self._years: Final = known
        self._scenarios: Final = scenarios
        # _before[i]: working days in the table before day i, so _before[i + 1] includes day i itself;
        # _upto[i]: index in _worked of the last working day up to day i. Arrays, since a list of as many int
        # objects falls out of the processor's cache: a third of the time of a look-up.
        before = list(accumulate(flags, initial=0))
        self._before: Final = array("i", before)
        self._upto: Final = array("i", [count - 1 for count in before[1:]])
        self._worked: Final = [date.fromordinal(offset + i) for i, worked in enumerate(flags) if worked]
        self._projected: Final = list(accumulate(unsettled, initial=0))

    def __repr__(self) -> str:
        return f"<Calendar {self.version} {self.first}..{self.last}>"

    def is_working(self, d: date) -> bool:
        """True if ``d`` is counted: a weekday that is no holiday, or a make-up day."""
        i = self._index(d)
        return self._before[i + 1] > self._before[i]

    def nth_after(self, d: date, n: int) -> date:
        """The ``n``-th working day strictly after ``d``.

        ``n = 0`` gives ``d`` itself if it is worked, else the last working day before it. So
        ``nth_after(d, between(d, x)) == x`` for every working day ``x`` from ``d`` on.
        """
        i = d.toordinal() - self._offset
        if i < 0 or n < 0 or d.__class__ is not date:
            i = self._index(d, n)
        try:
            at = self._upto[i] + n
            if at >= 0:
                return self._worked[at]
        except IndexError:
            self._index(d)  # names the day, if it is the day that lies outside
        raise self._too_far(d, n, "之后")

    def nth_before(self, d: date, n: int) -> date:
        """The ``n``-th working day strictly before ``d``, ``n`` at least 1."""
        at = self._before[self._index(d, n)] - n
        if n == 0:
            raise ValueError("nth_before counts from 1")
        if at < 0:
            raise self._too_far(d, n, "之前")
        return self._worked[at]

    def between(self, a: date, b: date) -> int:
        """Number of working days in (a, b]; the negative of those in (b, a] when ``b`` lies before ``a``."""
        return self._before[self._index(b) + 1] - self._before[self._index(a) + 1]

    def on_or_after(self, d: date) -> date:
        """The first working day that is not before ``d``."""
        at = self._before[self._index(d)]
        if at >= len(self._worked):
            raise self._too_far(d, 1, "之后")
        return self._worked[at]

    def day(self, d: date) -> Day:
        """What ``d`` is, and who says so."""
        i = self._index(d)
        found = self._explicit.get(d)
        if found is not None:
            return found
        year = self._years.get(d.year, _UNKNOWN_YEAR)
        kind = DayKind.WORKING if self._before[i + 1] > self._before[i] else DayKind.WEEKEND
        return Day(d, kind, "", year.source, not year.status.settled)

    def days(self, a: date, b: date) -> Iterator[Day]:
        """Every day from ``a`` to ``b``, both included."""
        self._index(a), self._index(b)
        return (self.day(date.fromordinal(o)) for o in range(a.toordinal(), b.toordinal() + 1))

    def named_days(self, year: int) -> tuple[Day, ...]:
        """The days of ``year`` that a layer names (holidays, make-up days), in order."""
        return tuple(self._explicit[on] for on in sorted(self._explicit) if on.year == year)

    def status(self, year: int) -> YearStatus:
        """Status of a year; ``UNKNOWN`` for one that the table does not hold."""
        return self._years.get(year, _UNKNOWN_YEAR).status

    def years(self) -> Mapping[int, Year]:
        """Status and source of every year that the table knows of."""
        return dict(self._years)

    def projected_between(self, a: date, b: date) -> bool:
        """True if a day in (a, b] belongs to a year that no notice has settled: a due date that was
        counted over such a day is provisional.
        """
        self._index(a), self._index(b)
        if b <= a:
            return False
        base = self.first.year
        start = date.fromordinal(a.toordinal() + 1).year  # the day after a is the first that counts
        return self._projected[b.year + 1 - base] > self._projected[start - base]

    def variants(self, a: date, b: date) -> tuple[Calendar, ...]:
        """Scenarios for a due date counted from ``a`` to about ``b``: what notices may still make of it.

        Empty if no projected day lies in (a, b]. Each is a calendar over a shorter range around ``a`` and ``b``;
        the earliest and latest date of a provisional due date are the minimum and maximum over all of them.
        They may change late December of the year before as well, since a notice may (it did for the New Years
        of 2007, 2008, 2012, 2019 and 2023); a due date in a settled December is not called provisional for
        that. Cached, so asking again costs a look-up.
        """
        if self._scenarios is None or not self.projected_between(a, b):
            return ()
        return self._scenarios(self, a, b)

    def derive(self, *, version: str, first: date, last: date, changes: Iterable[Day]) -> Calendar:
        """The same calendar with some days changed, over a shorter range; it has no variants of its own."""
        first, last = max(first, self.first), min(last, self.last)
        kept = (day for on, day in self._explicit.items() if first <= on <= last)
        years = {y: info for y, info in self._years.items() if first.year <= y <= last.year}
        return Calendar(version=version, first=first, last=last, days=(*kept, *changes), years=years)

    def _index(self, d: date, n: int = 1) -> int:
        if isinstance(d, datetime):
            raise CalendarError(f"{d} 是时刻而不是日期，请先换算成北京时间的日期")
        if n < 0:
            raise ValueError(f"working days are counted from 0 up, not {n}")
        i = d.toordinal() - self._offset
        if not 0 <= i < self._size:
            raise CalendarError(f"{d} 不在工作日历的范围内（{self.first} 至 {self.last}），请检查日期的年份")
        return i

    def _too_far(self, d: date, n: int, where: str) -> CalendarError:
        return CalendarError(
            f"{d} {where}第 {n} 个工作日超出了工作日历的范围（{self.first} 至 {self.last}），请检查日期和天数"
        )


_UNKNOWN_YEAR = Year(YearStatus.UNKNOWN, "")
