"""A history in virtual time: who is told what and when, to the minute, and who is not."""

from __future__ import annotations

from builders import (
    accepted,
    at,
    closed,
    directory,
    event,
    extended,
    paused,
    policy,
    step,
)
from rehearsal import START, run, told


def test_a_case_nobody_acts_on_climbs_the_ladder() -> None:
    assert told(run(START, end="2026-11-19 12:00")) == [
        "11-04 08:30 due-1wd zhangsan wecom",
        "11-05 08:30 due-0wd zhangsan wecom",
        "11-05 14:00 due-0wd 14:00 lisi wecom",
        "11-06 08:30 breach zhangsan wecom",  # at the next opening
        "11-06 08:30 breach zhangsan sms",  # all: each channel
        "11-06 08:30 breach lisi wecom",
        "11-06 08:30 breach lisi sms",
        "11-09 08:30 breach+2wd zhouba wecom",  # via is an order: the first channel only
        "11-10 08:30 breach+3wd wangwu wecom",
        "11-12 08:30 breach+5wd zhouba wecom",
        "11-12 08:30 breach+5wd wangwu wecom",
        "11-19 08:30 breach+5wd zhouba wecom",
        "11-19 08:30 breach+5wd wangwu wecom",
    ]


def test_every_message_says_when_it_was_planned_for_and_which_due_date_it_speaks_of() -> None:
    breach = next(m for m in run(START, end="2026-11-06 12:00").messages if m.step == "breach")
    assert (breach.planned_at, breach.at) == (at("2026-11-05 17:30"), at("2026-11-06 08:30"))
    assert breach.out() == {
        "at": "2026-11-06T08:30:00+08:00",
        "to": "zhangsan",
        "role": "handler",
        "step": "breach",
        "target": "resolve",
        "case": "BBC-2026-0001",
        "channel": "wecom",
        "source": "hall",
        "round": 1,
        "occurrence": 0,
        "as_role": "handler",
        "planned_at": "2026-11-05T17:30:00+08:00",
        "due_on": "2026-11-05",
        "reassigned": False,
        "missed": [],
        "fell": [],
    }


def test_a_closed_case_is_silent() -> None:
    assert told(run(START, closed("2026-11-04 09:00"), end="2026-12-31 12:00")) == [
        "11-04 08:30 due-1wd zhangsan wecom"
    ]


def test_closing_at_the_very_due_instant_makes_no_breach() -> None:
    result = run(START, closed("2026-11-05 17:30"), end="2026-12-31 12:00")
    assert not any("breach" in line for line in told(result))
    assert result.figures()["met"] == 1


def test_what_waits_for_the_morning_is_not_sent_if_the_case_is_closed_by_then() -> None:
    result = run(START, closed("2026-11-06 08:00"), end="2026-12-31 12:00")
    assert not any("breach" in line for line in told(result))
    assert result.figures()["breached"] == 1


def test_what_waits_for_the_morning_is_not_sent_if_the_due_date_has_moved_by_then() -> None:
    evening = step("due-0wd 17:30", "handler")
    rules = policy(ladder=[evening, step("due-1wd 20:00", "handler")])
    kept = [m.step for m in run(START, rules=rules, end="2026-11-05 12:00").messages]
    assert kept == ["due-1wd 20:00"]
    assert run(START, extended("2026-11-04 21:00", 10), rules=rules, end="2026-11-05 12:00").messages == ()


def test_what_waits_for_the_morning_is_not_sent_if_the_case_is_paused_by_then() -> None:
    rules = policy(ladder=[step("due-1wd 20:00", "handler")])
    assert run(START, paused("2026-11-05 08:00"), rules=rules, end="2026-11-05 12:00").messages == ()


def test_a_step_that_is_planned_for_after_close_goes_out_in_the_morning() -> None:
    rules = policy(ladder=[step("due-0wd 17:29", "handler"), step("due-0wd 18:00", "section_head")])
    assert told(run(START, rules=rules, end="2026-11-30 12:00")) == [
        "11-05 17:29 due-0wd 17:29 zhangsan wecom",
        "11-06 08:30 due-0wd 18:00 lisi wecom",
    ]


def test_an_extension_is_reminded_of_at_its_new_dates() -> None:
    result = run(START, extended("2026-11-04 12:00", 10), end="2026-11-12 09:00")
    assert told(result) == [
        "11-04 08:30 due-1wd zhangsan wecom",
        "11-09 08:30 due-5wd zhangsan wecom",
        "11-11 08:30 due-3wd zhangsan wecom",
    ]


def test_a_shorter_limit_that_is_a_breach_at_once_is_told_handler_first() -> None:
    history = (accepted("2026-11-02 10:00", "complex"), event("classified", "2026-11-11 10:00", kind="simple"))
    result = run(*history, end="2026-11-12 12:00")
    assert told(result) == [
        "11-11 08:30 due-3wd zhangsan wecom",
        "11-11 10:00 breach zhangsan wecom",
        "11-11 10:00 breach zhangsan sms",
        "11-11 10:00 breach lisi wecom",
        "11-11 10:00 breach lisi sms",
        "11-12 08:30 breach+2wd zhouba wecom",
        "11-12 08:30 breach+3wd wangwu wecom",
        "11-12 08:30 breach+5wd zhouba wecom",  # this one is due on that day in any case
        "11-12 08:30 breach+5wd wangwu wecom",
    ]


# -- pauses ---------------------------------------------------------------------------------------------------------


def test_a_pause_is_reminded_of_when_it_should_end_and_nothing_else_is_said() -> None:
    history = (START, paused("2026-11-03 10:00", expected_until="2026-11-10"))
    assert told(run(*history, end="2026-11-30 12:00")) == [
        "11-10 08:30 pause_end zhangsan wecom",
        "11-11 08:30 pause_end+1wd lisi wecom",
    ]


