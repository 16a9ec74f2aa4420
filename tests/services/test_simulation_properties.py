"""What holds for any history in virtual time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

from builders import CALENDAR, POLICY, SIGN, directory, policy, step
from histories import histories
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_service.domain.events import Event
from sla_service.domain.ladder import window
from sla_service.domain.policy import BEIJING
from sla_service.services.simulation import simulate

HALL = directory(("zhangsan", "lisi", "2026-10-08", "2026-10-09"))
MANY = settings(max_examples=150, deadline=None)

_SIGNING = (step("due-0wd 14:00", "handler"), step("breach", "section_head duty"))
RULES = st.sampled_from(
    [
        POLICY,
        policy(send_window="always"),
        policy(reopen="continue", others=(replace(SIGN, ladder=_SIGNING),)),
        policy(
            ladder=[step("breach+1wd", "handler section_head", repeat=1, until="acknowledged"), step("50%", "duty")]
        ),
    ]
)


def near(events: list[Event]) -> list[Event]:
    """Without what lies decades away: a ladder is not to be climbed for that long."""
    return [e for e in events if 2026 <= e.time.year <= 2027]


@MANY
@given(histories(), RULES, st.randoms(use_true_random=False))
def test_any_history_can_be_replayed_in_any_order(events, rules, random) -> None:
    history = near(events)
    result = simulate(history, rules, HALL, CALENDAR)
    random.shuffle(history)
    again = simulate(history, rules, HALL, CALENDAR)
    assert again.figures() | {"messages": 0} == result.figures() | {"messages": 0}
    assert Counter(again.messages) == Counter(result.messages)


@MANY
@given(histories(), RULES)
def test_nobody_is_told_the_same_thing_twice(events, rules) -> None:
    result = simulate(near(events), rules, HALL, CALENDAR)
    steps = [m for m in result.messages if m.step not in ("urged", "escalated")]
    told = [(m.case, m.target, m.round, m.step, m.occurrence, m.due_on, m.to, m.to or m.role, m.channel) for m in steps]
    assert len(told) == len(set(told))
    urged = [(m.case, m.to, m.channel, m.at.date()) for m in result.messages if m.step == "urged"]
    assert len(urged) == len(set(urged))


@MANY
@given(histories(), RULES)
def test_messages_go_out_in_order_in_the_window_and_never_before_they_are_planned(events, rules) -> None:
    result = simulate(near(events), rules, HALL, CALENDAR)
    assert [m.at for m in result.messages] == sorted(m.at for m in result.messages)
    for message in result.messages:
        assert message.planned_at <= message.at <= result.end
        assert rules.send_window == "always" or window(message.at, rules, CALENDAR) == message.at


@MANY
@given(histories(), RULES)
def test_the_figures_agree_with_the_cases(events, rules) -> None:
    figures = simulate(near(events), rules, HALL, CALENDAR).figures()
    assert figures["met"] + figures["breached"] + figures["open"] == figures["cases"]
    assert figures["withdrawn"] <= figures["met"] + figures["breached"]
    assert sum(one["count"] for one in figures["messages"]["by_step_role"]) == figures["messages"]["total"]
    assert figures["events"] == len({(e.source, e.id) for e in near(events)})
    assert json.loads(json.dumps(figures)) == figures


@MANY
@given(histories(), st.datetimes(datetime(2026, 9, 18), datetime(2026, 12, 31)))  # noqa: DTZ001
def test_what_is_told_up_to_a_day_does_not_depend_on_what_comes_later(events, naive) -> None:
    history, day = near(events), naive.replace(tzinfo=BEIJING)
    whole = simulate(history, POLICY, HALL, CALENDAR, end=max([day, *(e.time for e in history)]))
    part = simulate(history, POLICY, HALL, CALENDAR, end=day)
    assert Counter(part.messages) == Counter(m for m in whole.messages if m.at <= day)
