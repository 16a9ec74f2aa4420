"""The calendar that commands count by which need no database: that of the database where there is one."""

from __future__ import annotations

import importlib
from typing import Any

from sla_service.calendars.layers import default_calendar
from sla_service.cli.output import say
from sla_service.cli.reading import read_settings
from sla_service.domain.calendar import Calendar
from sla_service.errors import SlaError


def calendar_in_force() -> Calendar:
    """With the notices that were imported; without a database, or where it is away, what the program brings."""
    settings = read_settings()
    path = settings.sqlite_path
    if path is not None and not path.exists():
        return default_calendar()
    # Only now: SQLAlchemy is half a second that a machine without a database is spared.
    opening: Any = importlib.import_module("sla_service.cli.opening")
    database: Any = importlib.import_module("sla_service.cli.database")
    try:
        with opening.opened() as app:
            found: Calendar = app.calendar()
            return found
    except SlaError as e:
        say(f"注意：{e}；按程序自带的日历计算，不含导入的放假通知。")
    except Exception as e:
        problem = database.problem(e)
        if problem is None:
            raise
        say(f"注意：{problem}按程序自带的日历计算，不含导入的放假通知。")
    return default_calendar()
