"""A year drawn as twelve months."""

from __future__ import annotations

from datetime import date

import pytest

from sla_service.calendars.layers import default_calendar
from sla_service.calendars.render import months, pad, render_year, width
from sla_service.domain.calendar import DayKind

OCTOBER_2026 = """\
10 月（18 个工作日）
 一   二   三   四   五   六   日
                1休  2休  3休  4休
 5休  6休  7休  8    9   10班 11
12   13   14   15   16   17   18
19   20   21   22   23   24   25
26   27   28   29   30   31"""


def test_a_month_marks_days_off_and_make_up_days_without_colour():
    drawn = render_year(default_calendar(), 2026, columns=1)
    assert OCTOBER_2026 in drawn
    assert drawn.startswith("2026 年 已公布，共 248 个工作日")


@pytest.mark.parametrize("year", [2005, 2020, 2026, 2027])
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_every_line_of_months_side_by_side_is_aligned(year, columns):
    drawn = render_year(default_calendar(), year, columns=columns)
    for line in drawn.splitlines()[1:]:
        assert width(line) <= 34 * columns + 2 * (columns - 1)
    if columns == 2:
        assert width(max(drawn.splitlines(), key=width)) <= 80


def test_a_year_without_a_notice_says_that_it_is_provisional():
    assert "暂定" in render_year(default_calendar(), 2027).splitlines()[0]


def test_the_months_hold_every_day_of_the_year_once():
    year = months(default_calendar(), 2028)
    days = [day for month in year for week in month.weeks for day in week if day]
    assert [day.on for day in days] == [date.fromordinal(date(2028, 1, 1).toordinal() + n) for n in range(366)]
    assert all(len(week) == 7 for month in year for week in month.weeks)
    assert sum(month.working for month in year) == sum(day.kind.counts for day in days)
    assert {day.on.weekday() for month in year for week in month.weeks if (day := week[0])} == {0}


def test_chinese_characters_take_two_columns():
    assert (width("休"), width("10班"), width("（a）")) == (2, 4, 5)
    assert pad("班", 4) == "班  "
    assert DayKind.MAKEUP.counts
