"""Every type of event in every state of a case, and which state it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import NO, accepted, case_of, closed, due_on, event, paused, statuses

from sla_service.domain.case import State
from sla_service.domain.events import TYPES, Event
from sla_service.domain.findings import TEXTS

BEFORE: dict[str, tuple[Event, ...]] = {
    "waiting": (),
    "running": (accepted("2026-11-02 09:00"),),
    "paused": (accepted("2026-11-02 09:00"), paused("2026-11-02 10:00")),
    "closed": (accepted("2026-11-02 09:00"), closed("2026-11-02 10:00")),
}

# the event and its data; the state it leaves behind where it is taken ("-": refused) in running, paused, closed
TABLE: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("accepted", {"kind": "complex"}, "-", "-", "-"),
    ("classified", {"kind": "complex"}, "running", "paused", "-"),
    ("assigned", {"handler": "lisi"}, "running", "paused", "closed"),
    ("signed", {}, "running", "paused", "-"),
    ("extended", {"limit_days": 5}, "running", "paused", "-"),
    ("escalated", {"to": "station_chief"}, "running", "paused", "-"),
    ("paused", {"reason": "hearing"}, "paused", "-", "-"),
    ("resumed", {}, "-", "running", "-"),
    ("reset", {"reason": "材料补齐"}, "running", "running", "-"),
    ("urged", {}, "running", "paused", "-"),
    ("progressed", {}, "running", "paused", "-"),
    ("closed", {"outcome": "resolved"}, "closed", "closed", "-"),
    ("replied", {}, "running", "paused", "closed"),
    ("reopened", {"reason": "未办成"}, "-", "-", "running"),
    ("followed_up", {}, "-", "-", "closed"),
    ("merged", {"into": "BBC-2026-0009"}, "running", "paused", "closed"),
]
ROWS = [
    (name, data, before, after)
    for name, data, *row in TABLE
    for before, after in zip(("running", "paused", "closed"), row, strict=True)
]


@pytest.mark.parametrize(("name", "data", "before", "after"), ROWS)
def test_an_event_is_taken_or_refused_by_the_state_of_its_case(
    name: str, data: dict[str, Any], before: str, after: str
) -> None:
    one = event(name, "2026-11-02 11:00", id="one", **data)
    case = case_of(*BEFORE[before], one)
    if after == "-":
        assert statuses(case)["one"] == "rejected"
        assert case.state == before
    else:
        assert statuses(case)["one"] == "applied"
        assert case.state == after


@pytest.mark.parametrize(("name", "data", "before", "after"), [row for row in ROWS if row[3] == "-"])
def test_a_refused_event_changes_nothing_but_its_own_status(
    name: str, data: dict[str, Any], before: str, after: str
) -> None:
    plain = case_of(*BEFORE[before])
    case = case_of(*BEFORE[before], event(name, "2026-11-02 11:00", id="one", **data))
    assert replace(case, statuses=plain.statuses) == plain
    _, problem = case.statuses["one"]
    assert NO in problem
    assert "one" in problem or name == "accepted"


@pytest.mark.parametrize(("name", "data"), [row[:2] for row in TABLE if row[0] != "accepted"])
def test_an_event_waits_for_the_acceptance_of_its_case(name: str, data: dict[str, Any]) -> None:
    case = case_of(event(name, "2026-11-02 11:00", id="one", **data))
    assert statuses(case) == {"one": "waiting"}
    assert not case.accepted


def test_the_table_speaks_of_every_type_of_event() -> None:
    assert {f"case.{row[0]}" for row in TABLE} | {"event.voided", "visit.answered"} == set(TYPES)


def test_a_visit_is_counted_and_is_no_case() -> None:
    case = case_of(event("visit.answered", "2026-11-02 11:00", id="v", matter="咨询", count=3))
    assert statuses(case) == {"v": "applied"}
    assert not case.accepted


def test_a_refused_event_is_taken_once_an_earlier_one_arrives() -> None:
    early, late = paused("2026-11-03 10:00"), event("resumed", "2026-11-04 10:00")
    assert statuses(case_of(accepted("2026-11-02 09:00"), late))[late.id] == "rejected"
    case = case_of(accepted("2026-11-02 09:00"), late, early)
    assert statuses(case)[late.id] == "applied"
    assert due_on(case) == "2026-11-06"


def test_equal_times_go_by_the_order_of_the_types_then_by_id() -> None:
    both = (event("resumed", "2026-11-03 10:00", id="a"), paused("2026-11-03 10:00", id="b"))
    case = case_of(accepted("2026-11-02 09:00"), *both)
    assert set(statuses(case).values()) == {"applied"}  # paused comes first, then resumed
    assert case.state is State.RUNNING
    first, second = (
        event("assigned", "2026-11-03 10:00", id=i, handler=h) for i, h in (("b", "lisi"), ("a", "wangwu"))
    )
    assert case_of(accepted("2026-11-02 09:00"), first, second).handler == "lisi"  # b after a


def test_an_event_dated_before_the_acceptance_counts_as_of_the_acceptance() -> None:
    early = paused("2026-11-02 08:00", id="early")
    case = case_of(early, accepted("2026-11-02 09:00"))
    assert case.main is not None
    assert [p.begin for p in case.main.pauses] == [case.accepted_at]
    assert [(f.code, f.at, f.event_id) for f in case.findings] == [("before_acceptance", early.time, "early")]


def test_earlier_events_keep_their_order_after_the_acceptance() -> None:
    case = case_of(
        event("resumed", "2026-11-01 12:00"),
        paused("2026-11-01 11:00"),
        event("assigned", "2026-11-01 10:00", handler="lisi"),
        accepted("2026-11-02 09:00", handler="zhangsan"),
    )
    assert (case.state, case.handler) == (State.RUNNING, "lisi")
    assert set(statuses(case).values()) == {"applied"}


def test_a_second_acceptance_is_refused_whichever_arrives_first() -> None:
    first = accepted("2026-11-02 09:00", "simple", id="first")
    second = accepted("2026-11-03 09:00", "complex", id="second")
    for history in ((first, second), (second, first)):
        case = case_of(*history)
        assert statuses(case) == {"first": "applied", "second": "rejected"}
        assert (case.kind, due_on(case)) == ("simple", "2026-11-05")


def test_the_same_id_twice_counts_once_and_the_first_one_stands() -> None:
    one = accepted("2026-11-02 09:00", "simple", id="e-1")
    other = accepted("2026-11-02 09:00", "complex", id="e-1")
    assert case_of(one, one) == case_of(one)
    assert case_of(one, other).kind == "simple"


@pytest.mark.parametrize("year", ["2000-01-01 00:00", "1999-12-31 23:00", "2051-01-01 00:00", "2199-12-31 23:59"])
def test_an_event_outside_the_calendar_never_breaks_the_fold(year: str) -> None:
    case = case_of(accepted("2026-11-02 09:00"), paused(year, id="odd"), accepted(year, "special", id="odder"))
    assert set(statuses(case)) == {"accepted 11-02 09:00", "odd", "odder"}


def test_an_event_outside_the_calendar_is_refused_with_the_years_that_there_are() -> None:
    case = case_of(accepted("2199-11-02 09:00", id="odd"))
    status, problem = case.statuses["odd"]
    assert status == "rejected"
    assert "2000–2050" in problem
    assert not case.accepted


def test_every_finding_has_words_that_can_be_filled_in() -> None:
    for code, text in TEXTS.items():
        assert text.format(kind="", event="", limit=1, cap=1), code
