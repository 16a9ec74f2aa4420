"""A simulation in one line: a case of Monday 2026-11-02, a hall of distinct people, messages as short text."""

from __future__ import annotations

from builders import (
    CALENDAR,
    POLICY,
    accepted,
    at,
    directory,
)

from sla_service.domain.directory import Directory
from sla_service.domain.events import Event
from sla_service.domain.policy import Policy
from sla_service.services.simulation import SimulationResult, simulate

START = accepted("2026-11-02 10:00", "simple")  # due on Thursday 11-05
HALL = directory()


def run(
    *events: Event, rules: Policy = POLICY, people: Directory = HALL, start: str | None = None, end: str | None = None
) -> SimulationResult:
    since, until = (at(text) if text else None for text in (start, end))
    return simulate(events, rules, people, CALENDAR, start=since, end=until)


def told(result: SimulationResult) -> list[str]:
    """``11-04 08:30 due-1wd zhangsan wecom``, in order."""
    return [f"{m.at:%m-%d %H:%M} {m.step} {m.to} {m.channel}" for m in result.messages]
