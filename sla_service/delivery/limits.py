"""How often a provider lets us send, as data, and when the next message may go.

The windows are kept here and not left to the provider, since WeCom drops silently what exceeds its own and an
SMS gateway answers with an error that costs the day's alert. ``channels.yaml`` may set others per channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Per(StrEnum):
    """What a window counts."""

    RECIPIENT = "recipient"  # everything one person gets over the channel
    CONTENT = "content"  # the same text to the same person
    CHANNEL = "channel"  # everything that goes over the channel


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``max`` messages in any ``seconds`` running seconds."""

    per: Per
    max: int
    seconds: int

    def __post_init__(self) -> None:
        if self.max < 1 or self.seconds < 1:
            raise ValueError(f"a window lets at least 1 message through in 1 second, not {self.max} in {self.seconds}")


_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400

DEFAULTS: Final[Mapping[str, tuple[Window, ...]]] = {
    "sandbox": (),
    # https://developer.work.weixin.qq.com/document/path/90312, the excess is dropped without an error
    "wecomapp": (Window(Per.RECIPIENT, 30, _MINUTE), Window(Per.RECIPIENT, 1000, _HOUR)),
    # https://developer.work.weixin.qq.com/document/path/91770, per robot
    "wecomgroup": (Window(Per.CHANNEL, 20, _MINUTE),),
    # https://help.aliyun.com/document_detail/2881383.html, notices, counted over 24 running hours
    "alisms": (Window(Per.RECIPIENT, 50, _DAY),),
    # https://tencentcloud.com/document/product/382/13303, the default until the console is set otherwise; it
    # counts calendar days, running hours are never more than that
    "tencentsms": (Window(Per.CONTENT, 1, 30), Window(Per.RECIPIENT, 2, _DAY)),
    # The gateway publishes none. Ours: nobody wants more, whatever the contract allows.
    "yunmas": (Window(Per.RECIPIENT, 20, _DAY),),
}
# Group robots of other houses (DingTalk, Feishu) and mail gateways bear this much; the URL's owner knows better.
OTHERS: Final = (Window(Per.CHANNEL, 20, _MINUTE),)


def default_windows(scheme: str) -> tuple[Window, ...]:
    """The windows of a channel whose configuration sets none."""
    return DEFAULTS.get(scheme, OTHERS)


def allowed_at(history: Iterable[datetime], window: Window, now: datetime) -> datetime:
    """The first instant from ``now`` on at which one more message fits into the window.

    ``history`` are the instants of earlier sends of what the window counts, in any order. Those we are unsure
    of belong in it: the provider may have counted them.
    """
    start = now - timedelta(seconds=window.seconds)
    counted = sorted(at for at in history if at > start)
    if len(counted) < window.max:
        return now
    return max(now, counted[-window.max] + timedelta(seconds=window.seconds))


def allowed_by_all(sends: Sequence[tuple[Window, Iterable[datetime]]], now: datetime) -> datetime:
    """The first instant at which every window agrees; each comes with the history of what it counts."""
    return max((allowed_at(history, window, now) for window, history in sends), default=now)
