"""The period that a simulation looks at, and its sums."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from builders import (
    CALENDAR,
    POLICY,
    accepted,
    at,
    closed,
    event,
    paused,
)
from rehearsal import HALL, START, run, told

from sla_service.domain.events import Event
from sla_service.services.simulation import simulate


def test_by_default_it_ends_with_the_last_event() -> None:
    result = run(START, event("progressed", "2026-11-05 08:30"))
    assert (result.end, len(result.messages)) == (at("2026-11-05 08:30"), 2)  # what is due at the end still goes out


def test_what_happens_after_the_end_is_not_known_yet() -> None:
    result = run(START, closed("2026-11-04 09:00"), end="2026-11-03 12:00")
    assert (result.figures()["open"], result.events) == (1, 1)


def test_what_was_before_the_start_is_history_only() -> None:
    old = [accepted("2026-10-12 10:00", id="a", no="1"), closed("2026-10-13 10:00", id="b", no="1")]
    running = [accepted("2026-10-26 10:00", id="c", no="2")]  # overdue since 10-29
    result = run(*old, *running, start="2026-11-02 00:00", end="2026-11-03 12:00")
    figures = result.figures()
    assert (figures["cases"], figures["events"], figures["overdue_open"]) == (1, 0, 1)
    assert told(result) == ["11-02 08:30 breach+2wd zhouba wecom", "11-03 08:30 breach+3wd wangwu wecom"]


def history_of_many() -> Iterable[Event]:
    yield accepted("2026-11-02 10:00", id="1", no="met")
    yield closed("2026-11-03 10:00", id="2", no="met")
    yield accepted("2026-11-02 10:00", id="3", no="late")
    yield closed("2026-11-05 17:31", id="4", no="late")
    yield accepted("2026-11-02 10:00", id="5", no="open")
    yield accepted("2026-11-02 10:00", id="6", no="paused")
    yield paused("2026-11-03 10:00", id="7", no="paused", applicant_informed_at=None)
    yield accepted("2026-11-02 10:00", id="8", no="gone")
    yield closed("2026-11-03 10:00", "withdrawn", id="9", no="gone")
    yield accepted("2026-11-02 10:00", id="10", no="again")
    yield closed("2026-11-09 10:00", id="11", no="again")
    yield event("reopened", "2026-11-10 10:00", id="12", no="again", reason="未办成")
    yield closed("2026-11-11 10:00", id="13", no="again")
    yield event("resumed", "2026-11-11 10:00", id="14", no="again")
    yield event("resumed", "2026-11-11 10:00", id="15", no="unknown")
    yield event("visit.answered", "2026-11-11 10:00", id="16", no="", count=4)
    yield event("visit.answered", "2026-11-11 11:00", id="17", no="")


def test_the_figures_add_up() -> None:
    figures = run(*history_of_many()).figures()
    assert figures["met"] + figures["breached"] + figures["open"] == figures["cases"]
    assert {k: figures[k] for k in ("cases", "met", "breached", "open", "withdrawn", "breached_same_day")} == {
        "cases": 6,
        "met": 3,
        "breached": 1,
        "open": 2,
        "withdrawn": 1,
        "breached_same_day": 1,
    }
    assert (figures["overdue_open"], figures["paused_open"], figures["visits"]) == (1, 1, 5)
    assert figures["rounds"] == {"met": 2, "breached": 2}  # two rounds of one case, the withdrawn one left out
    assert figures["on_time_rate"] == 0.5
    assert figures["findings"] == {"pause_not_informed": 1}
    assert {k: figures[k] for k in ("applied", "rejected", "waiting", "voided")} == {
        "applied": 15,
        "rejected": 1,
        "waiting": 1,
        "voided": 0,
    }
    assert figures["events"] == 17
    steps = figures["messages"]["by_step_role"]
    assert sum(one["count"] for one in steps) == figures["messages"]["total"] == len(run(*history_of_many()).messages)


def test_the_order_in_which_a_file_holds_its_events_changes_nothing() -> None:
    events = list(history_of_many())
    assert run(*reversed(events)).figures() == run(*events).figures()
    assert run(*reversed(events)).messages == run(*events).messages


def test_one_source_and_id_counts_once() -> None:
    assert run(START, START, accepted("2026-11-03 10:00", id=START.id)).events == 1


def test_progress_is_told_the_events_that_are_done() -> None:
    done: list[int] = []
    simulate(history_of_many(), POLICY, HALL, CALENDAR, progress=done.append)
    assert sum(done) == 17


@pytest.mark.parametrize("end", [None, "2026-11-30 12:00"])
def test_a_history_without_a_case_is_no_error(end: str | None) -> None:
    result = run(event("progressed", "2026-11-03 10:00"), end=end)
    assert (result.figures()["cases"], result.figures()["waiting"]) == (0, 1)
    assert run().figures()["events"] == 0
