"""The calendar that commands count by which need no database: that of the database where there is one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sla_service.calendars.layers import default_calendar
from sla_service.cli.output import say
from sla_service.cli.reading import read_settings
from sla_service.domain.calendar import Calendar
from sla_service.domain.directory import Directory
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.errors import SlaError


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
    brought = InForce(lambda _name: default_calendar())
    settings = read_settings()
    path = settings.sqlite_path
    if path is not None and not path.exists():
        return brought
    # Only now: SQLAlchemy is half a second that a machine without a database is spared.
    opening: Any = importlib.import_module("sla_service.cli.opening")
    database: Any = importlib.import_module("sla_service.cli.database")
    try:
        with opening.opened() as app:
            calendars, directory = app.calendars, app.config.directory
            return InForce(lambda name: calendars.change(name).calendar, directory)
    except SlaError as e:
        say(f"注意：{e}；按程序自带的日历计算，不含导入的放假通知。")
    except Exception as e:
        problem = database.problem(e)
        if problem is None:
            raise
        say(f"注意：{problem}按程序自带的日历计算，不含导入的放假通知。")
    return brought
