"""What holds for every history that the contract lets in, in whatever order and however often it arrives."""

from __future__ import annotations

from builders import CALENDAR, at
from histories import POLICIES, histories
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_service.domain.case import REPLY_TARGET, Case, State
from sla_service.domain.clock import business_date, used
from sla_service.domain.events import Event
from sla_service.domain.fold import fold
from sla_service.domain.policy import MAIN_TARGET, Policy

MANY = settings(max_examples=400, deadline=None)  # the first calendar of a projected year takes its time


def fold_it(events: list[Event], policy: Policy) -> Case:
    return fold(events, policy, CALENDAR, source="hall", no="1")


@MANY
@given(histories(), POLICIES, st.data())
def test_any_order_and_any_repetition_give_the_same_case(
    events: list[Event], policy: Policy, data: st.DataObject
) -> None:
    plain = fold_it(events, policy)
    again = data.draw(st.lists(st.sampled_from(events), max_size=8)) if events else []
    shuffled = data.draw(st.permutations(events + again))
    assert fold_it(list(shuffled), policy) == plain


@MANY
@given(histories(), POLICIES)
def test_every_event_gets_a_status_and_a_refused_one_a_reason(events: list[Event], policy: Policy) -> None:
    case = fold_it(events, policy)
    assert set(case.statuses) == {e.id for e in events}
    assert all(problem for status, problem in case.statuses.values() if status != "applied")


@MANY
@given(histories(), POLICIES)
def test_state_clocks_and_verdicts_agree(events: list[Event], policy: Policy) -> None:
    case = fold_it(events, policy)
    if not case.accepted:
        assert case.clocks == ()
        return
    main = case.main
    assert main is not None
    assert main.running == (case.state is not State.CLOSED)
    assert (case.closed_at is None) == (case.outcome is None) == main.running
    assert main.round == case.round
    for clock in case.clocks:
        assert (clock.due is None) <= (clock.open_pause is not None or clock.target == REPLY_TARGET)
        assert (clock.verdict is None) <= (clock.running or clock.target != MAIN_TARGET)
        if clock.verdict is not None and clock.stopped_at is not None and clock.due is not None:
            assert (clock.verdict == "breached") == (clock.stopped_at > clock.due.latest_at)
            assert clock.late_days is not None
            assert clock.late_days == max(0, CALENDAR.between(clock.due.latest, business_date(clock.stopped_at))) or (
                clock.verdict == "met" and clock.late_days == 0
            )


@MANY
@given(histories(), POLICIES)
def test_the_account_of_every_clock_ends_on_its_due_date(events: list[Event], policy: Policy) -> None:
    case = fold_it(events, policy)
    for clock in case.clocks:
        if clock.target == REPLY_TARGET:
            continue
        lines = clock.account(CALENDAR, policy.hours, today=at("2026-12-01 09:00").date())
        counted = sum(day.n is not None for day in lines)
        assert lines[0].on == clock.start_on
        if clock.due is not None:
            assert (lines[-1].on, counted) == (clock.due.on, clock.limit)
            assert used(CALENDAR, policy.hours, clock.start_on, clock.pauses, clock.due.on) == clock.limit


@MANY
@given(histories(), POLICIES)
def test_a_limit_never_passes_the_cap(events: list[Event], policy: Policy) -> None:
    case = fold_it(events, policy)
    most = policy.cap_days + (policy.cap_days if policy.cap_counts == "extra" else 0)
    assert all(clock.limit <= most for clock in case.clocks)


@MANY
@given(histories(), POLICIES)
def test_bounds_enclose_the_due_date(events: list[Event], policy: Policy) -> None:
    for clock in fold_it(events, policy).clocks:
        if clock.due is not None:
            assert clock.due.earliest <= clock.due.on <= clock.due.latest
            assert clock.due.provisional or clock.due.earliest == clock.due.latest
