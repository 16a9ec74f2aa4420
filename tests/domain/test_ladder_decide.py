"""Who is told what when somebody looks at a clock, and what a new holder is told."""

from __future__ import annotations

import pytest
from builders import (
    POLICY,
    accepted,
    at,
    case_of,
    closed,
    event,
    extended,
    ladder_of,
    policy,
    step,
)
from ladders import GOLDEN_WEEK, NATIONAL_DAY, of, plan, told

from sla_service.domain.case import REPLY_TARGET
from sla_service.domain.clock import Due
from sla_service.domain.ladder import (
    after_move,
    decide,
    latest_passed,
    target_of,
)


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
