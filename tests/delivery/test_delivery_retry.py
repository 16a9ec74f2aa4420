"""What follows each outcome, as a table; and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.delivery.outcome import Outcome, accepted, partial, rate_limited, refused, unavailable, unknown
from sla_service.delivery.retry import DUPLICATE_CHECK, Decision, Step, backoff, next_attempt, spread

NOW = datetime(2026, 11, 25, 1, 12, tzinfo=UTC)

TAKEN = accepted("1")
HALF = partial("1", ("lisi",))
NEVER = refused("81013")
DOWN = unavailable("connect")
BUSY = rate_limited(60, code="45009")
TOMORROW = rate_limited(12 * 3600, code="LimitExceeded.PhoneNumberDailyLimit")
UNCLEAR = unknown("read_timeout")


def after(
    outcome: Outcome,
    attempt: int = 1,
    kind: str = "reminder",
    scheme: str = "wecomapp",
    unclear_for: float | None = None,
    more: bool = True,
) -> Decision:
    first = None if unclear_for is None else NOW - timedelta(seconds=unclear_for)
    return next_attempt(
        outcome,
        attempt,
        now=NOW,
        kind=kind,
        scheme=scheme,
        message_id="m-1",
        first_unclear=first,
        more_channels=more,
    )


@pytest.mark.parametrize(
    ("outcome", "how", "step"),
    [
        (TAKEN, {}, Step.DONE),
        (HALF, {}, Step.NEXT_CHANNEL),  # for the refused half
        (HALF, {"more": False}, Step.GIVEN_UP),
        (NEVER, {}, Step.NEXT_CHANNEL),  # at once
        (NEVER, {"more": False}, Step.GIVEN_UP),
        # certainly not sent: again, then elsewhere
        (DOWN, {"attempt": 1}, Step.AGAIN),
        (DOWN, {"attempt": 7}, Step.AGAIN),
        (DOWN, {"attempt": 8}, Step.NEXT_CHANNEL),
        (DOWN, {"attempt": 8, "more": False}, Step.AGAIN),  # nowhere else to go: it waits longer
        (DOWN, {"attempt": 32, "more": False}, Step.GIVEN_UP),
        (DOWN, {"attempt": 5, "kind": "escalation"}, Step.NEXT_CHANNEL),  # an escalation is in a hurry
        # too often
        (BUSY, {"attempt": 1}, Step.AGAIN),
        (BUSY, {"attempt": 12}, Step.NEXT_CHANNEL),
        (TOMORROW, {}, Step.NEXT_CHANNEL),  # too far off
        (TOMORROW, {"more": False}, Step.AGAIN),  # the only way, so it waits
        # unclear, where repeats are dropped: again while they are, never another channel at once
        (UNCLEAR, {}, Step.AGAIN),
        (UNCLEAR, {"kind": "escalation"}, Step.AGAIN),
        (UNCLEAR, {"attempt": 9}, Step.AGAIN),  # the first that is unclear, after failures that were not
        (UNCLEAR, {"attempt": 3, "unclear_for": 300}, Step.AGAIN),
        (UNCLEAR, {"attempt": 5, "unclear_for": 900}, Step.PARKED),
        (UNCLEAR, {"attempt": 2, "unclear_for": 1700}, Step.PARKED),  # WeCom is about to forget
        (UNCLEAR, {"attempt": 2, "unclear_for": 86400}, Step.PARKED),  # a worker was down
        (UNCLEAR, {"attempt": 5, "unclear_for": 900, "kind": "escalation"}, Step.NEXT_CHANNEL),
        (UNCLEAR, {"attempt": 5, "unclear_for": 900, "kind": "escalation", "more": False}, Step.PARKED),
        # unclear, where a repeat is a second SMS
        (UNCLEAR, {"scheme": "yunmas"}, Step.PARKED),
        (UNCLEAR, {"scheme": "alisms", "kind": "escalation"}, Step.AGAIN),
        (UNCLEAR, {"scheme": "alisms", "kind": "escalation", "more": False}, Step.AGAIN),
        (UNCLEAR, {"scheme": "alisms", "kind": "escalation", "attempt": 3}, Step.AGAIN),  # first unclear one
        (UNCLEAR, {"scheme": "alisms", "kind": "escalation", "attempt": 2, "unclear_for": 40}, Step.NEXT_CHANNEL),
        (
            UNCLEAR,
            {"scheme": "alisms", "kind": "escalation", "attempt": 2, "unclear_for": 40, "more": False},
            Step.PARKED,
        ),
        (UNCLEAR, {"scheme": "wecomgroup"}, Step.PARKED),  # the robot does not drop repeats
        (UNCLEAR, {"scheme": "mailtos"}, Step.PARKED),
    ],
)
def test_what_follows_an_outcome(outcome: Outcome, how: dict, step: Step) -> None:
    assert after(outcome, **how).step is step


def test_an_unclear_answer_never_leads_to_another_channel_at_once() -> None:
    for scheme in ("wecomapp", "wecomgroup", "yunmas", "alisms", "tencentsms", "mailtos"):
        for kind in ("reminder", "escalation"):
            assert after(UNCLEAR, scheme=scheme, kind=kind).step in {Step.AGAIN, Step.PARKED}


def test_only_the_refused_half_goes_elsewhere() -> None:
    assert after(HALF).only == ("lisi",)


def test_a_repeat_after_an_unclear_answer_comes_before_the_provider_forgets() -> None:
    decision = after(UNCLEAR, attempt=2, unclear_for=60)
    assert decision.at is not None
    assert decision.not_after == NOW - timedelta(seconds=60) + DUPLICATE_CHECK - timedelta(minutes=2)
    assert decision.at <= decision.not_after


def test_the_providers_wait_is_kept_and_ours_where_it_is_longer() -> None:
    assert after(BUSY, scheme="alisms").at == NOW + timedelta(seconds=60)
    assert after(BUSY, attempt=5, scheme="alisms").at == NOW + backoff(5, "m-1")


@given(st.text(min_size=1, max_size=40), st.integers(min_value=1, max_value=60))
def test_waits_grow_to_a_quarter_of_an_hour_and_depend_on_nothing_but_message_and_try(
    message: str, attempt: int
) -> None:
    middle = min(30 * 2 ** (attempt - 1), 900)
    assert middle * 0.8 <= backoff(attempt, message).total_seconds() <= middle * 1.2
    assert backoff(attempt, message) == backoff(attempt, message)


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    waits = {backoff(1, f"m-{n}") for n in range(1000)}
    assert len(waits) > 900


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)), st.text(min_size=1))  # noqa: DTZ001
def test_the_crowded_minutes_are_left_out_and_nothing_comes_earlier(at: datetime, message: str) -> None:
    at = at.replace(tzinfo=UTC)
    moved = spread(at, message, "wecomapp")
    assert moved.minute not in {0, 30}
    assert timedelta() <= moved - at <= timedelta(seconds=90)
    assert spread(at, message, "alisms") == at


def test_the_opening_of_the_hall_is_spread_over_half_a_minute() -> None:
    opening = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    moments = sorted(spread(opening, f"m-{n}", "wecomapp") for n in range(200))
    assert moments[-1] - moments[0] > timedelta(seconds=25)
    assert all(later - earlier < timedelta(seconds=5) for earlier, later in pairwise(moments))


def test_tries_count_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        after(DOWN, attempt=0)