def test_a_pause_that_ends_in_time_is_not_reminded_of() -> None:
    history = (START, paused("2026-11-03 10:00", expected_until="2026-11-10"), event("resumed", "2026-11-09 10:00"))
    assert told(run(*history, end="2026-11-10 12:00")) == ["11-10 08:30 due-1wd zhangsan wecom"]


def test_a_reminder_that_fell_into_a_short_pause_comes_when_the_case_goes_on() -> None:
    history = (START, paused("2026-11-04 08:00"), event("resumed", "2026-11-04 09:00"))
    assert told(run(*history, end="2026-11-05 08:00")) == ["11-04 09:00 due-1wd zhangsan wecom"]


# -- who ------------------------------------------------------------------------------------------------------------


def test_a_new_holder_is_told_the_latest_step_once() -> None:
    history = (START, event("assigned", "2026-11-05 15:00", handler="sunqi"))
    result = run(*history, end="2026-11-06 12:00")
    assert told(result)[2:4] == [
        "11-05 14:00 due-0wd 14:00 lisi wecom",
        "11-05 15:00 due-0wd 14:00 sunqi wecom",
    ]
    assert [m.to for m in result.messages if m.step == "breach"] == ["sunqi", "sunqi", "lisi", "lisi"]
    handed = next(m for m in result.messages if m.reassigned)
    assert (handed.role, handed.as_role, handed.planned_at) == ("handler", "handler", at("2026-11-05 14:00"))


def test_what_waits_for_the_old_holder_goes_to_the_new_one() -> None:
    history = (START, event("assigned", "2026-11-05 20:00", handler="sunqi"))
    result = run(*history, end="2026-11-06 12:00")
    assert sorted(m.to or "" for m in result.messages if m.step == "breach") == ["lisi", "lisi", "sunqi", "sunqi"]


def test_handing_on_before_any_step_has_passed_tells_nothing() -> None:
    assert told(run(START, event("assigned", "2026-11-03 15:00", handler="sunqi"), end="2026-11-04 12:00")) == [
        "11-04 08:30 due-1wd sunqi wecom"
    ]


def test_at_one_instant_what_happens_comes_before_what_is_due() -> None:
    result = run(START, event("assigned", "2026-11-04 08:30", handler="sunqi"), end="2026-11-04 12:00")
    assert told(result) == ["11-04 08:30 due-1wd sunqi wecom"]
    assert not result.messages[0].reassigned  # he held it when the step fell due


def test_handing_back_and_forth_tells_nobody_twice() -> None:
    there = [event("assigned", f"2026-11-04 {hour}:00", handler="sunqi") for hour in (10, 12)]
    back = [event("assigned", f"2026-11-04 {hour}:00", handler="zhangsan") for hour in (11, 13)]
    assert told(run(START, *there, *back, end="2026-11-04 17:00")) == [
        "11-04 08:30 due-1wd zhangsan wecom",
        "11-04 10:00 due-1wd sunqi wecom",
    ]


def test_who_is_away_on_the_day_it_goes_out_is_stood_in_for() -> None:
    away = directory(("zhangsan", "sunqi", "2026-11-05", "2026-11-05"), ("zhouba", "lisi", "2026-11-09", "2026-11-09"))
    result = run(START, people=away, end="2026-11-09 12:00")
    assert [(m.step, m.to) for m in result.messages if m.channel == "wecom"] == [
        ("due-1wd", "zhangsan"),
        ("due-0wd", "sunqi"),
        ("due-0wd 14:00", "lisi"),
        ("breach", "zhangsan"),  # decided on the 5th, but it goes out on the 6th
        ("breach", "lisi"),
        ("breach+2wd", "lisi"),
    ]


def test_nobody_to_be_found_is_one_row_with_the_reasons() -> None:
    empty = directory(duty="", station_chief="", joint_committee="")
    nobody = accepted("2026-11-02 10:00", "simple", department="没有的科室", handler="谁也不是")
    result = run(nobody, people=empty, end="2026-11-06 12:00")
    assert [(m.step, m.role, m.to, m.as_role) for m in result.messages] == [
        ("due-1wd", "handler", None, None),
        ("due-0wd", "handler", None, None),
        ("due-0wd 14:00", "section_head", None, None),
        ("breach", "handler", None, None),  # one row, though the step uses every channel
        ("breach", "section_head", None, None),
    ]
    assert all(m.fell for m in result.messages)
    assert result.figures()["messages"]["nobody"] == 5


def test_two_roles_of_a_step_that_are_one_person_are_one_message() -> None:
    rules = policy(ladder=[step("breach", "section_head station_chief")])
    result = run(START, rules=rules, people=directory(station_chief="lisi"), end="2026-11-06 12:00")
    assert [(m.role, m.to) for m in result.messages] == [("section_head", "lisi")]


def test_a_role_that_falls_says_in_which_role_and_why() -> None:
    rules = policy(ladder=[step("breach", "station_chief")])
    result = run(START, rules=rules, people=directory(station_chief=""), end="2026-11-06 12:00")
    (only,) = result.messages
    assert (only.role, only.as_role, only.to) == ("station_chief", "bureau_leader", "wangwu")
    assert len(only.fell) == 1


def test_nobody_gets_his_own_case_in_a_higher_role() -> None:
    mine = accepted("2026-11-02 10:00", "simple", handler="lisi")
    result = run(mine, end="2026-11-06 12:00")
    assert [(m.role, m.to) for m in result.messages if m.step == "breach" and m.channel == "wecom"] == [
        ("handler", "lisi"),
        ("section_head", "zhouba"),  # the next one up
    ]
