"""Requests that are signed instead of carrying a key: whose secret is it? (Standard Webhooks)

The scheme has no word for who signs, so the source is the one that the request names: ``?source=`` in the address, or
else the (first) event in the body. Nothing of the body is believed before its signature is found right. That is why a
signed body is bounded more tightly than one that comes with a key, which is asked for first.

What is signed is the body alone. So the binary mode, whose attributes stand in headers, is refused: whoever catches
such a request could send its data again as another event.

Nobody remembers ``webhook-id``: a request that is repeated within the tolerance is taken again and meets its own
events, which count once; with any other content its signature is wrong.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request

from schemas.events import NotJson, parse_json
from sla_service.delivery import standard_webhooks as scheme
from sla_service.services.signing import Secret
from sla_service.web.asking import Asking
from sla_service.web.body import Body
from sla_service.web.limits import Rate
from sla_service.web.problems import Problem, too_many

#: Seconds for which a source's secrets are not looked up again, as with keys.
REMEMBERED: Final = 3.0
#: Bytes of a signed body: a batch of a thousand events fits.
LARGEST: Final = 1 << 20
_TOUCHED: Final = 60.0
_MOST: Final = 10_000
_SMALL: Final = 1 << 16
_LONGEST_NAME: Final = 200
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_NOBODY: Final = Secret("", b"\0" * 32)

Lookup = Callable[[str, datetime], Awaitable[Sequence[Secret]]]


def signed(headers: Headers) -> bool:
    """Does a request come without a key, but with a signature?"""
    return "authorization" not in headers and any(name in headers for name in scheme.HEADERS)


class Signatures:
    """``lookup`` asks the database for a source's secrets, ``touch`` notes that one was used."""

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
        self._known: dict[str, tuple[Sequence[Secret], float]] = {}  # source -> its secrets, until when
        self._right: dict[str, float] = {}  # secrets that were ever right here -> when that was last noted
        self._trusted: set[str] = set()  # their sources
        self._asked: Asking[str, Sequence[Secret]] = Asking()

    def begin(self, headers: Headers, address: str, now: datetime) -> None:
        """What can be said before the body is read. Raises Problem 401, or 429 with Retry-After."""
        missing = [name for name in scheme.HEADERS if name not in headers]
        if missing:
            raise self._refusal(address, f"签名缺少请求头 {'、'.join(missing)}。")
        if any(name.startswith("ce-") for name in headers):
            raise self._refusal(address, "签名只管正文，管不到 ce- 请求头：签名的事件请用结构化方式或批量方式发送。")
        if not scheme.well_formed(headers[scheme.ID], headers[scheme.TIMESTAMP]):
            raise self._refusal(address, "webhook-id 最长 256 个字符、不能有句点，webhook-timestamp 是 Unix 秒数。")
        if not scheme.in_time(headers[scheme.TIMESTAMP], now):
            raise self._refusal(address, "webhook-timestamp 与本机时间相差超过 5 分钟，请校准时钟，每次发送重新签名。")

    async def source(self, request: Request, raw: bytes, body: Body, address: str, now: datetime) -> str:
        """The source that has signed. ``raw`` is the body as it came, ``body`` the same unpacked.

        Raises Problem 401, or 429 with Retry-After.
        """
        headers = request.headers
        named = await _named(request, body)
        secrets = await self._secrets(named, address, now) if named else ()
        # Somebody nobody knows takes as long as somebody with a wrong signature.
        keys = [s.key for s in secrets or (_NOBODY,)]
        given = headers[scheme.ID], headers[scheme.TIMESTAMP], headers[scheme.SIGNATURE]
        n = scheme.matching(keys, *given, raw)
        if n is None or not secrets:
            raise self._refusal(
                address,
                "签名不对：要用 source 所写来源的签名密钥，对 webhook-id.webhook-timestamp.正文（发出的原样字节）"
                "做 HMAC-SHA256（管理员用 sla source rotate 来源 --signing 发放）。",
            )
        wait = self._requests.take(f"signed {secrets[n].id}")
        if wait:
            raise too_many(wait, f"来源 {named} 的请求太频繁，请稍后原样重发。")
        self._note(named, secrets[n].id, now)
        return named

    async def _secrets(self, source: str, address: str, now: datetime) -> Sequence[Secret]:
        secrets, until = self._known.get(source, ((), 0.0))
        if until >= self._clock():
            return secrets
        wait = self._failures.wait(address)
        if wait and source not in self._trusted:  # no look-ups for an address that guesses
            raise too_many(wait, _GUESSED)
        secrets = await self._asked.ask(source, lambda: self._lookup(source, now))
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[source] = secrets, self._clock() + REMEMBERED
        return secrets

    def _refusal(self, address: str, detail: str) -> Problem:
        wait = self._failures.take(address)
        if wait:
            return too_many(wait, _GUESSED)
        return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="sla"'})

    def _note(self, source: str, secret_id: str, now: datetime) -> None:
        if self._right.get(secret_id, float("-inf")) + _TOUCHED > self._clock():
            return
        if len(self._right) >= _MOST:
            self._right.clear()
            self._trusted.clear()
        self._right[secret_id] = self._clock()
        self._trusted.add(source)
        self._touch(secret_id, now)


_GUESSED: Final = "这个地址的签名或密钥错了太多次，请稍后再试。"


async def _named(request: Request, body: Body) -> str:
    """The source that a request names, as it is registered; empty for none. Nothing of this is believed yet."""
    given = request.query_params.get("source")
    if given is None and not body.broken:
        read = partial(_in_body, body.content)
        given = read() if len(body.content) <= _SMALL else await asyncio.to_thread(read)
    name = (given or "").strip()
    return name if len(name) <= _LONGEST_NAME and _UNSTORABLE.search(name) is None else ""


def _in_body(content: bytes) -> str | None:
    try:
        value: Any = parse_json(content)
    except NotJson:
        return None
    first = value[0] if isinstance(value, list) and value else value
    source = first.get("source") if isinstance(first, Mapping) else None
    return source if isinstance(source, str) else None
