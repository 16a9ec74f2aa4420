"""A calendar as it is kept for good: everything that was in it, whatever package and projection come later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sla_service.calendars.variants import NoticeScenarios
from sla_service.domain.calendar import Calendar, Day, DayKind, Year, YearStatus


def to_content(calendar: Calendar) -> dict[str, Any]:
    """JSON-ready; sources are written once and referred to by number."""
    sources: dict[str, int] = {}

    def number(source: str) -> int:
        return sources.setdefault(source, len(sources))

    years = {str(y): [info.status.value, number(info.source)] for y, info in sorted(calendar.years().items())}
    days = [
        [day.on.isoformat(), day.kind.value, day.name, number(day.source), day.projected]
        for year in range(calendar.first.year, calendar.last.year + 1)
        for day in calendar.named_days(year)
    ]
    first, last = calendar.first.isoformat(), calendar.last.isoformat()
    return {"first": first, "last": last, "years": years, "days": days, "sources": list(sources)}


def from_content(version: str, content: Mapping[str, Any]) -> Calendar:
    """The calendar that :func:`to_content` was given."""
    sources = content["sources"]
    return Calendar(
        version=version,
        first=date.fromisoformat(content["first"]),
        last=date.fromisoformat(content["last"]),
        days=[
            Day(date.fromisoformat(on), DayKind(kind), name, sources[n], projected)
            for on, kind, name, n, projected in content["days"]
        ],
        years={int(y): Year(YearStatus(status), sources[n]) for y, (status, n) in content["years"].items()},
        scenarios=NoticeScenarios(),
    )
