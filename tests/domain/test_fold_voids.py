"""Taking events back, and taking back the taking back."""

from __future__ import annotations

from builders import accepted, case_of, closed, due_on, event, paused, statuses, voided

from sla_service.domain.case import State

START = accepted("2026-11-02 09:00", "simple", id="a")


def test_what_was_taken_back_never_happened() -> None:
    case = case_of(START, paused("2026-11-03 09:00", id="p"), voided("2026-11-03 10:00", "p", id="v"))
    assert statuses(case) == {"a": "applied", "p": "voided", "v": "applied"}
    assert (case.state, due_on(case)) == (State.RUNNING, "2026-11-05")
    assert "v" in case.statuses["p"][1]


def test_a_void_of_a_void_brings_the_event_back() -> None:
    history = (START, paused("2026-11-03 09:00", id="p"), voided("2026-11-03 10:00", "p", id="v"))
    case = case_of(*history, voided("2026-11-03 11:00", "v", id="w"))
    assert statuses(case) == {"a": "applied", "p": "applied", "v": "voided", "w": "applied"}
    assert case.state is State.PAUSED
    thrice = case_of(*history, voided("2026-11-03 11:00", "v", id="w"), voided("2026-11-03 12:00", "w", id="x"))
    assert statuses(thrice) == {"a": "applied", "p": "voided", "v": "applied", "w": "voided", "x": "applied"}


def test_without_its_acceptance_everything_waits_again() -> None:
    case = case_of(START, event("progressed", "2026-11-03 09:00", id="g"), voided("2026-11-03 10:00", "a", id="v"))
    assert statuses(case) == {"a": "voided", "g": "waiting", "v": "applied"}
    assert (case.accepted, case.clocks) == (False, ())


def test_a_second_acceptance_takes_the_place_of_one_that_was_taken_back() -> None:
    right = accepted("2026-11-03 09:00", "complex", id="b")
    case = case_of(START, right, voided("2026-11-03 10:00", "a", id="v"))
    assert statuses(case) == {"a": "voided", "b": "applied", "v": "applied"}
    assert due_on(case) == "2026-11-17"


def test_a_void_of_something_unknown_waits_for_it() -> None:
    void = voided("2026-11-03 10:00", "p", id="v")
    assert statuses(case_of(START, void)) == {"a": "applied", "v": "waiting"}
    assert statuses(case_of(START, void, paused("2026-11-03 09:00", id="p")))["v"] == "applied"


def test_of_two_voids_of_one_event_the_later_one_counts() -> None:
    voids = (voided("2026-11-03 10:00", "p", id="v"), voided("2026-11-03 11:00", "p", id="w"))
    case = case_of(START, paused("2026-11-03 09:00", id="p"), *voids)
    assert statuses(case) == {"a": "applied", "p": "voided", "v": "rejected", "w": "applied"}


def test_a_void_cannot_take_back_itself_nor_a_later_void() -> None:
    alone = case_of(START, voided("2026-11-03 10:00", "v", id="v"))
    assert statuses(alone) == {"a": "applied", "v": "rejected"}
    circle = case_of(START, voided("2026-11-03 10:00", "w", id="v"), voided("2026-11-03 11:00", "v", id="w"))
    assert statuses(circle) == {"a": "applied", "v": "voided", "w": "applied"}


def test_taking_back_a_closing_lets_the_case_run_on() -> None:
    case = case_of(
        START,
        closed("2026-11-03 09:00", id="c"),
        event("progressed", "2026-11-03 10:00", id="g"),
        voided("2026-11-03 11:00", "c"),
    )
    assert (case.state, statuses(case)["g"]) == (State.RUNNING, "applied")


def test_a_refused_event_may_be_taken_back_too() -> None:
    case = case_of(START, event("resumed", "2026-11-03 09:00", id="r"), voided("2026-11-03 10:00", "r", id="v"))
    assert statuses(case) == {"a": "applied", "r": "voided", "v": "applied"}


def test_a_visit_may_be_taken_back() -> None:
    case = case_of(event("visit.answered", "2026-11-03 09:00", id="x"), voided("2026-11-03 10:00", "x", id="v"))
    assert statuses(case) == {"x": "voided", "v": "applied"}
