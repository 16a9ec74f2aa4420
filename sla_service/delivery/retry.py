"""What follows an outcome: the same message again, the next channel, parked, done, or given up.

Pure: the same outcome, attempt and instant always give the same decision. The rules:

==============  ============================================================================================
outcome         what follows
==============  ============================================================================================
accepted        done
partial         done for those who have it; the next channel for those refused
refused         the next channel, at once: the same bytes will not be taken later
rate_limited    again when the provider allows it; the next channel if that is too far off
unavailable     again with growing waits, then the next channel
unknown         never another channel at once, since the alert may be on the phone already. Where the provider
                drops repeats (WeCom applications) the same bytes again while it still remembers them;
                elsewhere an escalation once more. What is unclear after that is parked and shown, an
                escalation tries the next channel first
==============  ============================================================================================

Who has no channel left goes to the next role up; that is the caller's affair, told by ``GIVEN_UP``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from sla_service.delivery.outcome import Kind, Outcome

Urgency = Literal["reminder", "escalation"]

# https://developer.work.weixin.qq.com/document/path/90236: repeats are dropped for this long (default, at most
# four hours). The margin covers a slow call and clocks that differ.
DUPLICATE_CHECK: Final = timedelta(seconds=1800)
_MARGIN: Final = timedelta(seconds=120)
DROPS_REPEATS: Final = frozenset({"wecomapp"})

_FIRST_WAIT: Final = 30.0
_LONGEST_WAIT: Final = 900.0
_TRIES: Final[dict[str, dict[Kind, int]]] = {
    # The waits of 8 tries add up to about 45 minutes, those of 5 to about 8: an escalation is late already.
    "reminder": {Kind.UNAVAILABLE: 8, Kind.RATE_LIMITED: 12, Kind.UNKNOWN: 5},
    "escalation": {Kind.UNAVAILABLE: 5, Kind.RATE_LIMITED: 8, Kind.UNKNOWN: 5},
}
# With nowhere else to go, a provider that is away for the morning should find the message still waiting.
_LAST_CHANNEL: Final = 4
_PATIENCE: Final[dict[str, timedelta]] = {
    "reminder": timedelta(hours=4),
    "escalation": timedelta(minutes=15),
}
_CROWDED_MINUTES: Final = frozenset({0, 30})


class Step(StrEnum):
    AGAIN = "again"
    NEXT_CHANNEL = "next_channel"
    PARKED = "parked"  # state unknown, shown to people, nothing more is sent
    DONE = "done"
    GIVEN_UP = "given_up"  # shown to people, and the next role up


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why.

    ``at`` is set for ``AGAIN`` only. A repeat that has not gone out by ``not_after`` (a worker was down) must
    not go out at all: ask :func:`next_attempt` again with the outcome ``unknown`` instead. ``only`` limits
    ``NEXT_CHANNEL`` and ``GIVEN_UP`` to these recipients; empty means all. ``reason`` is for the attempt's row
    and the log.
    """

    step: Step
    reason: str
    at: datetime | None = None
    not_after: datetime | None = None
    only: tuple[str, ...] = ()


def next_attempt(
    outcome: Outcome,
    attempt: int,
    *,
    now: datetime,
    kind: Urgency,
    scheme: str,
    message_id: str,
    first_unclear: datetime | None = None,
    began: datetime | None = None,
    more_channels: bool = True,
) -> Decision:
    """What follows ``outcome`` of try number ``attempt`` (from 1) on one channel.

    ``began`` is when this try went out, where that is long ago (its worker died, and nobody looked for an hour).
    ``first_unclear`` is when the first try with the outcome ``unknown`` went out, ``None`` if there was none
    before this one: repeats are dropped counting from there. ``more_channels`` is False if this is the
    person's last one. An expired lease counts as ``unknown``.
    """
    if attempt < 1:
        raise ValueError(f"tries count from 1, not {attempt}")
    match outcome.kind:
        case Kind.ACCEPTED:
            return Decision(Step.DONE, "accepted")
        case Kind.PARTIAL:
            return _elsewhere("partial", more_channels, only=outcome.refused)
        case Kind.REFUSED:
            return _elsewhere(f"refused: {outcome.code}", more_channels)
        case Kind.UNKNOWN:
            again = _repeat(outcome, attempt, now, kind, scheme, message_id, first_unclear, began)
            if again is not None:
                return again
            reason = f"unclear: {outcome.code}, a repeat might be shown twice"
            if kind == "escalation" and first_unclear is not None and more_channels:
                return Decision(Step.NEXT_CHANNEL, reason)
            return Decision(Step.PARKED, reason)
        case Kind.RATE_LIMITED | Kind.UNAVAILABLE:
            return _after_failure(outcome, attempt, now, kind, scheme, message_id, more_channels)


