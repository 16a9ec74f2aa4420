"""When each step of a ladder falls, and when it may go out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from builders import (
    CALENDAR,
    LADDER,
    MIDNIGHT,
    POLICY,
    accepted,
    at,
    case_of,
    event,
    extended,
    ladder_of,
    on,
    paused,
    policy,
    step,
)
from ladders import GOLDEN_WEEK, NATIONAL_DAY, SPRING, of, plan, told

from sla_service.domain.events import Event
from sla_service.domain.ladder import (
    Planned,
    decide,
    window,
)
from sla_service.domain.policy import Step


@pytest.mark.parametrize(
    ("received", "upto", "expected"),
    [
        (
            GOLDEN_WEEK,
            "2026-05-25 00:00",
            [
                ("05-07 08:30", "due-1wd"),
                ("05-08 08:30", "due-0wd"),
                ("05-08 14:00", "due-0wd 14:00"),
                ("05-08 17:30", "breach"),
                ("05-11 08:30", "breach+2wd"),  # Saturday 05-09 was the first working day
                ("05-12 08:30", "breach+3wd"),
                ("05-14 08:30", "breach+5wd"),
                ("05-21 08:30", "breach+5wd"),  # repeated
            ],
        ),
        (
            NATIONAL_DAY,
            "2026-10-23 00:00",
            [
                ("09-29 08:30", "due-3wd"),  # a week off lies between
                ("10-08 08:30", "due-1wd"),
                ("10-09 08:30", "due-0wd"),
                ("10-09 14:00", "due-0wd 14:00"),
                ("10-09 17:30", "breach"),
                ("10-12 08:30", "breach+2wd"),
                ("10-13 08:30", "breach+3wd"),
                ("10-15 08:30", "breach+5wd"),
                ("10-22 08:30", "breach+5wd"),
            ],
        ),
        (
            SPRING,
            "2026-03-12 00:00",
            [
                ("03-04 08:30", "due-5wd"),
                ("03-06 08:30", "due-3wd"),
                ("03-10 08:30", "due-1wd"),
                ("03-11 08:30", "due-0wd"),
                ("03-11 14:00", "due-0wd 14:00"),
                ("03-11 17:30", "breach"),
            ],
        ),
    ],
)
def test_the_default_ladder_falls_on_working_days(received: Event, upto: str, expected: list[tuple[str, str]]) -> None:
    assert plan(of(received), at(upto)) == expected


def test_a_step_before_the_case_came_is_no_step() -> None:
    short = accepted("2026-11-02 10:00", "special", limit_days=1, applicant_informed_at="2026-11-02")
    assert plan(of(short), at("2026-11-03 12:00")) == [("11-03 08:30", "due-0wd")]


def test_steps_are_for_kinds_and_departments() -> None:
    rules = policy(ladder=[step("due-0wd", "handler", departments=("市场监管科",)), step("due-1wd", "handler")])
    assert plan(of(accepted("2026-11-02 10:00"), rules=rules)) == [("11-04 08:30", "due-1wd")]
    other = accepted("2026-11-02 10:00", department="市场监管科")
    assert [key for _, key in plan(of(other, rules=rules))] == ["due-1wd", "due-0wd"]


@pytest.mark.parametrize(
    ("share", "limit", "expected"),
    [
        ("50%", "complex", "11-09 08:30"),  # day 5 of 10
        ("50%", "simple", "11-04 08:30"),  # day 2 of 3: half of it is used during that day
        ("1%", "simple", "11-03 08:30"),
        ("100%", "simple", "11-05 08:30"),
        ("70%", "complex", "11-11 08:30"),  # day 7, not 8 for a rounding error
    ],
)
def test_a_share_of_the_limit_falls_on_the_day_that_uses_it_up(share: str, limit: str, expected: str) -> None:
    rules = policy(ladder=[step(share, "handler")])
    assert plan(of(accepted("2026-11-02 10:00", limit), rules=rules)) == [(expected, share)]


def test_a_share_is_not_rounded_up_by_the_machine() -> None:
    rules = policy(ladder=[step("28%", "handler")], cap_counts="extra")
    ladder = of(accepted("2026-11-02 10:00", "complex"), extended("2026-11-02 11:00", 25), rules=rules)
    assert 25 * 0.28 > 7
    assert plan(ladder) == [("11-11 08:30", "28%")]  # day 7


def test_a_share_moves_with_a_pause() -> None:
    rules = policy(ladder=[step("50%", "handler")])
    history = (accepted("2026-11-02 10:00", "complex"), paused("2026-11-03 10:00"))
    assert plan(of(*history, rules=rules)) == []
    assert plan(of(*history, event("resumed", "2026-11-05 10:00"), rules=rules)) == [("11-11 08:30", "50%")]


def test_reminders_go_by_the_earliest_and_the_breach_by_the_latest_of_a_provisional_date() -> None:
    case = case_of(accepted("2027-01-25 10:00", "complex"))
    assert case.main is not None
    due = case.main.due
    assert due is not None
    assert due.earliest < due.latest
    found = {p.step.key: p.at for p in ladder_of(case).planned(at("2027-01-01 00:00"), due.latest_at)}
    assert found["due-0wd"] == POLICY.hours.open_at(due.earliest)
    assert found["breach"] == due.latest_at


def test_a_hall_that_closes_at_24_breaches_at_midnight() -> None:
    rules = policy(hours=MIDNIGHT, ladder=[step("breach", "handler")])
    ladder = of(accepted("2026-11-02 10:00"), rules=rules)
    assert plan(ladder) == [("11-06 00:00", "breach")]
    assert told(decide(ladder, watermark=at("2026-11-05 12:00"), now=at("2026-11-06 00:00"))) == [
        ("handler", "breach", "11-06 08:30")
    ]


# -- the send window ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-03 08:29", "2026-11-03 08:30"),
        ("2026-11-03 08:30", "2026-11-03 08:30"),
        ("2026-11-03 17:29", "2026-11-03 17:29"),
        ("2026-11-03 17:30", "2026-11-04 08:30"),  # [open, close)
        ("2026-11-06 18:00", "2026-11-09 08:30"),  # Friday evening
        ("2026-11-07 10:00", "2026-11-09 08:30"),
        ("2026-09-20 07:00", "2026-09-20 08:30"),  # a worked Sunday
        ("2026-10-01 10:00", "2026-10-08 08:30"),
        ("2026-10-09 17:30", "2026-10-10 08:30"),  # a worked Saturday
    ],
)
def test_nothing_goes_out_outside_the_working_hours_of_working_days(time: str, expected: str) -> None:
    assert window(at(time), POLICY, CALENDAR) == at(expected)


def test_a_policy_or_a_step_may_send_at_any_time() -> None:
    night = at("2026-10-01 03:00")
    assert window(night, policy(send_window="always"), CALENDAR) == night
    always = step("breach", "handler", window="always")
    assert window(night, POLICY, CALENDAR, always) == night
    only = step("breach", "handler", window="working_hours")
    assert window(night, policy(send_window="always"), CALENDAR, only) == at("2026-10-08 08:30")


# -- pauses ---------------------------------------------------------------------------------------------------------

START = accepted("2026-11-02 10:00", "complex")


@pytest.mark.parametrize(
    ("expected_until", "ends"),
    [
        (None, "11-10 08:30"),  # five working days after the pause began
        ("2026-11-12", "11-12 08:30"),
        ("2026-11-14", "11-16 08:30"),  # a Saturday
        ("2026-11-03", "11-04 08:30"),  # the opening of that day has not been seen by the pause
        ("2026-10-01", "11-04 08:30"),
        ("2199-12-31", "11-10 08:30"),  # beyond the calendar
    ],
)
def test_a_pause_is_looked_at_when_it_should_end(expected_until: str | None, ends: str) -> None:
    ladder = of(START, paused("2026-11-03 10:00", expected_until=expected_until))
    assert plan(ladder)[0] == (ends, "pause_end")
    assert [key for _, key in plan(ladder)] == ["pause_end", "pause_end+1wd"]


def test_how_long_a_pause_may_last_unasked_is_a_setting() -> None:
    rules = policy(pause_days=2)
    assert plan(of(START, paused("2026-11-03 10:00"), rules=rules))[0] == ("11-05 08:30", "pause_end")


def test_a_clock_that_has_run_out_is_urged_on_through_a_pause() -> None:
    ladder = of(GOLDEN_WEEK, paused("2026-05-11 10:00"))
    keys = [key for _, key in plan(ladder, at("2026-05-29 00:00"))]
    assert keys[-5:] == ["breach+2wd", "breach+3wd", "breach+5wd", "breach+5wd", "breach+5wd"]
    assert not any(key.startswith("pause_end") for key in keys)


def test_once_resumed_the_steps_follow_the_new_due_date() -> None:
    ladder = of(START, paused("2026-11-03 10:00"), event("resumed", "2026-11-05 10:00"))
    assert plan(ladder, at("2026-11-18 15:00")) == [
        ("11-13 08:30", "due-3wd"),
        ("11-17 08:30", "due-1wd"),
        ("11-18 08:30", "due-0wd"),
        ("11-18 14:00", "due-0wd 14:00"),
    ]


# -- the ends of the calendar ---------------------------------------------------------------------------------------


def test_a_ladder_at_the_very_beginning_of_the_calendar_does_not_fall_off_it() -> None:
    wide = policy(ladder=[step("due-30wd", "handler"), step("due-1wd", "handler")])
    ladder = of(accepted("2000-01-04 09:00", "simple"), rules=wide)
    assert [p.step.key for p in ladder.planned(at("2000-01-01 00:00"), at("2000-02-01 00:00"))] == ["due-1wd"]


def test_a_repeating_step_ends_with_the_calendar() -> None:
    short = CALENDAR.derive(version="short", first=on("2026-01-01"), last=on("2026-06-30"), changes=())
    case = case_of(GOLDEN_WEEK)
    assert case.main is not None
    rules: list[Step] = list(LADDER)
    ladder = replace(ladder_of(case, policy(ladder=rules)), calendar=short)
    found: Iterable[Planned] = ladder.planned(at("2026-01-01 00:00"), at("2027-12-31 00:00"))
    assert max(p.at for p in found) <= at("2026-06-30 23:59")
    assert ladder.next_after(at("2026-06-30 09:00")) is None
