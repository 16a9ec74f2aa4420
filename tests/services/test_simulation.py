"""A history in virtual time: who is told what and when, to the minute, and who is not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from builders import (
    CALENDAR,
    POLICY,
    SIGN,
    accepted,
    at,
    closed,
    directory,
    event,
    extended,
    paused,
    policy,
    step,
    voided,
)

from sla_service.domain.directory import Directory
from sla_service.domain.events import Event
from sla_service.domain.policy import Policy, Target
from sla_service.services.simulation import SimulationResult, simulate

START = accepted("2026-11-02 10:00", "simple")  # due on Thursday 11-05
HALL = directory()


def run(
    *events: Event, rules: Policy = POLICY, people: Directory = HALL, start: str | None = None, end: str | None = None
) -> SimulationResult:
    since, until = (at(text) if text else None for text in (start, end))
    return simulate(events, rules, people, CALENDAR, start=since, end=until)


def told(result: SimulationResult) -> list[str]:
    """``11-04 08:30 due-1wd zhangsan wecom``, in order."""
    return [f"{m.at:%m-%d %H:%M} {m.step} {m.to} {m.channel}" for m in result.messages]


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


# -- an answer, words passed on -------------------------------------------------------------------------------------


def test_an_owed_answer_is_reminded_of_each_working_morning_until_it_is_given() -> None:
    history = (START, closed("2026-11-03 16:00", replied=False), event("replied", "2026-11-06 10:00"))
    assert told(run(*history, end="2026-11-30 12:00")) == [
        "11-04 08:30 no_reply zhangsan wecom",
        "11-05 08:30 no_reply zhangsan wecom",
        "11-06 08:30 no_reply zhangsan wecom",
    ]
    assert [m.target for m in run(*history, end="2026-11-04 12:00").messages] == ["reply"]


def test_an_owed_answer_passes_to_who_holds_the_closed_case() -> None:
    history = (START, closed("2026-11-03 16:00", replied=False), event("assigned", "2026-11-04 10:00", handler="sunqi"))
    assert told(run(*history, end="2026-11-05 12:00")) == [
        "11-04 08:30 no_reply zhangsan wecom",
        "11-05 08:30 no_reply sunqi wecom",
    ]


def test_a_withdrawn_case_owes_nothing() -> None:
    result = run(START, closed("2026-11-03 16:00", "withdrawn", replied=False), end="2026-11-30 12:00")
    assert result.messages == ()
    figures = result.figures()
    assert (figures["met"], figures["withdrawn"], figures["on_time_rate"]) == (1, 1, None)


def test_urging_reaches_the_handler_in_the_next_window_once_a_day() -> None:
    urged = [event("urged", f"2026-11-{when}", by="赵六") for when in ("02 18:00", "03 07:00", "03 10:00", "03 19:00")]
    assert told(run(START, *urged, end="2026-11-04 08:29")) == ["11-03 08:30 urged zhangsan wecom"]
    assert told(run(START, *urged, end="2026-11-04 08:30"))[1:] == [
        "11-04 08:30 urged zhangsan wecom",
        "11-04 08:30 due-1wd zhangsan wecom",
    ]


def test_urging_is_not_passed_on_once_the_case_is_closed() -> None:
    history = (START, event("urged", "2026-11-02 18:00"), closed("2026-11-03 08:00"))
    assert run(*history, end="2026-11-30 12:00").messages == ()


def test_a_word_reaches_the_new_holder_and_not_the_old_one() -> None:
    history = (START, event("urged", "2026-11-02 18:00"), event("assigned", "2026-11-02 19:00", handler="sunqi"))
    assert run(*history, end="2026-11-03 12:00").messages == ()  # nobody who still holds it was urged
    again = event("urged", "2026-11-03 09:00")
    assert told(run(*history, again, end="2026-11-03 12:00")) == ["11-03 09:00 urged sunqi wecom"]


def test_an_escalation_reaches_the_role_it_names_each_time() -> None:
    history = [event("escalated", f"2026-11-03 {hour}:00", to="joint_committee") for hour in (10, 11)]
    assert told(run(START, *history, end="2026-11-03 12:00")) == [
        "11-03 10:00 escalated zhengjiu wecom",
        "11-03 11:00 escalated zhengjiu wecom",
    ]


# -- rounds, voids, other targets -----------------------------------------------------------------------------------


def test_a_new_round_has_reminders_of_its_own() -> None:
    history = (START, closed("2026-11-04 09:00"), event("reopened", "2026-11-09 09:00", reason="未办成"))
    result = run(*history, end="2026-11-12 09:00")
    assert [(f"{m.at:%m-%d}", m.step, m.round) for m in result.messages] == [
        ("11-04", "due-1wd", 1),
        ("11-11", "due-1wd", 2),
        ("11-12", "due-0wd", 2),
    ]


def test_taking_back_a_closing_goes_on_where_the_ladder_was() -> None:
    history = (START, closed("2026-11-04 12:00", id="c"), voided("2026-11-05 10:00", "c"))
    assert told(run(*history, end="2026-11-05 15:00")) == [
        "11-04 08:30 due-1wd zhangsan wecom",
        "11-05 10:00 due-0wd zhangsan wecom",  # fell due while the case seemed closed
        "11-05 14:00 due-0wd 14:00 lisi wecom",
    ]


def test_other_targets_have_their_own_ladders() -> None:
    signing = Target(SIGN.name, SIGN.starts, SIGN.stops, SIGN.limits, {}, (step("breach", "section_head"),))
    history = (START, event("assigned", "2026-11-02 11:00", handler="sunqi"))
    result = run(*history, rules=policy(ladder=(), others=(signing,)), end="2026-11-30 12:00")
    assert [(m.target, m.step, m.to, f"{m.at:%m-%d}") for m in result.messages] == [("sign", "breach", "lisi", "11-04")]


def test_a_step_repeats_until_the_handler_answers_what_was_sent() -> None:
    rules = policy(ladder=[step("breach+1wd", "handler", repeat=1, until="acknowledged")])
    early, late = event("progressed", "2026-11-03 10:00"), event("progressed", "2026-11-10 10:00")
    assert [line[:5] for line in told(run(START, early, late, rules=rules, end="2026-11-30 12:00"))] == [
        "11-06",
        "11-09",
        "11-10",
    ]


# -- the period and the sums ----------------------------------------------------------------------------------------


def test_by_default_it_ends_with_the_last_event() -> None:
    result = run(START, event("progressed", "2026-11-05 08:30"))
    assert (result.end, len(result.messages)) == (at("2026-11-05 08:30"), 2)  # what is due at the end still goes out


def test_what_happens_after_the_end_is_not_known_yet() -> None:
    result = run(START, closed("2026-11-04 09:00"), end="2026-11-03 12:00")
    assert (result.figures()["open"], result.events) == (1, 1)


def test_what_was_before_the_start_is_history_only() -> None:
    old = [accepted("2026-10-12 10:00", id="a", no="1"), closed("2026-10-13 10:00", id="b", no="1")]
    running = [accepted("2026-10-26 10:00", id="c", no="2")]  # overdue since 10-29
    result = run(*old, *running, start="2026-11-02 00:00", end="2026-11-03 12:00")
    figures = result.figures()
    assert (figures["cases"], figures["events"], figures["overdue_open"]) == (1, 0, 1)
    assert told(result) == ["11-02 08:30 breach+2wd zhouba wecom", "11-03 08:30 breach+3wd wangwu wecom"]


def history_of_many() -> Iterable[Event]:
    yield accepted("2026-11-02 10:00", id="1", no="met")
    yield closed("2026-11-03 10:00", id="2", no="met")
    yield accepted("2026-11-02 10:00", id="3", no="late")
    yield closed("2026-11-05 17:31", id="4", no="late")
    yield accepted("2026-11-02 10:00", id="5", no="open")
    yield accepted("2026-11-02 10:00", id="6", no="paused")
    yield paused("2026-11-03 10:00", id="7", no="paused", applicant_informed_at=None)
    yield accepted("2026-11-02 10:00", id="8", no="gone")
    yield closed("2026-11-03 10:00", "withdrawn", id="9", no="gone")
    yield accepted("2026-11-02 10:00", id="10", no="again")
    yield closed("2026-11-09 10:00", id="11", no="again")
    yield event("reopened", "2026-11-10 10:00", id="12", no="again", reason="未办成")
    yield closed("2026-11-11 10:00", id="13", no="again")
    yield event("resumed", "2026-11-11 10:00", id="14", no="again")
    yield event("resumed", "2026-11-11 10:00", id="15", no="unknown")
    yield event("visit.answered", "2026-11-11 10:00", id="16", no="", count=4)
    yield event("visit.answered", "2026-11-11 11:00", id="17", no="")


def test_the_figures_add_up() -> None:
    figures = run(*history_of_many()).figures()
    assert figures["met"] + figures["breached"] + figures["open"] == figures["cases"]
    assert {k: figures[k] for k in ("cases", "met", "breached", "open", "withdrawn", "breached_same_day")} == {
        "cases": 6,
        "met": 3,
        "breached": 1,
        "open": 2,
        "withdrawn": 1,
        "breached_same_day": 1,
    }
    assert (figures["overdue_open"], figures["paused_open"], figures["visits"]) == (1, 1, 5)
    assert figures["rounds"] == {"met": 2, "breached": 2}  # two rounds of one case, the withdrawn one left out
    assert figures["on_time_rate"] == 0.5
    assert figures["findings"] == {"pause_not_informed": 1}
    assert {k: figures[k] for k in ("applied", "rejected", "waiting", "voided")} == {
        "applied": 15,
        "rejected": 1,
        "waiting": 1,
        "voided": 0,
    }
    assert figures["events"] == 17
    steps = figures["messages"]["by_step_role"]
    assert sum(one["count"] for one in steps) == figures["messages"]["total"] == len(run(*history_of_many()).messages)


def test_the_order_in_which_a_file_holds_its_events_changes_nothing() -> None:
    events = list(history_of_many())
    assert run(*reversed(events)).figures() == run(*events).figures()
    assert run(*reversed(events)).messages == run(*events).messages


def test_one_source_and_id_counts_once() -> None:
    assert run(START, START, accepted("2026-11-03 10:00", id=START.id)).events == 1


def test_progress_is_told_the_events_that_are_done() -> None:
    done: list[int] = []
    simulate(history_of_many(), POLICY, HALL, CALENDAR, progress=done.append)
    assert sum(done) == 17


@pytest.mark.parametrize("end", [None, "2026-11-30 12:00"])
def test_a_history_without_a_case_is_no_error(end: str | None) -> None:
    result = run(event("progressed", "2026-11-03 10:00"), end=end)
    assert (result.figures()["cases"], result.figures()["waiting"]) == (0, 1)
    assert run().figures()["events"] == 0