def spread(at: datetime, message_id: str, scheme: str) -> datetime:
    """``at``, moved out of minutes 0 and 30 where the provider asks for it (WeCom is crowded then).

    For the first send too: the opening of the hall at 08:30 is such a minute. At most a minute and a half
    later, never earlier. https://developer.work.weixin.qq.com/document/path/90236
    """
    if scheme not in DROPS_REPEATS or at.minute not in _CROWDED_MINUTES:
        return at
    return at.replace(second=0, microsecond=0) + timedelta(seconds=60 + 30 * _share(message_id, 0))


def backoff(attempt: int, message_id: str) -> timedelta:
    """The wait after try ``attempt``: 30 s, doubling up to 15 min, give or take a fifth.

    The fifth comes from the message's id: a thousand messages that failed together do not come back together,
    and a test knows when each does.
    """
    wait = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 16), _LONGEST_WAIT)
    return timedelta(seconds=round(wait * (0.8 + 0.4 * _share(message_id, attempt)), 3))


def _repeat(
    outcome: Outcome,
    attempt: int,
    now: datetime,
    kind: Urgency,
    scheme: str,
    message_id: str,
    first_unclear: datetime | None,
    began: datetime | None,
) -> Decision | None:
    """The same bytes again after an unclear answer, or ``None`` if they must not go out again."""
    # Unmoved by spread(): punctuality within the interval counts more than the crowd.
    at = now + backoff(attempt, message_id)
    if scheme in DROPS_REPEATS:
        not_after = (first_unclear or began or now) + DUPLICATE_CHECK - _MARGIN
        enough = first_unclear is not None and attempt >= _TRIES[kind][Kind.UNKNOWN]
        if enough or at > not_after:
            return None
        return Decision(Step.AGAIN, f"unclear: {outcome.code}, repeats are dropped", at=at, not_after=not_after)
    if kind == "escalation" and first_unclear is None:
        return Decision(Step.AGAIN, f"unclear: {outcome.code}, once more for an escalation", at=at)
    return None


def _after_failure(
    outcome: Outcome, attempt: int, now: datetime, kind: Urgency, scheme: str, message_id: str, more_channels: bool
) -> Decision:
    wait = backoff(attempt, message_id)
    if outcome.retry_after is not None:
        wait = max(wait, timedelta(seconds=outcome.retry_after))
    if wait > _PATIENCE[kind] and more_channels:
        return _elsewhere(f"{outcome.kind}: {outcome.code}, not before {wait}", more_channels)
    tries = _TRIES[kind][outcome.kind] * (1 if more_channels else _LAST_CHANNEL)
    if attempt >= tries:
        return _elsewhere(f"{outcome.kind} {attempt} times: {outcome.code}", more_channels)
    return Decision(Step.AGAIN, f"{outcome.kind}: {outcome.code}", at=spread(now + wait, message_id, scheme))


def _elsewhere(reason: str, more_channels: bool, only: tuple[str, ...] = ()) -> Decision:
    return Decision(Step.NEXT_CHANNEL if more_channels else Step.GIVEN_UP, reason, only=only)


def _share(message_id: str, attempt: int) -> float:
    """A number in [0, 1) that only depends on the message and the try."""
    digest = hashlib.sha256(f"{message_id}:{attempt}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
