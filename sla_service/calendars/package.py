"""Days from the ``chinese_calendar`` package, taken from its tables.

Only the tables are used: ``is_workday`` looks for the ends of the whole table on every call, ``find_workday``
is one day late after a start on a day off, and ``is_in_lieu`` means something else (it is True for days off).
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

import chinese_calendar
from chinese_calendar import constants

from sla_service.calendars.model import Layer, LayerDay, Rank
from sla_service.domain.calendar import YearStatus

VERSION: Final = str(chinese_calendar.__version__)
SOURCE: Final = f"chinese_calendar {VERSION}"

# Saturday 2005-12-31 was worked (国务院办公厅关于2006年部分节假日安排的通知); the package has it as a weekend.
_CORRECTIONS: Final = {date(2005, 12, 31): LayerDay(False, "元旦")}

# Years that a second notice changed; the package's days are the changed ones.
_AMENDED: Final = {
    2015: "国发明电〔2015〕1号",  # 9月3日 and 4日 off
    2019: "国办发明电〔2019〕3号",  # four days at 劳动节
    2020: "国办发明电〔2020〕1号",  # 春节 until 2月2日
}

# The package shortens the names of some festivals.
_NAMES: Final = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}


@cache
def layer() -> Layer:
    """All years of the installed package."""
    names = {h.value: _NAMES.get(h.chinese, h.chinese) for h in constants.Holiday}
    days = {on: LayerDay(True, names[name]) for on, name in constants.holidays.items()}
    days |= {on: LayerDay(False, names[name]) for on, name in constants.workdays.items()}
    days |= _CORRECTIONS
    off = [on for on, day in days.items() if day.off]
    years = range(min(off).year, max(off).year + 1)
    return Layer(
        name="chinese_calendar",
        rank=Rank.PACKAGE,
        days=days,
        source=SOURCE,
        years={y: YearStatus.AMENDED if y in _AMENDED else YearStatus.PUBLISHED for y in years},
        replaces=frozenset(years),
    )
