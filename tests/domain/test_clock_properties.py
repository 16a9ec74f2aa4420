"""The pause arithmetic against the plainest possible way to count: day after day, asking at every close."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from builders import CALENDAR, MIDNIGHT
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sla_service.domain.clock import Pause, account, count_out, due, used
from sla_service.domain.policy import Hours

MANY = settings(max_examples=300, deadline=None)
ONE_DAY = timedelta(days=1)
FIRST, LAST = date(2005, 1, 3), date(2026, 9, 1)

#: Early closing, the usual one, and the end of the day; a few instants near each, and any minute at all.
HOURS = st.sampled_from((Hours(), Hours(close=12 * 60), MIDNIGHT))
MINUTES = st.sampled_from((0, 1, 719, 720, 721, 1049, 1050, 1051, 1439)) | st.integers(0, 1439)
STARTS = st.dates(FIRST, LAST)
LIMITS = st.integers(1, 15)


def naive(hours: Hours, start: date, limit: int, pauses: Sequence[Pause]) -> date | None:
    """Day by day: a working day is used up if and only if no pause holds the clock at its close."""
    day, n = start, 0
    for _ in range(400):
        day += ONE_DAY
        close = hours.close_at(day)
        if CALENDAR.is_working(day) and not any(p.begin <= close and (p.end is None or close < p.end) for p in pauses):
            n += 1
            if n == limit:
                return day
    return None


@st.composite
def histories(draw: st.DrawFn) -> tuple[date, tuple[Pause, ...]]:
    """A start and up to four pauses after it, in order, the last one possibly still open."""
    start = draw(STARTS)
    midnight = datetime(start.year, start.month, start.day, tzinfo=timezone(timedelta(hours=8)))
    days = draw(st.lists(st.tuples(st.integers(0, 30), MINUTES), max_size=8, unique=True))
    instants = [midnight + timedelta(days=d, minutes=m) for d, m in sorted(days)]
    found = [Pause(instants[i], instants[i + 1], "hearing") for i in range(0, len(instants) - 1, 2)]
    if len(instants) % 2:
        found.append(Pause(instants[-1], None, "hearing"))
    return start, tuple(found)


@MANY
@given(histories(), LIMITS, HOURS)
def test_due_dates_are_those_of_counting_day_by_day(
    history: tuple[date, tuple[Pause, ...]], limit: int, hours: Hours
) -> None:
    start, held = history
    assert count_out(CALENDAR, hours, start, limit, held) == naive(hours, start, limit, held)


@MANY
@given(histories(), LIMITS, HOURS)
def test_the_account_ends_on_the_due_date_with_the_last_day_counted(
    history: tuple[date, tuple[Pause, ...]], limit: int, hours: Hours
) -> None:
    start, held = history
    found = count_out(CALENDAR, hours, start, limit, held)
    upto = found or start + timedelta(days=60)
    lines = list(account(CALENDAR, hours, start, limit, held, upto))
    assert [day.on for day in lines] == [start + n * ONE_DAY for n in range(len(lines))]
    counted = [day for day in lines if day.n is not None]
    assert [day.n for day in counted] == list(range(1, len(counted) + 1))
    assert all(day.state == "counted" for day in counted[: limit - 1])
    if found is None:
        assert len(counted) < limit
    else:
        assert (lines[-1].on, lines[-1].state, lines[-1].n) == (found, "due", limit)


@MANY
@given(histories(), HOURS)
def test_days_used_never_shrink_and_grow_by_one_at_most(history: tuple[date, tuple[Pause, ...]], hours: Hours) -> None:
    start, held = history
    counts = [used(CALENDAR, hours, start, held, start + n * ONE_DAY) for n in range(-3, 45)]
    assert all(0 <= b - a <= 1 for a, b in pairwise(counts))
    assert counts[:4] == [0, 0, 0, 0]


@MANY
@given(histories(), LIMITS, HOURS)
def test_a_limit_is_used_up_on_its_due_date_and_not_before(
    history: tuple[date, tuple[Pause, ...]], limit: int, hours: Hours
) -> None:
    start, held = history
    found = count_out(CALENDAR, hours, start, limit, held)
    assume(found is not None)
    assert found is not None
    assert used(CALENDAR, hours, start, held, found) == limit
    assert used(CALENDAR, hours, start, held, found - ONE_DAY) == limit - 1


@given(histories(), LIMITS, st.sampled_from((UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14)))))
def test_the_offset_in_which_an_instant_is_written_changes_nothing(
    history: tuple[date, tuple[Pause, ...]], limit: int, zone: timezone
) -> None:
    start, held = history
    moved = tuple(Pause(p.begin.astimezone(zone), p.end and p.end.astimezone(zone), p.reason) for p in held)
    assert due(CALENDAR, Hours(), start, limit, moved) == due(CALENDAR, Hours(), start, limit, held)


PRINT_DUE = """
from builders import CALENDAR, accepted, case_of, event, paused
resumed = event("resumed", "2026-10-12 09:00")
print(case_of(accepted("2026-09-30 23:59", "complex"), paused("2026-10-09 00:01"), resumed))
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_the_machines_time_zone_changes_nothing(zone: str) -> None:
    paths = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": paths}
    said = {
        tz: subprocess.run(
            [sys.executable, "-c", PRINT_DUE], env={**environment, "TZ": tz}, capture_output=True, text=True, check=True
        ).stdout
        for tz in (zone, "Asia/Shanghai")
    }
    assert "2026, 10, 22" in said[zone]
    assert said[zone] == said["Asia/Shanghai"]
