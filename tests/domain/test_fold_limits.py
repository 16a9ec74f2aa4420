"""Kinds, reclassification, special cases and extensions: which limit a case has, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import LIMITS, accepted, case_of, closed, codes, due_on, event, extended, paused, policy

from sla_service.domain.case import Verdict

# Received on Monday 2026-11-02; November has no day off but the weekends.
DUE = {3: "2026-11-05", 5: "2026-11-09", 10: "2026-11-16", 12: "2026-11-18", 13: "2026-11-19", 15: "2026-11-23"}
SPECIAL = {"limit_days": 15, "reason": "多部门", "applicant_informed_at": "2026-11-02"}


@pytest.mark.parametrize(("kind", "expected"), [("simple", DUE[3]), ("complex", DUE[10])])
def test_a_kind_has_its_limit(kind: str, expected: str) -> None:
    assert due_on(case_of(accepted("2026-11-02 09:00", kind))) == expected


def test_a_case_without_a_kind_runs_as_simple_with_a_finding() -> None:
    case = case_of(accepted("2026-11-02 09:00", None))
    assert (case.kind, due_on(case), codes(case)) == ("simple", DUE[3], ["unclassified"])
    assert "简单事项" in case.findings[0].text


def test_what_a_case_without_a_kind_runs_as_is_a_setting() -> None:
    case = case_of(accepted("2026-11-02 09:00", None), policy=policy(unclassified_as="complex"))
    assert (case.kind, due_on(case)) == ("complex", DUE[10])
    assert "复杂问题" in case.findings[0].text


def test_classifying_counts_from_the_original_start_and_ends_the_finding() -> None:
    case = case_of(accepted("2026-11-02 09:00", None), event("classified", "2026-11-04 09:00", kind="complex"))
    assert (case.kind, due_on(case), codes(case)) == ("complex", DUE[10], [])


def test_by_setting_a_reclassification_counts_from_its_own_day() -> None:
    anew = policy(reclassify_from="reclassification")
    start = accepted("2026-11-02 09:00", "simple")
    case = case_of(start, event("classified", "2026-11-04 09:00", kind="complex"), policy=anew)
    assert due_on(case) == "2026-11-18"
    same = case_of(start, event("classified", "2026-11-04 09:00", kind="simple"), policy=anew)
    assert due_on(same) == DUE[3]  # nothing was reclassified


def test_a_change_to_a_longer_limit_after_it_ran_out_is_a_finding_and_the_breach_stands() -> None:
    history = (accepted("2026-11-02 09:00", "simple"), event("classified", "2026-11-05 17:31", kind="complex"))
    case = case_of(*history)
    assert (case.kind, due_on(case), codes(case)) == ("complex", DUE[3], ["reclassified_late"])
    done = case_of(*history, closed("2026-11-06 09:00"))
    assert done.main is not None
    assert (done.main.verdict, done.main.late_days) == (Verdict.BREACHED, 1)


def test_a_change_at_the_very_due_instant_is_still_in_time() -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), event("classified", "2026-11-05 17:30", kind="complex"))
    assert (due_on(case), codes(case)) == (DUE[10], [])


def test_a_change_to_a_shorter_limit_counts_from_the_start_even_where_that_is_a_breach() -> None:
    case = case_of(accepted("2026-11-02 09:00", "complex"), event("classified", "2026-11-10 09:00", kind="simple"))
    assert (due_on(case), codes(case)) == (DUE[3], [])


def test_counting_anew_after_it_ran_out_would_wipe_out_the_breach_and_is_not_done() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", "complex"),
        event("classified", "2026-11-17 09:00", kind="simple"),
        policy=policy(reclassify_from="reclassification"),
    )
    assert (due_on(case), codes(case)) == (DUE[10], ["reclassified_late"])


# -- special cases --------------------------------------------------------------------------------------------------


def test_a_special_case_has_the_limit_that_was_stated() -> None:
    case = case_of(accepted("2026-11-02 09:00", "special", **{**SPECIAL, "limit_days": 12}))
    assert (case.kind, due_on(case), codes(case)) == ("special", DUE[12], [])


@pytest.mark.parametrize(
    ("left_out", "code"),
    [({"limit_days": None}, "special_incomplete"), ({"applicant_informed_at": None}, "special_incomplete")],
)
def test_a_special_case_without_limit_or_word_to_the_applicant_runs_as_complex(
    left_out: dict[str, Any], code: str
) -> None:
    case = case_of(accepted("2026-11-02 09:00", "special", **{**SPECIAL, **left_out}))
    assert (case.kind, due_on(case), codes(case)) == ("special", DUE[10], [code])


def test_what_was_missing_of_a_special_case_may_come_bit_by_bit() -> None:
    history = [accepted("2026-11-02 09:00", "special")]
    history.append(event("classified", "2026-11-03 09:00", kind="special", limit_days=15))
    assert (due_on(case_of(*history)), codes(case_of(*history))) == (DUE[10], ["special_incomplete"])
    history.append(event("classified", "2026-11-04 09:00", kind="special", applicant_informed_at="2026-11-04"))
    assert (due_on(case_of(*history)), codes(case_of(*history))) == (DUE[15], [])


def test_what_was_missing_of_a_special_case_comes_too_late_after_it_ran_out_as_complex() -> None:
    late = event("classified", "2026-11-17 09:00", kind="special", limit_days=15, applicant_informed_at="2026-11-17")
    case = case_of(accepted("2026-11-02 09:00", "special"), late)
    assert (due_on(case), codes(case)) == (DUE[10], ["reclassified_late"])


def test_what_was_said_of_a_special_case_is_not_kept_for_another_time() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", "special", **SPECIAL),
        event("classified", "2026-11-03 09:00", kind="complex"),
        event("classified", "2026-11-04 09:00", kind="special"),
    )
    assert (due_on(case), codes(case)) == (DUE[10], ["special_incomplete"])


def test_a_stated_limit_beyond_the_cap_is_not_taken() -> None:
    case = case_of(accepted("2026-11-02 09:00", "special", **{**SPECIAL, "limit_days": 16}))
    assert (due_on(case), codes(case)) == (DUE[10], ["limit_over_cap"])
    assert "16" in case.findings[0].text


# -- extensions -----------------------------------------------------------------------------------------------------


def test_an_extension_makes_a_case_special_with_the_new_total() -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), extended("2026-11-05 17:30", 15))
    assert (case.kind, due_on(case), codes(case)) == ("special", DUE[15], [])


def test_an_extension_until_a_date_counts_the_working_days_up_to_it() -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), extended("2026-11-03 09:00", until="2026-11-18"))
    assert (case.kind, due_on(case)) == ("special", DUE[12])


def test_an_extension_until_a_day_off_ends_on_the_next_working_day() -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), extended("2026-11-03 09:00", until="2026-11-07"))
    assert due_on(case) == DUE[5]


def test_an_extension_until_a_date_leaves_out_the_days_that_were_paused() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", "simple"),
        paused("2026-11-03 09:00"),
        extended("2026-11-05 09:00", until="2026-11-18T12:00:00+08:00"),
        event("resumed", "2026-11-05 10:00"),
    )
    assert (due_on(case), codes(case)) == ("2026-11-18", [])


EXTENSION_FAULTS = [
    ("2026-11-05 17:31", {"limit_days": 15}, ["extension_late"]),
    ("2026-11-03 09:00", {"limit_days": 16}, ["extension_over_cap"]),
    ("2026-11-03 09:00", {"until": "2026-11-24"}, ["extension_over_cap"]),
    ("2026-11-03 09:00", {"until": "2199-01-01"}, ["extension_over_cap"]),
    ("2026-11-03 09:00", {"limit_days": 2}, ["extension_shorter"]),
    ("2026-11-03 09:00", {"until": "2026-11-02"}, ["extension_shorter"]),
    ("2026-11-03 09:00", {"until": "2000-01-01"}, ["extension_shorter"]),
    ("2026-11-03 09:00", {"limit_days": 15, "reason": " "}, ["extension_no_reason"]),
    ("2026-11-03 09:00", {"limit_days": 15, "reason": None}, ["extension_no_reason"]),
    ("2026-11-03 09:00", {"limit_days": 15, "applicant_informed_at": None}, ["extension_not_informed"]),
    (
        "2026-11-06 09:00",
        {"limit_days": 20, "reason": "", "applicant_informed_at": ""},
        ["extension_late", "extension_over_cap", "extension_no_reason", "extension_not_informed"],
    ),
]


@pytest.mark.parametrize(("time", "data", "expected"), EXTENSION_FAULTS)
def test_an_extension_that_lacks_something_is_a_finding_and_the_old_limit_goes_on(
    time: str, data: dict[str, Any], expected: list[str]
) -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), extended(time, **data))
    assert (case.kind, due_on(case), codes(case)) == ("simple", DUE[3], expected)


def test_an_extension_that_nobody_approved_takes_effect_with_a_finding() -> None:
    case = case_of(accepted("2026-11-02 09:00", "simple"), extended("2026-11-03 09:00", 15, approved_by=None))
    assert (due_on(case), codes(case)) == (DUE[15], ["extension_unapproved"])


def test_by_setting_the_cap_is_on_top_of_the_limit_and_once_only() -> None:
    extra = policy(cap_counts="extra")
    start = accepted("2026-11-02 09:00", "complex")
    case = case_of(start, extended("2026-11-03 09:00", 25), policy=extra)
    assert (case.main and case.main.limit, codes(case)) == (25, [])
    assert codes(case_of(start, extended("2026-11-03 09:00", 26), policy=extra)) == ["extension_over_cap"]
    again = case_of(start, extended("2026-11-03 09:00", 20), extended("2026-11-04 09:00", 25), policy=extra)
    assert (again.main and again.main.limit, codes(again)) == (20, ["extension_twice"])


def test_a_classification_cannot_carry_the_limit_past_the_cap_after_an_extension() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", "simple"),
        extended("2026-11-03 09:00", 15),
        event("classified", "2026-11-04 09:00", kind="special", limit_days=100),
    )
    assert codes(case) == ["limit_over_cap"]
    assert case.main is not None
    assert case.main.limit == LIMITS["complex"]


def test_a_second_extension_within_the_total_is_taken() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", "simple"), extended("2026-11-03 09:00", 10), extended("2026-11-04 09:00", 13)
    )
    assert (due_on(case), codes(case)) == (DUE[13], [])


def test_a_late_arriving_event_can_make_an_extension_too_late() -> None:
    start, longer = accepted("2026-11-02 09:00", "complex"), extended("2026-11-09 09:00", 15)
    assert codes(case_of(start, longer)) == []
    case = case_of(start, longer, event("classified", "2026-11-03 09:00", kind="simple"))
    assert (due_on(case), codes(case)) == (DUE[3], ["extension_late"])
