"""Counting by hand: the tables that the rules give, and the instants at which a day is won or lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from builders import CALENDAR, MIDNIGHT, at, on, pauses

from sla_service.domain.clock import Due, Pause, account, business_date, count_out, due, last_closed, used
from sla_service.domain.policy import Hours

HOURS = Hours()

# received, due after 3, 10 and 15 working days; checked against the notices of the State Council
REFERENCE = [
    ("2022-06-25", "2022-06-29", "2022-07-08", "2022-07-15"),  # a Saturday
    ("2022-08-23", "2022-08-26", "2022-09-06", "2022-09-14"),
    ("2026-02-12", "2026-02-24", "2026-03-04", "2026-03-11"),  # before Spring Festival, 02-14 is worked
    ("2026-02-13", "2026-02-25", "2026-03-05", "2026-03-12"),  # the next day is a make-up day
    ("2026-02-14", "2026-02-26", "2026-03-06", "2026-03-13"),  # on a make-up day
    ("2026-02-15", "2026-02-26", "2026-03-06", "2026-03-13"),  # on the first day off
    ("2026-04-30", "2026-05-08", "2026-05-18", "2026-05-25"),  # before Labour Day
    ("2026-05-08", "2026-05-12", "2026-05-21", "2026-05-28"),  # the next day is a make-up day
    ("2026-09-18", "2026-09-22", "2026-10-09", "2026-10-15"),  # 09-20 is worked, then two festivals
    ("2026-09-19", "2026-09-22", "2026-10-09", "2026-10-15"),  # off; same as the Friday before
    ("2026-09-20", "2026-09-23", "2026-10-10", "2026-10-16"),  # on a make-up day
    ("2026-09-30", "2026-10-10", "2026-10-20", "2026-10-27"),  # 10-10, a Saturday, is worked
    ("2026-12-10", "2026-12-15", "2026-12-24", "2026-12-31"),  # the last one whose 15 days stay in 2026
]

# start, limit, pauses, due date
WORKED_PAUSES = [
    ("2026-11-02", 3, (), "2026-11-05"),
    ("2026-11-02", 3, ("2026-11-03 10:00 / 2026-11-04 10:00",), "2026-11-06"),  # Tuesday is not counted
    ("2026-11-02", 3, ("2026-11-03 10:00 / 2026-11-03 15:00",), "2026-11-05"),  # running at 17:30
    ("2026-11-02", 3, ("2026-11-03 18:00 / 2026-11-04 09:00",), "2026-11-05"),  # no close of business inside
    ("2026-11-02", 3, ("2026-11-07 10:00 / 2026-11-08 10:00",), "2026-11-05"),  # already over
    ("2026-09-30", 10, ("2026-10-01 09:00 / 2026-10-07 18:00",), "2026-10-20"),  # only days off inside
    ("2026-09-30", 10, ("2026-10-09 09:00 / 2026-10-12 09:00",), "2026-10-22"),  # Friday and the worked Saturday
]

# what the table does not say: the edges, all from Monday 2026-11-02 with 3 days
EDGES = [
    (("2026-11-03 17:30 / 2026-11-03 17:31",), "2026-11-06"),  # pausing exactly at close loses the day
    (("2026-11-03 17:31 / 2026-11-03 17:32",), "2026-11-05"),
    (("2026-11-03 10:00 / 2026-11-03 17:30",), "2026-11-05"),  # resuming exactly at close counts it
    (("2026-11-03 10:00 / 2026-11-03 17:31",), "2026-11-06"),
    (("2026-11-02 09:00 / 2026-11-02 18:00",), "2026-11-05"),  # the day of receipt counts in no case
    (("2026-11-05 17:30 / 2026-11-06 09:00",), "2026-11-06"),  # on the last instant of the last day
    (("2026-11-05 17:31 / 2026-11-06 09:00",), "2026-11-05"),  # it has run out and keeps its date
    (("2026-11-03 10:00 / 2026-11-04 10:00", "2026-11-04 16:00 / 2026-11-05 16:00"), "2026-11-09"),  # over a weekend
    (("2026-11-03 09:00 / 2026-11-03 12:00", "2026-11-03 13:00 / 2026-11-03 18:00"), "2026-11-06"),
    (("2026-11-03 09:00",), None),  # still paused
    (("2026-11-05 17:31",), "2026-11-05"),  # paused, but it had run out
]


@pytest.mark.parametrize(("received", "three", "ten", "fifteen"), REFERENCE)
def test_the_reference_table_holds(received: str, three: str, ten: str, fifteen: str) -> None:
    for limit, expected in ((3, three), (10, ten), (15, fifteen)):
        assert due(CALENDAR, HOURS, on(received), limit) == plain_due(expected)


@pytest.mark.parametrize(("start", "limit", "spans", "expected"), WORKED_PAUSES)
def test_the_worked_pauses_hold(start: str, limit: int, spans: tuple[str, ...], expected: str) -> None:
    assert due(CALENDAR, HOURS, on(start), limit, pauses(*spans)) == plain_due(expected)


@pytest.mark.parametrize(("spans", "expected"), EDGES)
def test_a_day_is_used_up_only_if_the_clock_runs_at_its_close(spans: tuple[str, ...], expected: str | None) -> None:
    found = count_out(CALENDAR, HOURS, on("2026-11-02"), 3, pauses(*spans))
    assert found == (on(expected) if expected else None)


def plain_due(text: str) -> Due:
    day, close = on(text), at(f"{text} 17:30")
    return Due(day, close, provisional=False, earliest=day, latest=day, latest_at=close)


# -- a hall that closes at midnight ---------------------------------------------------------------------------------

MIDNIGHT_EDGES = [
    (("2026-11-03 23:59 / 2026-11-04 00:01",), "2026-11-06"),  # midnight lies inside: Tuesday is lost
    (("2026-11-04 00:00 / 2026-11-04 00:01",), "2026-11-06"),  # pausing exactly at 24:00 loses the day that ends
    (("2026-11-04 00:01 / 2026-11-04 23:59",), "2026-11-05"),
    (("2026-11-03 10:00 / 2026-11-04 00:00",), "2026-11-05"),  # resuming exactly at 24:00 counts it
    (("2026-11-03 10:00 / 2026-11-04 00:01",), "2026-11-06"),
]


@pytest.mark.parametrize(("spans", "expected"), MIDNIGHT_EDGES)
def test_closing_at_24_is_the_end_of_that_day(spans: tuple[str, ...], expected: str) -> None:
    assert count_out(CALENDAR, MIDNIGHT, on("2026-11-02"), 3, pauses(*spans)) == on(expected)


def test_a_hall_open_until_24_is_due_at_the_midnight_that_ends_the_day() -> None:
    found = due(CALENDAR, MIDNIGHT, on("2026-11-02"), 3)
    assert found is not None
    assert (found.on, found.at) == (on("2026-11-05"), at("2026-11-06 00:00"))


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (HOURS, "2026-11-03 17:30", "2026-11-02"),  # not strictly before
        (HOURS, "2026-11-03 17:31", "2026-11-03"),
        (MIDNIGHT, "2026-11-03 00:00", "2026-11-01"),
        (MIDNIGHT, "2026-11-03 00:01", "2026-11-02"),
    ],
)
def test_the_last_closed_day_is_one_whose_close_has_passed(hours: Hours, moment: str, expected: str) -> None:
    assert last_closed(at(moment), hours) == on(expected)


# -- the account ----------------------------------------------------------------------------------------------------


def test_the_account_says_of_every_day_whether_it_counted_and_why() -> None:
    held = pauses("2026-10-09 09:00 / 2026-10-12 09:00", reason="appraisal")
    lines = list(account(CALENDAR, HOURS, on("2026-09-30"), 2, held, on("2026-10-13")))
    assert [(f"{day.on:%m-%d}", day.state, day.n, day.reason or day.name) for day in lines] == [
        ("09-30", "start", None, ""),
        *((f"10-0{d}", "off", None, "国庆节") for d in range(1, 8)),
        ("10-08", "counted", 1, ""),
        ("10-09", "paused", None, "appraisal"),
        ("10-10", "paused", None, "appraisal"),  # a worked Saturday
        ("10-11", "off", None, ""),
        ("10-12", "due", 2, ""),
    ]


def test_the_account_of_a_paused_clock_ends_where_it_is_asked_to() -> None:
    lines = list(account(CALENDAR, HOURS, on("2026-11-02"), 3, pauses("2026-11-04 09:00"), on("2026-11-06")))
    assert [day.state for day in lines] == ["start", "counted", "paused", "paused", "paused"]


def test_working_days_used_are_none_before_the_start() -> None:
    held = pauses("2026-10-20 09:00 / 2026-10-21 09:00")
    assert used(CALENDAR, HOURS, on("2026-11-02"), held, on("2026-10-30")) == 0


def test_an_instant_belongs_to_the_day_it_falls_on_in_beijing() -> None:
    assert business_date(datetime(2026, 11, 2, 16, 0, tzinfo=UTC)) == date(2026, 11, 3)
    assert business_date(datetime(2026, 11, 2, 11, 0, tzinfo=timezone(timedelta(hours=-5)))) == date(2026, 11, 3)
    assert business_date(datetime(2026, 11, 3, 7, 59, tzinfo=timezone(timedelta(hours=8)))) == date(2026, 11, 3)


# -- a year without a notice ----------------------------------------------------------------------------------------


def test_a_due_date_over_projected_days_is_provisional_with_bounds() -> None:
    found = due(CALENDAR, HOURS, on("2027-01-25"), 10)  # Spring Festival 2027 is not settled yet
    assert found is not None
    assert found.provisional
    assert found.earliest <= found.on <= found.latest
    assert found.earliest < found.latest
    assert found.latest_at == at(f"{found.latest} 17:30")


def test_a_due_date_that_ends_before_the_projected_year_is_firm() -> None:
    found = due(CALENDAR, HOURS, on("2026-12-10"), 15)
    assert found is not None
    assert (found.on, found.provisional) == (on("2026-12-31"), False)


def test_a_pause_between_the_bounds_of_a_provisional_date_leaves_the_clock_paused() -> None:
    start = on("2027-01-25")
    free = due(CALENDAR, HOURS, start, 10)
    assert free is not None
    assert free.at < free.latest_at
    begin = HOURS.open_at(free.latest)
    held = (Pause(begin, None, "hearing"),)  # it ran out before, or not: the notice will tell
    assert count_out(CALENDAR, HOURS, start, 10, held) == free.on
    assert due(CALENDAR, HOURS, start, 10, held) is None


def test_a_pause_of_months_within_the_bounds_falls_off_no_scenario() -> None:
    start = on("2027-01-25")
    free = due(CALENDAR, HOURS, start, 10)
    assert free is not None
    held = (Pause(HOURS.open_at(free.latest), at("2028-03-01 10:00"), "tender"),)
    found = due(CALENDAR, HOURS, start, 10, held)
    assert found is not None
    assert found.on == free.on
    assert found.latest >= on("2028-03-01")
