"""One finding of the doctor, and the words that all of his questions share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sla_service.services.app import App

Level = Literal["ok", "warning", "error"]

_BEATS = 6  # missed ticks until the heart is called silent
_LEAST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and what was found; ``fix`` is what to do about it."""

    name: str
    level: Level
    text: str
    fix: str = ""


def patience(app: App) -> timedelta:
    """How long nothing may have been looked at before somebody has to be told."""
    return max(_LEAST, timedelta(seconds=app.settings.tick_seconds * _BEATS))


def span(length: timedelta) -> str:
    """``3 天``, ``2 小时``, ``5 分钟``, ``8 秒``: the largest unit says enough."""
    seconds = int(length.total_seconds())
    for size, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} 秒"
