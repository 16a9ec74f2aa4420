"""Ladders of real cases of 2026, and what they say as short text."""

from __future__ import annotations

from datetime import datetime

from builders import (
    POLICY,
    accepted,
    at,
    case_of,
    ladder_of,
)

from sla_service.domain.events import Event
from sla_service.domain.ladder import (
    Firing,
    Ladder,
)
from sla_service.domain.policy import Policy

FAR = at("2026-12-31 00:00")


def plan(ladder: Ladder, upto: datetime = FAR) -> list[tuple[str, str]]:
    return [(f"{p.at:%m-%d %H:%M}", p.step.key) for p in ladder.planned(at("2026-01-01 00:00"), upto)]


def told(firing: Firing) -> list[tuple[str, str, str]]:
    """Role, step, and when it may go out."""
    return [(n.role, n.step.key, f"{n.not_before:%m-%d %H:%M}") for n in firing.notices]


def of(*events: Event, rules: Policy = POLICY, target: str = "resolve") -> Ladder:
    return ladder_of(case_of(*events, policy=rules), rules, target)


# Received on Thursday before Labour Day, due on Friday 05-08; Saturday 05-09 is worked.
GOLDEN_WEEK = accepted("2026-04-30 10:00", "simple")
# Received before Mid-Autumn and National Day, due on Friday 10-09; Saturday 10-10 is worked.
NATIONAL_DAY = accepted("2026-09-18 10:00", "complex")
# Received before Spring Festival, with a limit of its own, due on Wednesday 03-11.
SPRING = accepted("2026-02-12 10:00", "special", limit_days=15, applicant_informed_at="2026-02-12")
