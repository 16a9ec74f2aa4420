"""When each step of a ladder falls, when it goes out, and who is told what is found together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from builders import (
    CALENDAR,
    LADDER,
    MIDNIGHT,
    POLICY,
    accepted,
    at,
    case_of,
    closed,
    event,
    extended,
    ladder_of,
    on,
    paused,
    policy,
    step,
)

from sla_service.domain.case import REPLY_TARGET
from sla_service.domain.clock import Due
from sla_service.domain.events import Event
from sla_service.domain.ladder import (
    Firing,
    Ladder,
    Planned,
    after_move,
    decide,
    latest_passed,
    target_of,
    window,
)
from sla_service.domain.policy import Policy, Step

FAR = at("2026-12-31 00:00")


def plan(ladder: Ladder, upto: datetime = FAR) -> list[tuple[str, str]]:
    return [(f"{p.at:%m-%d %H:%M}", p.step.key) for p in ladder.planned(at("2026-01-01 00:00"), upto)]


def told(firing: Firing) -> list[tuple[str, str, str]]:
    """Role, step, and when it may go out."""
    return [(n.role, n.step.key, f"{n.not_before:%m-%d %H:%M}") for n in firing.notices]


def of(*events: Event, rules: Policy = POLICY, target: str = "resolve") -> Ladder:
    return ladder_of(case_of(*events, policy=rules), rules, target)


# Received on Thursday before Labour Day, due on Friday 05-08; Saturday 05-09 is worked.
GOLDEN_WEEK = accepted("2026-04-30 10:00", "simple")
# Received before Mid-Autumn and National Day, due on Friday 10-09; Saturday 10-10 is worked.
NATIONAL_DAY = accepted("2026-09-18 10:00", "complex")
# Received before Spring Festival, with a limit of its own, due on Wednesday 03-11.
SPRING = accepted("2026-02-12 10:00", "special", limit_days=15, applicant_informed_at="2026-02-12")


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


# -- deciding -------------------------------------------------------------------------------------------------------


def test_the_breach_is_noticed_at_the_due_instant_and_told_at_the_next_opening() -> None:
    firing = decide(of(GOLDEN_WEEK), watermark=at("2026-05-08 14:00"), now=at("2026-05-08 17:30"))
    assert told(firing) == [("handler", "breach", "05-09 08:30"), ("section_head", "breach", "05-09 08:30")]
    assert (firing.breached_at, firing.next_at) == (at("2026-05-08 17:30"), at("2026-05-11 08:30"))
    again = decide(of(GOLDEN_WEEK), watermark=at("2026-05-08 17:30"), now=at("2026-05-08 17:31"))
    assert (again.notices, again.breached_at) == ((), None)


def test_a_ladder_that_does_not_speak_of_the_breach_is_looked_at_all_the_same() -> None:
    ladder = of(GOLDEN_WEEK, rules=policy(ladder=()))
    assert ladder.next_after(at("2026-04-30 10:00")) == at("2026-05-08 17:30")
    assert decide(ladder, watermark=at("2026-04-30 10:00"), now=at("2026-05-08 17:30")).breached_at is not None


def test_reminders_that_the_breach_has_overtaken_are_not_sent_after_the_fact() -> None:
    firing = decide(of(GOLDEN_WEEK), watermark=at("2026-04-30 10:00"), now=at("2026-05-08 18:00"))
    assert {key for _, key, _ in told(firing)} == {"breach"}


def test_several_reminders_found_together_are_one_message_to_each() -> None:
    firing = decide(of(NATIONAL_DAY), watermark=at("2026-09-18 10:00"), now=at("2026-10-09 15:00"))
    assert told(firing) == [("handler", "due-0wd", "10-09 15:00"), ("section_head", "due-0wd 14:00", "10-09 15:00")]
    assert [n.missed for n in firing.notices] == [("due-3wd", "due-1wd"), ()]
    assert {n.expires_at for n in firing.notices} == {at("2026-10-09 17:30")}


def test_after_an_outage_handler_and_section_head_are_told_now_and_leaders_a_working_day_later() -> None:
    firing = decide(of(GOLDEN_WEEK), watermark=at("2026-04-30 10:00"), now=at("2026-05-15 10:00"))
    assert told(firing) == [
        ("handler", "breach", "05-15 10:00"),
        ("section_head", "breach", "05-15 10:00"),
        ("station_chief", "breach+5wd", "05-18 08:30"),
        ("bureau_leader", "breach+5wd", "05-18 08:30"),
    ]
    assert {n.role: n.missed for n in firing.notices}["station_chief"] == ("breach+2wd",)
    assert firing.breached_at == at("2026-05-08 17:30")  # the true time
    assert firing.next_at == at("2026-05-21 08:30")


def test_one_step_that_is_late_is_no_catch_up() -> None:
    firing = decide(of(GOLDEN_WEEK), watermark=at("2026-05-08 18:00"), now=at("2026-05-11 16:00"))
    assert told(firing) == [("station_chief", "breach+2wd", "05-11 16:00")]


def test_a_catch_up_at_night_waits_for_the_opening() -> None:
    firing = decide(of(GOLDEN_WEEK), watermark=at("2026-04-30 10:00"), now=at("2026-05-16 23:00"))  # a Saturday
    assert {role: when for role, _, when in told(firing)} == {
        "handler": "05-18 08:30",
        "section_head": "05-18 08:30",
        "station_chief": "05-18 08:30",
        "bureau_leader": "05-18 08:30",
    }


def test_steps_of_one_instant_are_no_catch_up() -> None:
    rules = policy(ladder=[step("breach", "handler"), step("breach", "station_chief")])
    firing = decide(of(GOLDEN_WEEK, rules=rules), watermark=at("2026-05-08 14:00"), now=at("2026-05-08 17:30"))
    assert {when for _, _, when in told(firing)} == {"05-09 08:30"}


def test_a_closed_case_has_no_steps() -> None:
    ladder = of(GOLDEN_WEEK, closed("2026-05-06 10:00"))
    assert (plan(ladder), ladder.next_after(at("2026-04-30 10:00"))) == ([], None)


# -- repeating ------------------------------------------------------------------------------------------------------


def test_a_repeating_step_goes_on_until_the_case_is_closed() -> None:
    found = [when for when, key in plan(of(GOLDEN_WEEK), at("2026-06-05 00:00")) if key == "breach+5wd"]
    assert found == ["05-14 08:30", "05-21 08:30", "05-28 08:30", "06-04 08:30"]


def test_a_step_may_repeat_until_the_handler_answers_what_was_sent() -> None:
    rules = policy(ladder=[step("breach+1wd", "handler", repeat=1, until="acknowledged")])
    case = case_of(GOLDEN_WEEK, policy=rules)
    upto = at("2026-05-13 00:00")
    thrice = ["05-09 08:30", "05-11 08:30", "05-12 08:30"]
    assert [when for when, _ in plan(ladder_of(case, rules), upto)] == thrice
    assert len(plan(ladder_of(case, rules, acknowledged=True), upto)) == 1
    before, after = at("2026-05-06 10:00"), at("2026-05-09 10:00")
    assert len(plan(ladder_of(case, rules, acknowledged_at=before), upto)) == 3  # nothing had been sent yet
    assert len(plan(ladder_of(case, rules, acknowledged_at=after), upto)) == 1


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
    assert [key for _, key in plan(ladder, at("2026-05-15 00:00"))][-3:] == ["breach+2wd", "breach+3wd", "breach+5wd"]


def test_once_resumed_the_steps_follow_the_new_due_date() -> None:
    ladder = of(START, paused("2026-11-03 10:00"), event("resumed", "2026-11-05 10:00"))
    assert plan(ladder, at("2026-11-18 15:00")) == [
        ("11-13 08:30", "due-3wd"),
        ("11-17 08:30", "due-1wd"),
        ("11-18 08:30", "due-0wd"),
        ("11-18 14:00", "due-0wd 14:00"),
    ]


# -- moves ----------------------------------------------------------------------------------------------------------


def due(text: str) -> Due:
    case = case_of(accepted(f"{text} 09:00", "simple"))
    assert case.main is not None
    assert case.main.due is not None
    return case.main.due


EARLY, LATE = due("2026-11-02"), due("2026-11-16")  # due on 11-05 and on 11-19
BEFORE_EARLY = at("2026-11-05 17:30").replace(minute=29, second=59, microsecond=999999)


@pytest.mark.parametrize(
    ("watermark", "before", "after", "expected"),
    [
        ("2026-11-10 09:00", EARLY, LATE, "2026-11-10 09:00"),  # an extension: what is past is done
        ("2026-11-10 09:00", LATE, EARLY, None),  # a shorter limit, overdue since the 5th: the breach is news
        ("2026-11-10 09:00", None, EARLY, None),  # a late resumption
        ("2026-11-05 17:30", LATE, EARLY, None),
        ("2026-11-04 09:00", LATE, EARLY, "2026-11-04 09:00"),  # still to come
        ("2026-11-20 09:00", LATE, EARLY, "2026-11-20 09:00"),  # it had run out before and was told
        ("2026-11-10 09:00", EARLY, None, "2026-11-10 09:00"),
    ],
)
def test_a_move_leaves_the_past_alone_unless_it_makes_a_breach(
    watermark: str, before: Due | None, after: Due | None, expected: str | None
) -> None:
    assert after_move(at(watermark), before, after) == (at(expected) if expected else BEFORE_EARLY)


def test_a_breach_made_by_a_move_is_told_handler_first() -> None:
    ladder = of(accepted("2026-11-02 10:00", "complex"), event("classified", "2026-11-10 09:00", kind="simple"))
    mark = after_move(at("2026-11-10 08:30"), LATE, ladder.clock.due)
    firing = decide(ladder, watermark=mark, now=at("2026-11-10 09:00"))
    assert firing.breached_at == at("2026-11-05 17:30")
    assert told(firing) == [
        ("handler", "breach", "11-10 09:00"),
        ("section_head", "breach", "11-10 09:00"),
        ("station_chief", "breach+2wd", "11-11 08:30"),
        ("bureau_leader", "breach+3wd", "11-11 08:30"),
    ]


def test_after_an_extension_the_new_dates_are_reminded_of_anew() -> None:
    history = (accepted("2026-11-02 10:00", "simple"), extended("2026-11-04 12:00", 10))
    assert plan(of(*history), at("2026-11-16 09:00"))[:2] == [("11-09 08:30", "due-5wd"), ("11-11 08:30", "due-3wd")]
    assert of(*history).next_after(at("2026-11-04 08:30")) == at("2026-11-09 08:30")


# -- the new holder, the owed answer --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-05-06 10:00", None),
        ("2026-05-07 08:30", "due-1wd"),
        ("2026-05-08 10:00", "due-0wd"),
        ("2026-05-12 10:00", "breach+3wd"),
    ],
)
def test_the_latest_step_that_has_passed_is_what_a_new_holder_is_told(now: str, expected: str | None) -> None:
    last = latest_passed(of(GOLDEN_WEEK), at(now))
    assert (last.step.key if last else None) == expected


def test_the_handler_is_reminded_of_an_owed_answer_each_working_morning() -> None:
    history = (accepted("2026-11-02 10:00"), closed("2026-11-05 16:00", replied=False))
    ladder = of(*history, target=REPLY_TARGET)
    assert [when for when, _ in plan(ladder, at("2026-11-11 00:00"))] == [
        "11-06 08:30",
        "11-09 08:30",
        "11-10 08:30",
    ]
    firing = decide(ladder, watermark=at("2026-11-05 16:00"), now=at("2026-11-06 08:30"))
    assert told(firing) == [("handler", "no_reply", "11-06 08:30")]
    assert (firing.breached_at, firing.next_at) == (None, at("2026-11-09 08:30"))


def test_the_built_in_target_has_the_channels_that_the_policy_names() -> None:
    found = target_of(policy(no_reply_via=("sms",)), REPLY_TARGET)
    assert found is not None
    assert found.ladder[0].via == ("sms",)
    assert target_of(POLICY, "sign") is None


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
