"""Windows of sending, counted over running seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.delivery.limits import Per, Window, allowed_at, allowed_by_all, default_windows

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
TWO_A_DAY = Window(Per.RECIPIENT, 2, 86400)
HISTORY = st.lists(st.integers(min_value=-200_000, max_value=0).map(lambda s: NOW + timedelta(seconds=s)), max_size=60)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=s) for s in seconds]


@pytest.mark.parametrize(
    ("history", "wait"),
    [
        (ago(), 0),
        (ago(10), 0),
        (ago(86401, 86500, 10), 0),  # what lies outside the window does not count
        (ago(3600, 10), 86400 - 3600),  # when the older one leaves
        (ago(10, 3600), 86400 - 3600),  # in any order
        (ago(86400, 10), 0),  # the edge has left
        (ago(7200, 3600, 10), 86400 - 3600),  # sent too often already: until only one is left
    ],
)
def test_when_one_more_may_go_to_somebody_who_may_get_two_a_day(history: list[datetime], wait: float) -> None:
    assert allowed_at(history, TWO_A_DAY, NOW) == NOW + timedelta(seconds=wait)


@given(HISTORY, st.integers(min_value=1, max_value=20), st.integers(min_value=1, max_value=100_000))
def test_the_instant_found_fits_and_no_earlier_one_does(history: list[datetime], most: int, seconds: int) -> None:
    window, length = Window(Per.CHANNEL, most, seconds), timedelta(seconds=seconds)

    def fits(at: datetime) -> bool:
        return sum(1 for sent in history if at - length < sent <= at) < most

    at = allowed_at(history, window, NOW)
    assert at >= NOW
    assert fits(at)
    assert at == NOW or not fits(at - timedelta(microseconds=1))


def test_all_windows_must_agree() -> None:
    minute, hour = Window(Per.RECIPIENT, 30, 60), Window(Per.RECIPIENT, 1000, 3600)
    sends = [(minute, ago(*[5] * 30)), (hour, ago(*[5] * 30))]
    assert allowed_by_all(sends, NOW) == NOW + timedelta(seconds=55)
    assert allowed_by_all([], NOW) == NOW


def test_the_providers_own_limits_are_the_defaults() -> None:
    assert default_windows("wecomapp") == (Window(Per.RECIPIENT, 30, 60), Window(Per.RECIPIENT, 1000, 3600))
    assert default_windows("wecomgroup") == (Window(Per.CHANNEL, 20, 60),)
    assert default_windows("alisms") == (Window(Per.RECIPIENT, 50, 86400),)
    assert default_windows("tencentsms") == (Window(Per.CONTENT, 1, 30), Window(Per.RECIPIENT, 2, 86400))
    assert default_windows("sandbox") == ()
    assert default_windows("mailtos") == (Window(Per.CHANNEL, 20, 60),)


def test_a_window_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 message"):
        Window(Per.CHANNEL, 0, 60)
