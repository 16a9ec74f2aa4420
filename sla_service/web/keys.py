"""Whose key is it? Looked up in the database, remembered for a moment, refused without one when too many were wrong."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from sla_service.web.asking import Asking
from sla_service.web.limits import Rate
from sla_service.web.problems import Problem, too_many

#: Seconds for which a key that was right is not looked up again: so long a key that was taken away still works.
REMEMBERED: Final = 3.0
_TOUCHED: Final = 60.0
_MOST: Final = 10_000
_SHAPE = re.compile(r"sla_[0-9a-f]{1,32}_[A-Za-z0-9_-]{1,200}")

Lookup = Callable[[str, datetime], Awaitable[str | None]]


class Keys:
    """Bearer keys of case systems. ``lookup`` asks the database, ``touch`` notes that a key was used."""

    def __init__(
        self,
        lookup: Lookup,
        touch: Callable[[str, datetime], None],
        *,
        requests: Rate,
        failures: Rate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookup, self._touch, self._clock = lookup, touch, clock
        self._requests, self._failures = requests, failures
        self._right: dict[bytes, tuple[str, float]] = {}  # digest of the key -> source, until when
        self._touched: dict[bytes, float] = {}  # every key that was ever right here
        self._asked: Asking[bytes, str | None] = Asking()

    async def source(self, authorization: str | None, address: str, now: datetime) -> str:
        """The source whose key came with a request. Raises Problem 401, or 429 with Retry-After."""
        scheme, _, key = (authorization or "").strip().partition(" ")
        key = key.strip()
        digest = hashlib.sha256(key.encode()).digest()
        source, until = self._right.get(digest, (None, 0.0))
        if source is None or until < self._clock():
            source = None
            if scheme.lower() == "bearer" and _SHAPE.fullmatch(key):
                self._hold_off(digest, address)
                source = await self._ask(key, digest, now)
        if source is None:
            self._right.pop(digest, None)
            raise self._refusal(address, given=bool(key))
        wait = self._requests.take(digest.hex())
        if wait:
            raise too_many(wait, f"来源 {source} 的请求太频繁，请稍后原样重发。")
        self._note(key, digest, now)
        return source

    def _hold_off(self, digest: bytes, address: str) -> None:
        """No look-ups for an address that guesses.

        A key that was right before is looked up all the same: behind one address may sit a whole hall.
        """
        wait = self._failures.wait(address)
        if wait and digest not in self._touched:
            raise too_many(wait, "这个地址用错的密钥太多次，请稍后再试。")

    def _refusal(self, address: str, *, given: bool) -> Problem:
        detail = "密钥不对或已停用，请核对" if given else "请求头 Authorization 里没有密钥，请写 Bearer 加密钥"
        return self.guessed(address, f"{detail}（管理员用 sla source add 或 sla source rotate 发放）。")

    def guessed(self, address: str, detail: str) -> Problem:
        """Counts a wrong key or token from an address; gives 401, or 429 when there were too many."""
        wait = self._failures.take(address)
        if wait:
            return too_many(wait, "这个地址用错的密钥太多次，请稍后再试。")
        return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="sla"'})

    async def _ask(self, key: str, digest: bytes, now: datetime) -> str | None:
        """Looked up once, however many requests with that key arrive together."""
        source = await self._asked.ask(digest, lambda: self._lookup(key, now))
        if source is not None:
            if len(self._right) >= _MOST:
                self._right.clear()
            self._right[digest] = source, self._clock() + REMEMBERED
        return source

    def _note(self, key: str, digest: bytes, now: datetime) -> None:
        if self._touched.get(digest, float("-inf")) + _TOUCHED > self._clock():
            return
        if len(self._touched) >= _MOST:
            self._touched.clear()
        self._touched[digest] = self._clock()
        self._touch(key, now)
