"""Several targets on one case: signing, following up, and others that a policy may invent."""

from __future__ import annotations

from builders import FOLLOW_UP, LIMITS, SIGN, accepted, at, case_of, closed, event, paused, policy

from sla_service.domain.case import Case, Verdict
from sla_service.domain.policy import Target

ALL = policy(others=(SIGN, FOLLOW_UP))
START = accepted("2026-11-02 09:00", "complex")
ASSIGNED = event("assigned", "2026-11-02 10:00", handler="lisi")


def clocks(case: Case, target: str) -> list[tuple[int, bool, Verdict | None]]:
    """Round, still running, verdict."""
    return [(c.round, c.running, c.verdict) for c in case.clocks if c.target == target]


def test_signing_is_timed_from_the_assignment_beside_the_halls_own_clock() -> None:
    case = case_of(START, ASSIGNED, policy=ALL)
    assert clocks(case, "sign") == [(1, True, None)]
    assert clocks(case, "resolve") == [(1, True, None)]
    in_time = case_of(START, ASSIGNED, event("signed", "2026-11-03 17:30"), policy=ALL)
    assert clocks(in_time, "sign") == [(1, False, Verdict.MET)]
    late = case_of(START, ASSIGNED, event("signed", "2026-11-04 09:00"), policy=ALL)
    assert clocks(late, "sign") == [(1, False, Verdict.BREACHED)]


def test_a_new_holder_signs_anew_and_the_old_signing_is_neither_met_nor_breached() -> None:
    case = case_of(START, ASSIGNED, event("assigned", "2026-11-03 09:00", handler="wangwu"), policy=ALL)
    assert clocks(case, "sign") == [(1, False, None), (2, True, None)]


def test_a_signing_that_had_run_out_stays_breached_when_the_case_goes_on() -> None:
    case = case_of(START, ASSIGNED, event("assigned", "2026-11-05 09:00", handler="wangwu"), policy=ALL)
    assert clocks(case, "sign") == [(1, False, Verdict.BREACHED), (2, True, None)]


def test_closing_ends_a_signing_without_a_verdict_and_begins_the_follow_up() -> None:
    case = case_of(START, ASSIGNED, closed("2026-11-03 09:00"), policy=ALL)
    assert clocks(case, "sign") == [(1, False, None)]
    assert clocks(case, "follow_up") == [(1, True, None)]
    done = case_of(START, closed("2026-11-03 09:00"), event("followed_up", "2026-11-10 09:00"), policy=ALL)
    assert clocks(done, "follow_up") == [(1, False, Verdict.MET)]


def test_an_assignment_after_closing_begins_no_signing() -> None:
    case = case_of(START, closed("2026-11-03 09:00"), event("assigned", "2026-11-04 09:00", handler="lisi"), policy=ALL)
    assert clocks(case, "sign") == []


def test_reopening_ends_the_follow_up_and_closing_again_begins_the_next() -> None:
    history = (START, closed("2026-11-03 09:00"), event("reopened", "2026-11-04 09:00", reason="未办成"))
    assert clocks(case_of(*history, policy=ALL), "follow_up") == [(1, False, None)]
    again = case_of(*history, closed("2026-11-05 09:00"), policy=ALL)
    assert clocks(again, "follow_up") == [(1, False, None), (2, True, None)]


def test_a_transfer_without_an_answer_begins_no_follow_up_until_it_is_given() -> None:
    history = (START, closed("2026-11-03 09:00", "transferred", replied=False))
    assert clocks(case_of(*history, policy=ALL), "follow_up") == []
    answered = case_of(*history, event("replied", "2026-11-04 09:00"), policy=ALL)
    assert clocks(answered, "follow_up") == [(1, True, None)]


def test_a_pause_holds_every_clock_also_one_that_starts_meanwhile() -> None:
    case = case_of(START, paused("2026-11-02 09:30"), ASSIGNED, policy=ALL)
    assert all(c.due is None for c in case.clocks)
    back = case_of(START, paused("2026-11-02 09:30"), ASSIGNED, event("resumed", "2026-11-04 09:00"), policy=ALL)
    sign = next(c for c in back.clocks if c.target == "sign")
    assert sign.due is not None
    assert sign.due.at == at("2026-11-04 17:30")


def test_closing_a_paused_case_ends_the_pause_for_whatever_begins_then() -> None:
    case = case_of(START, paused("2026-11-02 09:30"), closed("2026-11-03 09:00"), policy=ALL)
    follow_up = next(c for c in case.clocks if c.target == "follow_up")
    assert (follow_up.pauses, follow_up.due is not None) == ((), True)


def test_a_reset_leaves_the_other_clocks_alone() -> None:
    case = case_of(START, ASSIGNED, event("reset", "2026-11-03 09:00", reason="材料补齐"), policy=ALL)
    sign = next(c for c in case.clocks if c.target == "sign")
    assert sign.started_at == at("2026-11-02 10:00")


def test_a_reclassification_reaches_every_running_clock() -> None:
    signing = Target("sign", ("case.assigned",), ("case.signed",), {"simple": 1, "complex": 2, "special": 3})
    mine = policy(others=(signing,))
    case = case_of(START, ASSIGNED, event("classified", "2026-11-03 09:00", kind="simple"), policy=mine)
    assert [(c.target, c.limit) for c in case.clocks] == [("resolve", 3), ("sign", 1)]


def test_a_target_may_be_fulfilled_and_begun_anew_by_the_same_event() -> None:
    moving = Target("moving", ("case.accepted", "case.progressed"), ("case.progressed",), dict.fromkeys(LIMITS, 2))
    progress = [event("progressed", f"2026-11-{day} 09:00") for day in ("03", "09")]
    case = case_of(START, *progress, policy=policy(others=(moving,)))
    assert clocks(case, "moving") == [(1, False, Verdict.MET), (2, False, Verdict.BREACHED), (3, True, None)]


def test_a_target_that_an_answer_stops_outlives_closing_without_one() -> None:
    answer = Target("answer", ("case.accepted",), ("case.replied",), dict.fromkeys(LIMITS, 5))
    mine = policy(others=(answer,))
    silent = closed("2026-11-03 09:00", replied=False)
    assert clocks(case_of(START, silent, policy=mine), "answer") == [(1, True, None)]
    assert clocks(case_of(START, closed("2026-11-03 09:00"), policy=mine), "answer") == [(1, False, Verdict.MET)]
    late = case_of(START, silent, event("replied", "2026-11-10 09:00"), policy=mine)
    assert clocks(late, "answer") == [(1, False, Verdict.BREACHED)]
