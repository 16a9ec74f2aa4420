"""The table itself, on small calendars made by hand and on arbitrary ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sla_service.domain.calendar import Calendar, Day, DayKind, Year, YearStatus
from sla_service.errors import CalendarError

FIRST, LAST = date(2026, 9, 1), date(2026, 10, 31)
PUBLISHED = {2026: Year(YearStatus.PUBLISHED, "国办发明电〔2025〕7号")}


def golden_week() -> Calendar:
    """1 to 7 October off, Sunday 20 September and Saturday 10 October worked."""
    off = [Day(date(2026, 10, d), DayKind.HOLIDAY, "国庆节", "国办发明电〔2025〕7号") for d in range(1, 8)]
    work = [Day(on, DayKind.MAKEUP, "国庆节") for on in (date(2026, 9, 20), date(2026, 10, 10))]
    return Calendar(version="golden", first=FIRST, last=LAST, days=(*off, *work), years=PUBLISHED)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the holiday
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # the worked Saturday counts
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # so does the worked Sunday
        (date(2026, 9, 19), 1, date(2026, 9, 20)),  # from a day off: the first worked day after it
        (date(2026, 9, 20), 1, date(2026, 9, 21)),  # a worked start is not counted itself
        (date(2026, 9, 18), 0, date(2026, 9, 18)),
        (date(2026, 10, 4), 0, date(2026, 9, 30)),  # none: back to the last worked day
    ],
)
def test_the_nth_working_day_after_a_day(start, n, expected):
    assert golden_week().nth_after(start, n) == expected


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        (date(2026, 10, 8), 1, date(2026, 9, 30)),
        (date(2026, 10, 12), 1, date(2026, 10, 10)),
        (date(2026, 10, 3), 2, date(2026, 9, 29)),
        (date(2026, 9, 21), 1, date(2026, 9, 20)),
    ],
)
def test_the_nth_working_day_before_a_day(start, n, expected):
    assert golden_week().nth_before(start, n) == expected


def test_working_days_between_are_counted_without_the_first_and_with_the_last():
    week = golden_week()
    assert week.between(date(2026, 9, 30), date(2026, 10, 10)) == 3
    assert week.between(date(2026, 10, 10), date(2026, 9, 30)) == -3
    assert week.between(date(2026, 10, 1), date(2026, 10, 7)) == 0
    assert week.between(date(2026, 10, 8), date(2026, 10, 8)) == 0


def test_the_first_working_day_from_a_day_on():
    week = golden_week()
    assert week.on_or_after(date(2026, 10, 1)) == date(2026, 10, 8)
    assert week.on_or_after(date(2026, 10, 10)) == date(2026, 10, 10)


def test_a_day_says_what_it_is_and_by_whom():
    week = golden_week()
    holiday = week.day(date(2026, 10, 3))
    assert (holiday.kind, holiday.name, holiday.source) == (DayKind.HOLIDAY, "国庆节", "国办发明电〔2025〕7号")
    assert week.day(date(2026, 10, 10)).kind is DayKind.MAKEUP
    assert week.day(date(2026, 9, 5)) == Day(date(2026, 9, 5), DayKind.WEEKEND, "", "国办发明电〔2025〕7号", False)
    assert week.day(date(2026, 9, 7)).kind is DayKind.WORKING
    assert [day.on for day in week.named_days(2026)][:2] == [date(2026, 9, 20), date(2026, 10, 1)]


def test_both_ends_of_the_table_can_be_asked_for():
    week = golden_week()
    assert week.is_working(FIRST)
    assert not week.is_working(LAST)  # a Saturday
    assert week.nth_after(FIRST, 0) == FIRST
    assert week.nth_after(LAST, 0) == date(2026, 10, 30)
    assert week.between(FIRST, LAST) == 40


@pytest.mark.parametrize("outside", [date(2026, 8, 31), date(2026, 11, 1), date(1, 1, 1), date(9999, 12, 31)])
def test_a_day_outside_the_table_is_refused_with_the_range(outside):
    week = golden_week()
    for ask in (
        week.is_working,
        week.day,
        week.on_or_after,
        lambda d: week.nth_after(d, 3),
        lambda d: week.nth_before(d, 3),
    ):
        with pytest.raises(CalendarError, match="2026-09-01 至 2026-10-31"):
            ask(outside)
    with pytest.raises(CalendarError):
        week.between(FIRST, outside)


def test_counting_out_of_the_table_is_refused_and_never_wraps_around():
    week = golden_week()
    with pytest.raises(CalendarError, match="第 99 个工作日"):
        week.nth_after(date(2026, 10, 30), 99)
    with pytest.raises(CalendarError, match="第 1 个工作日"):
        week.nth_before(FIRST, 1)
    with pytest.raises(CalendarError):
        week.on_or_after(LAST)
    weekend = Calendar(version="weekend", first=date(2026, 9, 5), last=date(2026, 9, 6))
    with pytest.raises(CalendarError):
        weekend.nth_after(date(2026, 9, 6), 0)


def test_an_instant_is_not_taken_for_a_day():
    at = datetime(2026, 9, 30, 23, 0, tzinfo=UTC)  # already 1 October in Beijing
    week = golden_week()
    for ask in (week.is_working, week.day, lambda d: week.nth_after(d, 1), lambda d: week.between(d, d)):
        with pytest.raises(CalendarError, match="北京时间"):
            ask(at)


def test_negative_counts_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="counted from 0"):
        golden_week().nth_after(date(2026, 9, 30), -1)
    with pytest.raises(ValueError, match="counts from 1"):
        golden_week().nth_before(date(2026, 9, 30), 0)


def test_years_that_nobody_settled_make_a_count_provisional():
    years = {2026: Year(YearStatus.PUBLISHED), 2027: Year(YearStatus.PROJECTED), 2028: Year(YearStatus.AMENDED)}
    calendar = Calendar(version="v", first=date(2026, 1, 1), last=date(2029, 12, 31), years=years)
    projected = calendar.projected_between
    assert not projected(date(2026, 12, 1), date(2026, 12, 31))
    assert projected(date(2026, 12, 30), date(2027, 1, 1))
    assert projected(date(2026, 12, 31), date(2027, 1, 1))
    assert not projected(date(2027, 12, 31), date(2028, 1, 5))  # the start is not counted
    assert not projected(date(2028, 1, 1), date(2028, 12, 31))
    assert projected(date(2028, 12, 31), date(2029, 1, 1))  # unknown is no better than projected
    assert not projected(date(2027, 5, 1), date(2027, 5, 1))
    assert not projected(date(2027, 5, 2), date(2027, 5, 1))
    assert calendar.day(date(2027, 3, 1)).projected
    assert calendar.status(2029) is YearStatus.UNKNOWN
    assert calendar.variants(date(2026, 12, 30), date(2027, 1, 10)) == ()  # no provider, no scenarios


def test_a_derived_calendar_changes_only_what_it_is_told():
    week = golden_week()
    changed = week.derive(
        version="w+1",
        first=date(2026, 9, 25),
        last=date(2026, 12, 31),
        changes=[Day(date(2026, 10, 8), DayKind.HOLIDAY, "国庆节")],
    )
    assert (changed.first, changed.last) == (date(2026, 9, 25), LAST)
    assert changed.nth_after(date(2026, 9, 30), 1) == date(2026, 10, 9)
    assert week.nth_after(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert changed.status(2026) is YearStatus.PUBLISHED


def test_a_range_that_ends_before_it_begins_is_a_mistake():
    with pytest.raises(ValueError, match="range"):
        Calendar(version="v", first=LAST, last=FIRST)


# Arbitrary calendars: any days off or worked, whatever their weekday.
BASE = date(2024, 1, 1)
SPAN = 400
within = st.integers(0, SPAN - 1).map(lambda n: BASE + timedelta(days=n))


@st.composite
def calendars(draw):
    kinds = draw(st.dictionaries(within, st.sampled_from(list(DayKind)), max_size=120))
    days = [Day(on, kind, "x") for on, kind in kinds.items()]
    return Calendar(version="any", first=BASE, last=BASE + timedelta(days=SPAN - 1), days=days)


def walk(calendar: Calendar, d: date, n: int) -> date:
    """The definition: step day by day."""
    while n:
        d += timedelta(days=1)
        n -= calendar.is_working(d)
    return d


@given(calendars(), within, st.integers(1, 30))
def test_nth_after_is_what_walking_day_by_day_gives(calendar, d, n):
    assume(calendar.between(d, calendar.last) >= n)
    assert calendar.nth_after(d, n) == walk(calendar, d, n)


@given(calendars(), within, st.integers(1, 30))
def test_nth_after_and_between_undo_each_other(calendar, d, n):
    assume(calendar.between(d, calendar.last) >= n)
    assert calendar.between(d, calendar.nth_after(d, n)) == n


@given(calendars(), within, st.integers(1, 30))
def test_nth_before_undoes_nth_after_from_a_working_day(calendar, d, n):
    assume(calendar.is_working(d))
    assume(calendar.between(d, calendar.last) >= n)
    assert calendar.nth_before(calendar.nth_after(d, n), n) == d


@given(calendars(), within, within, st.integers(1, 20))
def test_a_later_start_is_never_due_earlier(calendar, a, b, n):
    a, b = min(a, b), max(a, b)
    assume(calendar.between(b, calendar.last) >= n)
    assert calendar.nth_after(a, n) <= calendar.nth_after(b, n)


@given(calendars(), within, within, within)
def test_counts_add_up_over_any_middle(calendar, a, b, c):
    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)
    assert calendar.between(a, b) == -calendar.between(b, a)


@given(calendars(), within)
def test_what_counts_is_what_the_kind_says(calendar, d):
    assert calendar.is_working(d) == calendar.day(d).kind.counts
    assume(calendar.between(d, calendar.last) >= 1)
    first = calendar.on_or_after(d)
    assert first == (d if calendar.is_working(d) else calendar.nth_after(d, 1))
