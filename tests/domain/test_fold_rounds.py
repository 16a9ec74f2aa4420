"""The end of a case and what comes after: verdicts, answers owed, reopening, who held it."""

from __future__ import annotations

import pytest
from builders import accepted, at, case_of, closed, codes, due_on, event, extended, on, paused, policy, statuses

from sla_service.domain.case import REPLY_TARGET, Case, Clock, State, Verdict
from sla_service.domain.policy import Hours

START = accepted("2026-11-02 09:00", "simple")  # due on Thursday 2026-11-05 17:30


def main(case: Case) -> Clock:
    assert case.main is not None
    return case.main


@pytest.mark.parametrize(
    ("time", "verdict", "late"),
    [
        ("2026-11-02 09:00", Verdict.MET, 0),
        ("2026-11-05 17:30", Verdict.MET, 0),  # exactly at the due instant
        ("2026-11-05 17:31", Verdict.BREACHED, 0),  # on the due date, after close
        ("2026-11-06 08:00", Verdict.BREACHED, 1),
        ("2026-11-08 12:00", Verdict.BREACHED, 1),  # Sunday: only Friday has been worked
        ("2026-11-09 08:00", Verdict.BREACHED, 2),
    ],
)
def test_closing_judges_by_the_due_instant_and_counts_late_days_after_the_due_date(
    time: str, verdict: Verdict, late: int
) -> None:
    clock = main(case_of(START, closed(time)))
    assert (clock.verdict, clock.late_days, clock.stopped_at) == (verdict, late, at(time))
    assert not clock.running


def test_a_hall_that_closes_at_24_judges_by_midnight() -> None:
    late = policy(hours=Hours(close=24 * 60))
    assert main(case_of(START, closed("2026-11-06 00:00"), policy=late)).verdict is Verdict.MET
    clock = main(case_of(START, closed("2026-11-06 00:01"), policy=late))
    assert (clock.verdict, clock.late_days) == (Verdict.BREACHED, 1)


def test_a_provisional_due_date_is_breached_only_after_its_latest() -> None:
    start = accepted("2027-01-25 09:00", "complex")
    due = main(case_of(start)).due
    assert due is not None
    assert due.on < due.latest
    hours = Hours()
    assert main(case_of(start, closed(due.latest_at))).verdict is Verdict.MET
    after = main(case_of(start, closed(hours.close_at(due.latest).replace(minute=31))))
    assert (after.verdict, after.late_days) == (Verdict.BREACHED, 0)


# -- an answer to everybody -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("resolved", ["no_reply"]), ("explained", ["no_reply"]), ("withdrawn", [])],
)
def test_closing_without_an_answer_is_a_finding_until_it_is_given(outcome: str, expected: list[str]) -> None:
    history = (START, closed("2026-11-03 09:00", outcome, replied=False))
    case = case_of(*history)
    assert codes(case) == expected
    assert [c.target for c in case.clocks if c.running] == [REPLY_TARGET] * len(expected)
    answered = case_of(*history, event("replied", "2026-11-04 09:00"))
    assert (codes(answered), [c.target for c in answered.clocks]) == ([], ["resolve"])


def test_an_answer_given_before_closing_counts() -> None:
    given = event("replied", "2026-11-03 08:00", replied_at="2026-11-02T16:00:00+08:00")
    case = case_of(START, given, closed("2026-11-03 09:00", replied=False))
    assert (codes(case), case.replied_at) == ([], at("2026-11-02 16:00"))


def test_a_transfer_without_an_answer_leaves_the_case_running() -> None:
    case = case_of(START, closed("2026-11-03 09:00", "transferred", replied=False, id="t"))
    assert (case.state, due_on(case), codes(case)) == (State.RUNNING, "2026-11-05", ["transferred_unanswered"])
    assert (statuses(case)["t"], case.closed_at) == ("applied", None)


def test_a_transferred_case_closes_when_the_applicant_is_answered() -> None:
    history = (START, closed("2026-11-03 09:00", "transferred", replied=False))
    case = case_of(*history, event("replied", "2026-11-06 09:00"))
    assert (case.state, case.outcome, case.closed_at) == (State.CLOSED, "transferred", at("2026-11-06 09:00"))
    assert (main(case).verdict, codes(case)) == (Verdict.BREACHED, [])


def test_a_transfer_with_an_answer_closes_at_once() -> None:
    case = case_of(START, closed("2026-11-03 09:00", "transferred"))
    assert (case.state, main(case).verdict, codes(case)) == (State.CLOSED, Verdict.MET, [])


def test_a_transferred_case_may_be_closed_in_another_way() -> None:
    case = case_of(
        START, closed("2026-11-03 09:00", "transferred", replied=False), closed("2026-11-04 09:00", "explained")
    )
    assert (case.state, case.outcome, codes(case)) == (State.CLOSED, "explained", [])


def test_a_withdrawn_case_keeps_its_verdict() -> None:
    case = case_of(START, closed("2026-11-06 09:00", "withdrawn", replied=False))
    assert (case.outcome, main(case).verdict) == ("withdrawn", Verdict.BREACHED)


# -- reopening ------------------------------------------------------------------------------------------------------

REOPENED = (START, closed("2026-11-06 09:00"), event("reopened", "2026-11-10 09:00", reason="未办成"))


def test_reopening_begins_a_new_round_with_a_fresh_clock_and_keeps_the_old_verdict() -> None:
    case = case_of(*REOPENED)
    assert (case.state, case.round, due_on(case)) == (State.RUNNING, 2, "2026-11-13")
    assert (case.closed_at, case.outcome, case.replied_at) == (None, None, None)
    assert [(c.round, c.verdict, c.late_days) for c in case.clocks] == [(1, Verdict.BREACHED, 1), (2, None, None)]


