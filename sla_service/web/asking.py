"""One look-up at a time for the same thing, however many requests ask for it together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Asking(Generic[K, V]):
    """Look-ups under way by what they look for."""

    def __init__(self) -> None:
        self._asked: dict[K, asyncio.Future[V]] = {}

    async def ask(self, key: K, look: Callable[[], Awaitable[V]]) -> V:
        """What ``look`` gives, begun only if nobody's is under way. Who goes away does not end it for the others."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(look())
            asked.add_done_callback(partial(self._answered, key))
        return await asyncio.shield(asked)

    def _answered(self, key: K, asked: asyncio.Future[V]) -> None:
        self._asked.pop(key, None)
        if not asked.cancelled():
            asked.exception()  # taken note of, should everybody who asked have gone away
