"""The calendar that commands count by which need no database: that of the database where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sla_service.calendars.layers import default_calendar
from sla_service.cli.where_database import with_database
from sla_service.domain.calendar import Calendar
from sla_service.domain.directory import Directory
from sla_service.domain.people import MAIN_CALENDAR


@dataclass(frozen=True, slots=True)
class InForce:
    """The calendars by name, and the directory that says who goes by which; None where there is but one calendar."""

    by_name: Callable[[str], Calendar]
    directory: Directory | None = None

    def of(self, hall: str, department: str | None, directory: Directory | None = None) -> Calendar:
        """The calendar that a department's cases count by, as ``directory`` (by default the configured one) has it."""
        found = directory or self.directory
        return self.by_name(found.calendar_name(hall, department) if found else MAIN_CALENDAR)


def calendars_in_force() -> InForce:
    """With the notices that were imported; without a database, or where it is away, what the program brings."""
    without = "按程序自带的日历计算，不含导入的放假通知。"
    return with_database(_in_force, without=without) or InForce(lambda _name: default_calendar())


def _in_force(app: Any) -> InForce:
    calendars, directory = app.calendars, app.config.directory
    return InForce(lambda name: calendars.change(name).calendar, directory)
