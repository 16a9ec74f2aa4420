"""The calendar as shipped: every day of the package, the reference table, the projection of what is to come."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest
from holidays.groups import ChineseCalendarHolidays
from notice_samples import between

from sla_service.calendars import lunar, package, projection
from sla_service.calendars.layers import FIRST_YEAR, LAST_YEAR, base_layers, build, default_calendar
from sla_service.calendars.projection import Feast
from sla_service.domain.calendar import DayKind, YearStatus
from sla_service.errors import CalendarError

# received, then due for 3, 10 and 15 working days; checked against the State Council's notices
REFERENCE = [
    ("2022-06-25", "2022-06-29", "2022-07-08", "2022-07-15"),  # Saturday
    ("2022-08-23", "2022-08-26", "2022-09-06", "2022-09-14"),
    ("2026-02-12", "2026-02-24", "2026-03-04", "2026-03-11"),  # before Spring Festival, 02-14 is worked
    ("2026-02-13", "2026-02-25", "2026-03-05", "2026-03-12"),  # next day is a make-up day
    ("2026-02-14", "2026-02-26", "2026-03-06", "2026-03-13"),  # received on a make-up day
    ("2026-02-15", "2026-02-26", "2026-03-06", "2026-03-13"),  # received on the first day off
    ("2026-04-30", "2026-05-08", "2026-05-18", "2026-05-25"),  # before Labour Day
    ("2026-05-08", "2026-05-12", "2026-05-21", "2026-05-28"),  # next day is a make-up day
    ("2026-09-18", "2026-09-22", "2026-10-09", "2026-10-15"),  # 09-20 is worked, then two holidays
    ("2026-09-19", "2026-09-22", "2026-10-09", "2026-10-15"),  # off; same as the Friday before
    ("2026-09-20", "2026-09-23", "2026-10-10", "2026-10-16"),  # received on a make-up day
    ("2026-09-30", "2026-10-10", "2026-10-20", "2026-10-27"),  # before National Day, 10-10 is worked
    ("2026-12-10", "2026-12-15", "2026-12-24", "2026-12-31"),  # the last start whose 15 days stay in 2026
]


@pytest.mark.parametrize(("received", "three", "ten", "fifteen"), REFERENCE)
def test_the_reference_table_of_due_dates(received, three, ten, fifteen):
    calendar = default_calendar()
    start = date.fromisoformat(received)
    for n, due in ((3, three), (10, ten), (15, fifteen)):
        assert calendar.nth_after(start, n) == date.fromisoformat(due)
        assert not calendar.projected_between(start, date.fromisoformat(due))


def test_every_day_of_the_package_is_worked_or_off_as_it_says():
    calendar = default_calendar()
    wrong = [
        on
        for on in between(date(2004, 1, 1), date(2026, 12, 31))
        if calendar.is_working(on) != chinese_calendar.is_workday(on)
    ]
    assert wrong == [date(2005, 12, 31)]  # worked, but not in the package


def test_days_of_the_package_are_named_as_in_the_notices():
    calendar = default_calendar()
    assert {day.name for year in range(2004, 2027) for day in calendar.named_days(year)} <= {
        *(str(feast) for feast in Feast),
        "中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日",
    }
    assert calendar.day(date(2026, 9, 20)).kind is DayKind.MAKEUP
    assert calendar.day(date(2026, 9, 20)).source.startswith("chinese_calendar ")


def test_each_year_says_how_far_it_can_be_relied_on():
    calendar = default_calendar()
    assert calendar.status(2026) is YearStatus.PUBLISHED
    assert {year for year in range(2004, 2027) if calendar.status(year) is YearStatus.AMENDED} == {2015, 2019, 2020}
    assert {calendar.status(year) for year in (2000, 2003, 2027, 2050)} == {YearStatus.PROJECTED}
    assert calendar.status(2051) is YearStatus.UNKNOWN


def test_december_2026_never_runs_out():
    calendar = default_calendar()
    for start in between(date(2026, 12, 1), date(2026, 12, 31)):
        due = calendar.nth_after(start, 15)
        assert calendar.projected_between(start, due) == (start > date(2026, 12, 10))


def test_beyond_the_last_year_is_refused_by_date():
    with pytest.raises(CalendarError, match="2050-12-31"):
        default_calendar().nth_after(date(2050, 12, 30), 15)
    with pytest.raises(CalendarError, match="1999-12-31"):
        default_calendar().is_working(date(1999, 12, 31))


def test_the_projection_of_2027_is_the_statutory_days_with_substitutes():
    calendar = default_calendar()
    off = {day.on: day.name for day in calendar.named_days(2027)}
    assert sorted(off) == [
        date(2027, 1, 1),
        *between(date(2027, 2, 5), date(2027, 2, 10)),  # eve to third, Saturday and Sunday made up for
        date(2027, 4, 5),
        *between(date(2027, 5, 1), date(2027, 5, 4)),
        date(2027, 6, 9),
        date(2027, 9, 15),
        *between(date(2027, 10, 1), date(2027, 10, 5)),
    ]
    assert off[date(2027, 2, 10)] == "春节"
    assert all(day.projected and day.source == "projection" for day in calendar.named_days(2027))
    assert calendar.day(date(2027, 3, 1)).projected


@pytest.mark.parametrize("year", range(2027, LAST_YEAR + 1))
def test_the_projection_agrees_with_the_holidays_package(year):
    ours, theirs = set(projection.projected_days(year)), set(holidays.China(years=year))
    moon = lunar.festivals(year).mid_autumn
    # A day that is two holidays at once is made up for (as in 2020); the package does not always do so.
    twice = (moon.month, moon.day) in {(10, 1), (10, 2), (10, 3)}
    assert theirs <= ours
    assert len(ours - theirs) <= twice


class _Moving(ChineseCalendarHolidays):
    """The package's lunar tables without a country's rules."""


@pytest.mark.parametrize("year", range(FIRST_YEAR, LAST_YEAR + 1))
def test_the_lunar_table_agrees_with_the_holidays_package(year):
    table = _Moving()._chinese_calendar
    held = lunar.festivals(year)
    assert held.spring == table.lunar_new_year_date(year)[0]
    assert held.qingming == table.qingming_date(year)[0]
    assert held.dragon_boat == table.dragon_boat_date(year)[0]
    assert held.mid_autumn == table.mid_autumn_date(year)[0]


@pytest.mark.parametrize(("year", "days"), [(2000, 10), (2007, 10), (2008, 11), (2024, 11), (2025, 13), (2050, 13)])
def test_the_law_of_each_year_gives_its_number_of_days(year, days):
    assert sum(len(holiday.days) for holiday in projection.statutory(year)) == days


@pytest.mark.parametrize(
    ("year", "first", "last"),
    [
        (2007, date(2007, 2, 18), date(2007, 2, 20)),  # first to third day
        (2008, date(2008, 2, 6), date(2008, 2, 8)),  # the eve came in
        (2014, date(2014, 1, 31), date(2014, 2, 2)),  # and went out
        (2025, date(2025, 1, 28), date(2025, 1, 31)),  # and came back, with the third day
    ],
)
def test_the_spring_festival_of_each_law(year, first, last):
    spring = next(h for h in projection.statutory(year) if h.feast is Feast.SPRING)
    assert (spring.days[0], spring.days[-1]) == (first, last)


@pytest.mark.parametrize("year", range(2008, 2027))
def test_statutory_days_were_off_in_every_year_of_the_package(year):
    for holiday in projection.statutory(year):
        for on in holiday.days:
            assert not default_calendar().is_working(on), (holiday.feast, on)


def test_a_mid_autumn_festival_on_national_day_is_made_up_for():
    # 2020 and 2031: 1 October is both; four days off are owed
    assert sum(on.weekday() < 5 for on in projection.projected_days(2031) if on.month == 10) == 4
    assert projection.projected_days(2031)[date(2031, 10, 1)].name == "国庆节、中秋节"


def test_building_is_quick_and_the_same_each_time():
    assert build(layers=base_layers()).version == default_calendar().version
    assert build(2004, 2030, base_layers()).version != default_calendar().version
    assert default_calendar() is default_calendar()


def test_without_the_projection_later_years_are_unknown_and_plain():
    calendar = build(layers=[package.layer()])
    assert calendar.status(2027) is YearStatus.UNKNOWN
    assert calendar.is_working(date(2027, 10, 1))
    assert calendar.projected_between(date(2026, 12, 31), date(2027, 1, 1))
    assert calendar.nth_after(date(2026, 12, 31), 1) - date(2026, 12, 31) == timedelta(days=1)
