"""Provisional due dates: the written rules against eighteen years of real notices, and the December to come."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from functools import cache

import pytest
from notice_samples import MADE_UP_2027, between

from sla_service.calendars import package, rules
from sla_service.calendars.layers import base_layers, build, default_calendar
from sla_service.calendars.model import Layer, LayerDay, Rank, is_weekend, notice_year
from sla_service.calendars.notice import parse
from sla_service.domain.calendar import Calendar, YearStatus

YEARS = range(2009, 2027)  # the law of 2008 and its successors, as far as notices go

# Not foreseeable, and so not in the rules: an extension in an emergency (国办发明电〔2020〕1号) ...
BEFORE_THE_EXTENSION = {
    date(2020, 1, 31): LayerDay(False, ""),
    date(2020, 2, 1): LayerDay(False, "春节"),
    date(2020, 2, 2): LayerDay(True, ""),
}
# ... and days off that no law gives (国发明电〔2015〕1号).
NO_LAW = (date(2015, 9, 3), date(2015, 9, 6))


@cache
def as_published() -> Layer:
    shipped = package.layer()
    return dataclasses.replace(shipped, days={**shipped.days, **BEFORE_THE_EXTENSION})


@cache
def truth() -> Calendar:
    return build(layers=(base_layers()[0], as_published()))


def before_the_notice_of(year: int) -> Calendar:
    """The calendar as it stood before the notice for ``year``, its December days included."""
    known = as_published()
    known = dataclasses.replace(
        known,
        days={on: day for on, day in known.days.items() if notice_year(on) != year},
        years={y: status for y, status in known.years.items() if y != year},
        replaces=known.replaces - {year},
    )
    return build(layers=(base_layers()[0], known))


def bounds(calendar: Calendar, start: date, n: int) -> tuple[date, date]:
    dates = [variant.nth_after(start, n) for variant in calendar.variants(start, calendar.nth_after(start, n))]
    return min(dates), max(dates)


@pytest.mark.parametrize("year", YEARS)
def test_the_real_due_date_lay_within_the_bounds_for_every_start_of_every_year(year):
    calendar = before_the_notice_of(year)
    outside = []
    for start in between(date(year - 1, 11, 1), date(year, 12, 31)):
        for n in (3, 10, 15):
            due = calendar.nth_after(start, n)
            if not calendar.projected_between(start, due):
                continue
            earliest, latest = bounds(calendar, start, n)
            assert earliest <= due <= latest
            real = truth().nth_after(start, n)
            by_no_law = start < NO_LAW[1] and real >= NO_LAW[0]
            if not earliest <= real <= latest and not by_no_law:
                outside.append((start, n, real, earliest, latest))
    assert outside == []


@pytest.mark.parametrize("year", YEARS)
def test_what_each_notice_made_of_each_holiday_is_among_the_options(year):
    for block in rules.blocks(year):
        run = [on for on in between(block.first, block.last) if on not in NO_LAW]
        off = frozenset(on for on in run if not is_weekend(on) and not truth().is_working(on))
        work = frozenset(on for on in run if is_weekend(on) and truth().is_working(on))
        assert rules.Option(off, work) in block.options, block.name


@pytest.mark.parametrize("year", [*YEARS, *range(2027, 2051)])
def test_the_options_of_a_year_are_few_and_balanced(year):
    for block in rules.blocks(year):
        owed = {len(option.off) - len(option.work) for option in block.options}
        assert len(owed) == 1, block.name  # weekdays off beyond the statutory ones are all worked elsewhere
        assert all(len(option.work) <= 4 for option in block.options)
        assert len(block.options) <= 60


def test_a_count_over_published_days_only_has_no_scenarios():
    assert default_calendar().variants(date(2026, 12, 10), date(2026, 12, 31)) == ()
    assert default_calendar().variants(date(2026, 2, 12), date(2026, 3, 11)) == ()


def test_the_projection_is_always_among_the_scenarios():
    calendar = default_calendar()
    for start in between(date(2026, 12, 11), date(2027, 12, 31)):
        due = calendar.nth_after(start, 10)
        if not calendar.projected_between(start, due):
            continue
        variants = calendar.variants(start, due)
        assert due in {variant.nth_after(start, 10) for variant in variants}
        assert 1 <= len(variants) <= 300


def test_before_spring_festival_2027_the_bounds_say_what_a_notice_may_do():
    calendar = default_calendar()
    start = date(2027, 2, 1)  # Monday; the eve is Friday 5 February
    due = calendar.nth_after(start, 10)
    assert due == date(2027, 2, 19)  # statutory days and substitutes only
    # earliest: as projected, or with both make-up days after the holiday; latest: the last weekend of January worked
    assert bounds(calendar, start, 10) == (date(2027, 2, 19), date(2027, 2, 23))


def test_a_window_over_many_holidays_stays_within_three_hundred_scenarios():
    calendar = default_calendar()
    start = date(2026, 12, 20)
    for n in (100, 260, 400, 800):  # an extension, or a pause of years
        due = calendar.nth_after(start, n)
        variants = calendar.variants(start, due)
        assert 30 < len(variants) <= 300
        assert due in {variant.nth_after(start, n) for variant in variants}


def test_asking_again_gives_the_very_same_tables():
    calendar = default_calendar()
    first = calendar.variants(date(2027, 1, 20), date(2027, 2, 18))
    assert calendar.variants(date(2027, 1, 20), date(2027, 2, 18)) is first
    assert calendar.variants(date(2027, 1, 21), date(2027, 2, 19)) is first  # neighbours share them
    assert len({variant.version for variant in first}) == len(first)


def test_local_days_stand_in_every_scenario():
    off = Layer(
        "大厅", Rank.HALL, {date(2027, 2, 4): LayerDay(True, "系统切换"), date(2027, 2, 7): LayerDay(False, "值班")}
    )
    calendar = build(layers=(*base_layers(), off))
    variants = calendar.variants(date(2027, 2, 1), date(2027, 2, 18))
    assert variants
    assert not any(variant.is_working(date(2027, 2, 4)) for variant in variants)
    assert all(variant.is_working(date(2027, 2, 7)) for variant in variants)


def test_a_notice_may_still_touch_the_december_before():
    # New Year 2030 is a Tuesday: 29 December 2029 may be worked and 31 December off (as for 2008 and 2019).
    calendar = build(layers=(*base_layers(), *(settled(year) for year in (2027, 2028, 2029))))
    due = calendar.nth_after(date(2029, 12, 20), 10)
    variants = calendar.variants(date(2029, 12, 20), due)
    assert {variant.is_working(date(2029, 12, 31)) for variant in variants} == {True, False}
    # but a due date within a settled December is not called provisional
    assert calendar.variants(date(2029, 12, 20), date(2029, 12, 31)) == ()


def settled(year: int) -> Layer:
    return Layer(f"n{year}", Rank.NOTICE, {}, years={year: YearStatus.PUBLISHED}, replaces=frozenset({year}))


def test_all_of_december_2026_before_and_after_a_notice_for_2027():
    before = default_calendar()
    after = build(layers=(*base_layers(), parse(MADE_UP_2027).layer()))
    moved = 0
    for start in between(date(2026, 12, 1), date(2026, 12, 31)):
        for n in (3, 10, 15, 40):
            was, is_now = before.nth_after(start, n), after.nth_after(start, n)
            provisional = before.projected_between(start, was)
            assert not after.projected_between(start, is_now)
            if provisional:
                earliest, latest = bounds(before, start, n)
                assert earliest <= is_now <= latest
                moved += was != is_now
            else:
                assert was == is_now <= date(2026, 12, 31)
    assert moved > 0


def test_scenarios_reach_far_enough_to_count_on_from_the_latest_date():
    calendar = default_calendar()
    for start in between(date(2026, 12, 11), date(2027, 12, 31)):
        due = calendar.nth_after(start, 15)
        for variant in calendar.variants(start, due):
            assert variant.first <= start
            assert variant.last >= due + timedelta(days=60)
