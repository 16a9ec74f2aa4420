"""How often somebody may: a bucket of tokens per key or address, in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable

_MINUTE = 60.0
_REMEMBERED = 10_000


class Rate:
    """``per_minute`` at once, then as many per minute; 0 means no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._full, self._clock = float(per_minute), clock
        self._known: dict[str, tuple[float, float]] = {}  # who -> tokens left, at what time

    def wait(self, who: str) -> float:
        """Seconds until ``who`` may go on, 0.0 for now."""
        if not self._full:
            return 0.0
        left = self._left(who)
        return 0.0 if left >= 1 else (1 - left) * _MINUTE / self._full

    def take(self, who: str) -> float:
        """Counts one of ``who`` unless he has to wait; gives the seconds to wait as ``wait`` does."""
        seconds = self.wait(who)
        if self._full and not seconds:
            self._known[who] = self._left(who) - 1, self._clock()
            if len(self._known) > _REMEMBERED:
                self._forget()
        return seconds

    def _left(self, who: str) -> float:
        left, since = self._known.get(who, (self._full, 0.0))
        return min(self._full, left + (self._clock() - since) * self._full / _MINUTE)

    def _forget(self) -> None:
        """Drops who has a full bucket again, and if that is not enough the oldest half."""
        kept = {who: known for who, known in self._known.items() if self._left(who) < self._full}
        if len(kept) > _REMEMBERED:
            kept = dict(list(kept.items())[_REMEMBERED // 2 :])
        self._known = kept