def test_a_fresh_clock_has_the_limit_of_the_kind_that_the_case_has_by_then() -> None:
    late = event("classified", "2026-11-05 18:00", kind="complex")  # too late for the first round
    case = case_of(*REOPENED, late)
    assert [c.limit for c in case.clocks] == [3, 10]


def test_a_fresh_clock_keeps_an_extension() -> None:
    assert [c.limit for c in case_of(*REOPENED, extended("2026-11-03 09:00", 12)).clocks] == [12, 12]


def test_by_setting_reopening_goes_on_with_what_was_left() -> None:
    on_with = policy(reopen="continue")
    start = accepted("2026-11-02 09:00", "simple")
    again = event("reopened", "2026-11-10 09:00", reason="未办成")
    case = case_of(start, closed("2026-11-03 18:00"), again, policy=on_with)  # one of three days used
    assert (due_on(case), main(case).round) == ("2026-11-11", 2)
    assert main(case).start_on == on("2026-11-02")
    assert [p.reason for p in main(case).pauses] == ["closed"]


def test_by_setting_a_reopened_case_that_had_run_out_is_overdue_at_once() -> None:
    case = case_of(*REOPENED, policy=policy(reopen="continue"))
    assert due_on(case) == "2026-11-05"
    assert main(case).ran_out(at("2026-11-10 09:00"))


def test_an_answer_is_owed_anew_in_a_new_round() -> None:
    case = case_of(*REOPENED, closed("2026-11-11 09:00", replied=False))
    assert codes(case) == ["no_reply"]
    assert [(c.target, c.round) for c in case.clocks] == [("resolve", 1), ("resolve", 2), (REPLY_TARGET, 2)]


# -- who held it, what was said -------------------------------------------------------------------------------------


def test_everybody_who_held_the_case_is_kept_with_the_time() -> None:
    case = case_of(
        START,
        event("assigned", "2026-11-03 09:00", handler="lisi"),
        event("assigned", "2026-11-04 09:00", department="市场监管科"),
        event("signed", "2026-11-04 10:00", handler="wangwu"),
    )
    assert [(h.handler, h.department) for h in case.holders] == [
        ("zhangsan", "社会事务科"),
        ("lisi", "社会事务科"),
        (None, "市场监管科"),  # the old handler does not go along
        ("wangwu", "市场监管科"),
    ]
    held = case.holder_at(at("2026-11-03 17:30"))
    assert held is not None
    assert held.handler == "lisi"
    assert case.handler == "wangwu"


def test_the_holder_before_the_first_one_is_the_first_one() -> None:
    held = case_of(START).holder_at(at("2026-11-01 09:00"))
    assert held is not None
    assert held.handler == "zhangsan"


def test_somebody_else_who_signs_does_not_take_the_case_over() -> None:
    case = case_of(START, event("signed", "2026-11-03 09:00", handler="lisi"))
    assert (case.handler, case.acknowledged) == ("zhangsan", ((at("2026-11-03 09:00"), "lisi"),))


def test_progress_by_the_handler_acknowledges() -> None:
    case = case_of(START, event("progressed", "2026-11-03 09:00", text="已联系"))
    assert case.acknowledged == ((at("2026-11-03 09:00"), "zhangsan"),)


def test_progress_of_a_case_that_nobody_holds_acknowledges_nothing() -> None:
    case = case_of(accepted("2026-11-02 09:00", handler=None), event("progressed", "2026-11-03 09:00"))
    assert case.acknowledged == ()


def test_blank_names_are_no_names() -> None:
    case = case_of(
        accepted("2026-11-02 09:00", handler=" ", department=""),
        event("assigned", "2026-11-03 09:00", department="社会事务科", handler="  "),
    )
    assert (case.department, case.handler) == ("社会事务科", None)


def test_urging_and_escalating_are_words_to_be_passed_on() -> None:
    case = case_of(
        START,
        event("urged", "2026-11-03 09:00", id="u", by="赵六", text="请尽快"),
        event("escalated", "2026-11-03 10:00", id="e", to="joint_committee", by="lisi", reason="需多部门"),
    )
    assert [(c.event_id, c.to, c.by, c.text) for c in case.calls] == [
        ("u", "handler", "赵六", "请尽快"),
        ("e", "joint_committee", "lisi", "需多部门"),
    ]


def test_merging_links_cases_and_stops_no_clock() -> None:
    case = case_of(START, event("merged", "2026-11-03 09:00", into="BBC-2026-0009"))
    assert (case.merged_into, case.state, due_on(case)) == (("BBC-2026-0009",), State.RUNNING, "2026-11-05")


def test_a_case_that_waits_for_its_answer_may_be_paused_and_reassigned() -> None:
    case = case_of(
        START,
        closed("2026-11-03 09:00", "transferred", replied=False),
        paused("2026-11-04 09:00"),
        event("replied", "2026-11-09 09:00"),
        event("assigned", "2026-11-10 09:00", handler="lisi"),
    )
    assert (case.state, main(case).verdict, case.handler) == (State.CLOSED, Verdict.MET, "lisi")


def test_a_round_that_goes_on_is_not_told_again_what_the_first_one_was_told() -> None:
    case = case_of(*REOPENED, policy=policy(reopen="continue"))
    assert main(case).started_at == at("2026-11-10 09:00")
