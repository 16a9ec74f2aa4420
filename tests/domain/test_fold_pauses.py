"""Pausing and resetting a case: what its clock does, and what is found wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import accepted, case_of, closed, codes, due_on, event, on, paused, policy

from sla_service.domain.case import State, Verdict

START = accepted("2026-11-02 09:00", "simple")  # due on Thursday 2026-11-05


def test_a_paused_case_has_no_due_date_and_a_resumed_one_a_later() -> None:
    history = [START, paused("2026-11-03 10:00")]
    assert (case_of(*history).state, due_on(case_of(*history))) == (State.PAUSED, None)
    history.append(event("resumed", "2026-11-04 10:00"))
    assert (case_of(*history).state, due_on(case_of(*history))) == (State.RUNNING, "2026-11-06")


def test_every_pause_is_kept_with_its_reason_and_its_expected_end() -> None:
    case = case_of(
        START,
        paused("2026-11-03 10:00", "appraisal", expected_until="2026-11-10T09:00:00+08:00"),
        event("resumed", "2026-11-04 10:00"),
        paused("2026-11-04 11:00", "hearing", expected_until="2026-11-12"),
    )
    assert case.main is not None
    assert [(p.reason, p.expected_until) for p in case.main.pauses] == [
        ("appraisal", on("2026-11-10")),
        ("hearing", on("2026-11-12")),
    ]
    assert case.main.open_pause == case.main.pauses[1]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"reason": "hearing"}, []),
        ({"reason": "hearing", "applicant_informed_at": None}, ["pause_not_informed"]),
        ({"reason": "supplement"}, ["pause_supplement"]),
        ({"reason": "other"}, ["pause_other"]),
        ({"reason": "other", "applicant_informed_at": None}, ["pause_not_informed", "pause_other"]),
    ],
)
def test_a_pause_without_good_reason_or_word_to_the_applicant_is_a_finding(
    data: dict[str, Any], expected: list[str]
) -> None:
    assert codes(case_of(START, paused("2026-11-03 10:00", **data))) == expected


def test_a_clock_that_has_run_out_keeps_its_due_date_through_a_pause() -> None:
    case = case_of(START, paused("2026-11-06 10:00"))
    assert (case.state, due_on(case), codes(case)) == (State.PAUSED, "2026-11-05", ["paused_overdue"])


def test_closing_a_paused_case_judges_it_by_what_was_left() -> None:
    case = case_of(START, paused("2026-11-05 10:00"), closed("2026-11-20 10:00"))
    assert case.main is not None
    assert (case.main.verdict, due_on(case)) == (Verdict.MET, "2026-11-20")


# -- reset ----------------------------------------------------------------------------------------------------------


def test_a_reset_starts_the_clock_anew_with_the_same_limit() -> None:
    case = case_of(START, event("reset", "2026-11-04 09:00", reason="材料补齐"))
    assert case.main is not None
    assert (case.main.start_on, case.main.limit, due_on(case)) == (on("2026-11-04"), 3, "2026-11-09")


def test_a_reset_of_a_paused_case_lets_it_run_again_without_its_pauses() -> None:
    case = case_of(START, paused("2026-11-03 10:00"), event("reset", "2026-11-04 09:00", reason="材料补齐"))
    assert (case.state, due_on(case)) == (State.RUNNING, "2026-11-09")
    assert case.main is not None
    assert case.main.pauses == ()


def test_a_reset_after_it_ran_out_is_a_finding_and_the_breach_stands() -> None:
    history = (START, event("reset", "2026-11-05 17:31", reason="材料补齐"))
    assert (due_on(case_of(*history)), codes(case_of(*history))) == ("2026-11-05", ["reset_late"])
    done = case_of(*history, closed("2026-11-06 09:00")).main
    assert done is not None
    assert done.verdict is Verdict.BREACHED


def test_a_reset_at_the_very_due_instant_is_still_in_time() -> None:
    case = case_of(START, event("reset", "2026-11-05 17:30", reason="材料补齐"))
    assert (due_on(case), codes(case)) == ("2026-11-10", [])


def test_a_reset_of_a_case_that_was_paused_after_it_ran_out_lets_it_run_on_overdue() -> None:
    case = case_of(START, paused("2026-11-06 09:00"), event("reset", "2026-11-09 09:00", reason="材料补齐"))
    assert (case.state, due_on(case), codes(case)) == (State.RUNNING, "2026-11-05", ["paused_overdue", "reset_late"])


# -- receipt on a day off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "as_received", "next_workday"),
    [
        ("2026-11-06 09:00", "2026-11-11", "2026-11-11"),  # Friday
        ("2026-11-07 09:00", "2026-11-11", "2026-11-12"),  # Saturday: day 1 is Monday, or Tuesday
        ("2026-11-08 23:59", "2026-11-11", "2026-11-12"),
        ("2026-10-10 09:00", "2026-10-14", "2026-10-14"),  # a worked Saturday
        ("2026-10-01 09:00", "2026-10-10", "2026-10-12"),  # National Day
    ],
)
def test_receipt_on_a_day_off_may_count_as_the_next_working_day(
    received: str, as_received: str, next_workday: str
) -> None:
    start = accepted(received, "simple")
    assert due_on(case_of(start)) == as_received
    assert due_on(case_of(start, policy=policy(non_working_receipt="next_workday"))) == next_workday


def test_the_setting_reaches_resets_and_reopenings_too() -> None:
    moved = policy(non_working_receipt="next_workday")
    reset = event("reset", "2026-11-07 09:00", reason="材料补齐")
    long = accepted("2026-11-02 09:00", "complex")
    assert due_on(case_of(long, reset)) == "2026-11-20"
    assert due_on(case_of(long, reset, policy=moved)) == "2026-11-23"
    again = (START, closed("2026-11-03 09:00"), event("reopened", "2026-11-07 09:00", reason="未办成"))
    assert (due_on(case_of(*again)), due_on(case_of(*again, policy=moved))) == ("2026-11-11", "2026-11-12")
