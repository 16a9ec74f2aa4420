"""Answers owed, words passed on, new rounds, other targets: what a simulation says beside the ladder of one round."""

from __future__ import annotations

from builders import (
    SIGN,
    closed,
    event,
    policy,
    step,
    voided,
)
from rehearsal import START, run, told

from sla_service.domain.policy import Target


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
