"""A request's body, bounded in size and time: as it came, and unpacked where it was gzipped."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from sla_service.web.problems import Problem, busy

#: Seconds for the whole body: a sender that stalls does not hold its place for ever.
SECONDS: Final = 60
#: How many of the largest bodies may be in memory at once, however many senders there are.
_AT_ONCE: Final = 8
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_STEP: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Body:
    """``content`` is unpacked. ``broken`` says that the packed body could not be; ``content`` is then as it came.

    ``size`` is what it weighed on the way.
    """

    content: bytes
    size: int = 0
    broken: bool = False
    unknown_coding: str = ""


class Bodies:
    """Reads bodies up to ``limit`` bytes, packed and unpacked, and bounds what all of them together take."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._most = max(_AT_ONCE * limit, 1 << 26)
        self._held = 0

    async def read(self, request: Request) -> Body:
        """The body; to be given to ``release`` once the request is answered.

        Raises Problem: 413 too large, 408 too slow, 503 when too many large ones are here already.
        """
        return await self.opened(await self.packed(request))

    async def packed(self, request: Request) -> Body:
        """The body as it came, for ``opened``."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limit:
            raise self._too_large()
        coding = request.headers.get("content-encoding", "").strip().lower()
        content = await self._content(request)
        return Body(content, len(content), unknown_coding="" if coding in ("", "identity") else coding)

    async def opened(self, body: Body) -> Body:
        """A body unpacked; one that is too large is released on the way."""
        if body.unknown_coding not in _GZIP:
            return body
        unpacked = await asyncio.to_thread(unpack, body.content, self.limit)
        if unpacked is None:
            return Body(body.content, body.size, broken=True)
        if len(unpacked) > self.limit:
            self.release(body)
            raise self._too_large()
        return Body(unpacked, body.size)

    def release(self, body: Body) -> None:
        self._held -= body.size

    async def _content(self, request: Request) -> bytes:
        chunks: list[bytes] = []
        taken = 0
        try:
            async with asyncio.timeout(SECONDS):
                async for chunk in request.stream():
                    self._take(len(chunk), taken)
                    taken += len(chunk)
                    chunks.append(chunk)
        except BaseException as e:
            self._held -= taken
            if isinstance(e, TimeoutError):
                raise Problem(408, f"请求正文在 {SECONDS} 秒内没有发完，没有收下，请原样重发。") from None
            raise
        return b"".join(chunks)

    def _take(self, size: int, taken: int) -> None:
        if taken + size > self.limit:
            raise self._too_large()
        if self._held and self._held + size > self._most:
            raise busy()
        self._held += size

    def _too_large(self) -> Problem:
        return Problem(413, f"请求正文超过 {self.limit} 字节（压缩的按解开后算），请分批发送。")


def unpack(packed: bytes, limit: int) -> bytes | None:
    """The content of a gzip body, one byte more than ``limit`` if it is longer; None if it is not a whole one.

    Stops at the limit, so a few kilobytes that unpack to gigabytes cost no more than an honest body.
    """
    parts: list[bytes] = []
    size = 0
    while packed:  # RFC 1952: a body may consist of several members
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                part = member.decompress(packed, min(_STEP, limit + 1 - size))
            except zlib.error:
                return None
            packed = member.unconsumed_tail
            if not part and not packed and not member.eof:
                return None  # cut off
            parts.append(part)
            size += len(part)
            if size > limit:
                return b"".join(parts)
        packed = member.unused_data
    return b"".join(parts)
