"""What plugins need from outside: the token cache, the sandbox's mailbox, the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sla_service import systime
from sla_service.delivery.message import Message


class TokenStore(Protocol):
    """Access tokens shared by all workers (WeCom throttles whoever fetches often).

    ``key`` names one application of one company; it holds no secret, a token is one.
    """

    def get(self, key: str, *, now: datetime) -> str | None:
        """The token, ``None`` if there is none or it has expired by ``now``."""
        ...

    def put(self, key: str, token: str, *, expires_at: datetime) -> None:
        """Keeps a token in place of the one before."""
        ...


class MemoryTokens:
    """Tokens of one process, for plain Apprise use and tests."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, *, now: datetime) -> str | None:
        with self._lock:
            token, expires_at = self._kept.get(key, (None, now))
            return token if expires_at > now else None

    def put(self, key: str, token: str, *, expires_at: datetime) -> None:
        with self._lock:
            self._kept[key] = (token, expires_at)


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside of a channel, handed in when it is opened.

    ``mailbox`` keeps what the sandbox takes and gives it an id. ``clock`` is read while sending, since a
    signature carries the instant of its request, not that of the batch; ``sleep`` separates quick repeats.
    """

    tokens: TokenStore = field(default_factory=MemoryTokens)
    mailbox: Callable[[Message], str] | None = None
    clock: Callable[[], datetime] = systime.now
    sleep: Callable[[float], None] = time.sleep
