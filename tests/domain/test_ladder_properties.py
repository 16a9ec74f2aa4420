"""The watermark: whenever somebody looks at a clock, nothing is told twice and nothing is left out."""

from __future__ import annotations

from datetime import datetime, timedelta

from builders import CALENDAR, LADDER, POLICY, accepted, at, case_of, event, ladder_of, paused, policy, step
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sla_service.domain.case import Case
from sla_service.domain.clock import business_date
from sla_service.domain.ladder import Ladder, decide, window
from sla_service.domain.policy import Policy

MANY = settings(max_examples=200, deadline=None)
MINUTE = timedelta(minutes=1)
BEGIN, SPAN = at("2026-09-18 10:00"), 60 * 24 * 60  # two festivals and two make-up days lie in it

_STEPS = [
    *LADDER,
    step("50%", "handler"),
    step("100%", "section_head"),
    step("due-2wd 17:30", "handler duty"),
    step("due+1wd", "handler"),
    step("breach 20:00", "section_head", window="always"),
    step("breach+1wd", "handler section_head station_chief", repeat=1),
    step("breach+4wd 23:59", "joint_committee", repeat=3),
    step("pause_end+2wd 12:00", "station_chief", repeat=2),
]
POLICIES = st.builds(
    lambda steps, window: policy(ladder=steps, send_window=window),
    st.lists(st.sampled_from(_STEPS), unique_by=lambda s: s.key, max_size=8).map(tuple) | st.just(LADDER),
    st.sampled_from(("working_hours", "always")),
)
CASES = st.sampled_from(
    [
        (accepted(BEGIN, "simple"),),
        (accepted(BEGIN, "complex"),),
        (accepted(BEGIN, "special", limit_days=15, applicant_informed_at="2026-09-18"),),
        (accepted(BEGIN, "complex"), paused("2026-09-21 10:00")),
        (accepted(BEGIN, "complex"), paused("2026-09-21 10:00"), event("resumed", "2026-09-30 10:00")),
        (accepted(BEGIN, "simple"), paused("2026-09-24 10:00")),  # after it ran out
    ]
)
LOOKS = st.lists(st.integers(0, SPAN), min_size=1, max_size=25).map(
    lambda minutes: [BEGIN + m * MINUTE for m in sorted(minutes)]
)


def occurrences(ladder: Ladder, upto: datetime) -> list[tuple[str, str, int]]:
    """Role, step and repeat of all that is planned."""
    return [(role, p.step.key, p.n) for p in ladder.planned(BEGIN, upto) for role in p.step.to]


def made(case: Case, rules: Policy) -> Ladder:
    return ladder_of(case, rules)


@MANY
@given(CASES, POLICIES, LOOKS)
def test_whenever_somebody_looks_nothing_is_told_twice(case, rules, looks) -> None:
    ladder = made(case_of(*case, policy=rules), rules)
    mark, told, breaches = BEGIN, [], []
    for now in looks:
        firing = decide(ladder, watermark=mark, now=now)
        told += [(n.role, n.step.key, n.planned.n) for n in firing.notices]
        breaches += [firing.breached_at] * (firing.breached_at is not None)
        mark = now
    assert len(told) == len(set(told))
    assert set(told) <= set(occurrences(ladder, mark))
    due = ladder.clock.due
    assert breaches == ([due.latest_at] if due is not None and due.latest_at <= mark else [])


@MANY
@given(CASES, POLICIES)
def test_looking_when_asked_to_tells_every_step_exactly_once_at_its_time(case, rules) -> None:
    ladder = made(case_of(*case, policy=rules), rules)
    end = BEGIN + SPAN * MINUTE
    mark, told = BEGIN, []
    while (now := ladder.next_after(mark)) is not None and now <= end:
        firing = decide(ladder, watermark=mark, now=now)
        assert firing.next_at is None or firing.next_at > now
        assert all(n.planned.at == now for n in firing.notices)
        assert all(n.not_before == window(now, rules, CALENDAR, n.step) for n in firing.notices)
        told += [(now, n.role, key) for n in firing.notices for key in (n.step.key, *n.missed)]
        mark = now
    assert sorted(told) == sorted((p.at, role, p.step.key) for p in ladder.planned(BEGIN, end) for role in p.step.to)


@MANY
@given(CASES, POLICIES, LOOKS)
def test_a_look_leaves_nothing_out_but_overtaken_reminders(case, rules, looks) -> None:
    ladder = made(case_of(*case, policy=rules), rules)
    mark = BEGIN
    for now in looks:
        firing = decide(ladder, watermark=mark, now=now)
        due = ladder.clock.due
        found = ladder.planned(mark, now)
        if due is not None and now >= due.latest_at:
            found = [p for p in found if p.at > due.latest_at or not p.step.before_breach]
        asked = {(role, p.step.key) for p in found for role in p.step.to}
        answered = {(n.role, key) for n in firing.notices for key in (n.step.key, *n.missed)}
        assert answered == asked
        assert len({n.role for n in firing.notices}) == len(firing.notices)  # one message to each
        mark = now


@MANY
@given(CASES, POLICIES, LOOKS)
def test_handlers_and_section_heads_first_others_a_working_day_later(case, rules, looks) -> None:
    ladder = made(case_of(*case, policy=rules), rules)
    mark = BEGIN
    for now in looks:
        firing = decide(ladder, watermark=mark, now=now)
        due = ladder.clock.due
        found = [
            p.at
            for p in ladder.planned(mark, now)
            if not (due and p.at <= due.latest_at <= now and p.step.before_breach)
        ]
        for notice in firing.notices:
            higher = notice.role not in ("handler", "section_head", "duty")
            if len(set(found)) > 1 and higher:
                next_morning = rules.hours.open_at(CALENDAR.nth_after(business_date(now), 1))
                assert notice.not_before == next_morning
            else:
                assert notice.not_before == window(now, rules, CALENDAR, notice.step)
        mark = now


@MANY
@given(CASES, POLICIES, st.integers(0, SPAN))
def test_nothing_is_planned_between_a_look_and_the_next_one(case, rules, minute) -> None:
    ladder = made(case_of(*case, policy=rules), rules)
    now = BEGIN + minute * MINUTE
    upcoming = ladder.next_after(now)
    upto = upcoming or now + timedelta(days=90)
    between = [p for p in ladder.planned(now, upto) if p.at < upto]
    assert between == []


@MANY
@given(st.integers(0, 500 * 24 * 60))
def test_the_send_window_is_the_first_working_minute_from_then_on(minute: int) -> None:
    moment = at("2025-06-01 00:00") + minute * MINUTE
    found = window(moment, POLICY, CALENDAR)
    opening, close = POLICY.hours.open_at(business_date(found)), POLICY.hours.close_at(business_date(found))
    assert CALENDAR.is_working(business_date(found))
    assert opening <= found < close
    assert found >= moment
    assume(found > moment)
    assert found == opening
    day = business_date(moment)
    while day < business_date(found):  # no working minute was left out on the way
        assert not CALENDAR.is_working(day) or POLICY.hours.close_at(day) <= moment
        day += timedelta(days=1)
