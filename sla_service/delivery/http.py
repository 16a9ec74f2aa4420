"""One pooled client per provider, which knows whether a request that failed had gone out.

The line between *certainly not sent* and *unclear* is drawn at the first byte of the request: what fails before
it (name, connection, TLS, proxy tunnel) raises :class:`NotSentError`, what fails after it :class:`UnclearError`.
Neither carries the address, since WeCom's holds the secret or the token in its query.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from sla_service.delivery import pools
from sla_service.delivery.outcome import Outcome, refused, unavailable, unknown
from sla_service.errors import ChannelError

DEFAULT_TIMEOUT: Final = 10.0
_LONGEST_TIMEOUT: Final = 120.0
_CONNECT_TIMEOUT: Final = 5.0
_LARGEST_ANSWER: Final = 1 << 20


class TransportError(Exception):
    """No answer. ``outcome`` is what that means for the message."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.code}: {outcome.text}")
        self.outcome = outcome


class NotSentError(TransportError):
    """The provider has not seen the request."""


class UnclearError(TransportError):
    """The request was on its way, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Client:
    """Requests to one provider over kept connections, from any number of threads and forked processes.

    ``base`` is the address before the API's own path (``https://host/prefix``). ``ca`` names a file of
    certificates to trust besides the system's; ``pin`` is the SHA-256 of the one certificate to trust, whatever
    name it bears (gateways that are reached by a bare address have no other). ``proxy`` is an HTTP proxy
    (``http://user:secret@host:port``); proxies of the environment are not used. ``timeout`` is how long to wait
    for the answer, in seconds; for a connection it is at most 5.

    Raises :class:`ChannelError`: the reason, without a full stop, since whoever opens the channel puts its name
    before and an example behind it.
    """

    def __init__(
        self,
        base: str,
        *,
        ca: str | None = None,
        pin: str | None = None,
        proxy: str | None = None,
        timeout: float | str | None = None,
    ) -> None:
        parts = _address(base, "base", "https://qyapi.weixin.qq.com")
        if parts.query or parts.fragment or parts.username:
            raise ChannelError("渠道地址里的 base= 只能写到路径为止，不能带 ?、# 或用户名")
        self.base = base.rstrip("/")
        self.host = parts.netloc
        self.path = parts.path.rstrip("/")
        self.timeout = _seconds(timeout)
        self._how = pools.How(
            tls=parts.scheme == "https", ca=_readable(ca), pin=_fingerprint(pin), **_proxy(proxy) if proxy else {}
        )
        self._limits = urllib3.Timeout(connect=min(self.timeout, _CONNECT_TIMEOUT), read=self.timeout)
        self._lock = threading.Lock()
        self._manager: urllib3.PoolManager | None = None
        self._pid = 0

    @property
    def longest(self) -> float:
        """The longest one request can take, in seconds."""
        return self.timeout * 2 + min(self.timeout, _CONNECT_TIMEOUT)

    def request(
        self, method: str, path: str, *, query: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request, never repeated and never redirected. ``query`` is encoded already (:func:`encode`)."""
        url = f"{self.base}{path}" + (f"?{query}" if query else "")
        pools.request.begun = False
        try:
            return self._answer(method, url, body, headers or {})
        except UnicodeError:  # an account name that fits into no header
            raise NotSentError(refused("encoding", "地址里的账号有 HTTP 头不能用的字符。")) from None
        except (HTTPError, OSError) as error:
            # "from None": the chained exception would print the target, and with it the secret.
            if pools.request.begun:
                raise UnclearError(_unclear(error)) from None
            raise NotSentError(_not_sent(error)) from None

    def close(self) -> None:
        """Lets go of the kept connections; the next request opens new ones."""
        with self._lock:
            if self._manager is not None:
                self._manager.clear()

    def _answer(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        deadline = time.monotonic() + self.longest
        response = self._pools().urlopen(
            method,
            url,
            body=body or None,
            headers={"User-Agent": "sla-service", **headers},
            redirect=False,
            retries=False,
            timeout=self._limits,
            preload_content=False,
        )
        try:
            content = _read(response, deadline)
        except BaseException:
            response.close()  # what is left of the answer must not be read as the next one's
            raise
        response.release_conn()
        return Reply(response.status, content, response.headers)

    def _pools(self) -> urllib3.PoolManager:
        with self._lock:
            # A forked worker must not share sockets with its parent.
            if self._manager is None or self._pid != os.getpid():
                self._manager, self._pid = pools.manager(self._how), os.getpid()
            return self._manager


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The whole body. The read timeout only bounds the silence between two bytes, not an answer that drips."""
    content = bytearray()
    while chunk := response.read1(65536):
        content += chunk
        if len(content) > _LARGEST_ANSWER or time.monotonic() > deadline:
            raise UnclearError(unknown("answer", "对方的应答过长或过慢，没有读完。"))
    return bytes(content)


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """A query string by RFC 3986, as signatures want it: a space is %20, ``~`` stays, ``/`` does not."""
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


def _not_sent(error: Exception) -> Outcome:
    match error:
        case NameResolutionError():
            return unavailable("dns", "找不到对方的主机名。", hint="请检查 base= 里的主机名和本机的 DNS 设置。")
        case ConnectTimeoutError() if not isinstance(error, NewConnectionError):  # its base class, oddly
            return unavailable("connect_timeout", "连接超时。", hint="请检查防火墙，需要代理时写 proxy=。")
        case ProxyError():
            return unavailable("proxy", "代理没有接通。", hint="请检查 proxy= 的地址、端口、用户名和密码。")
        case SSLError() | ssl.SSLError():
            hint = "对方的证书不是公共机构签发时，请用 ca= 指定其根证书，或用 pin= 指定它的指纹；并检查本机时间。"
            return unavailable("tls", "TLS 握手失败。", hint=hint)
        case _:
            return unavailable("connect", "连接不上对方。", hint="请检查 base= 的地址和端口，以及防火墙。")


def _unclear(error: Exception) -> Outcome:
    if isinstance(error, ReadTimeoutError):
        return unknown("read_timeout", "请求已发出，在规定时间内没有等到应答。")
    return unknown("reset", "请求已发出，应答前连接断开。")


def _address(url: str, option: str, example: str) -> SplitResult:
    wrong = f"渠道地址里的 {option}= 要写成 http:// 或 https:// 开头的地址，例如 {example}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ChannelError(wrong) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ChannelError(wrong)
    return parts


def _proxy(url: str) -> dict[str, str | None]:
    """Address and login apart, so that the login is in no error."""
    parts = _address(url, "proxy", "http://10.0.0.1:3128")
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    if login and not login.isascii():
        raise ChannelError("渠道地址里 proxy= 的用户名和密码只能用 ASCII 字符")
    return {"proxy": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", "login": login}


def _readable(ca: str | None) -> str | None:
    if not ca:
        return None
    try:
        pools.context(ca)
    except OSError:  # ssl.SSLError is one: no certificate in it
        raise ChannelError(f"渠道地址里 ca= 指的文件 {ca} 读不出证书，请写 PEM 文件的完整路径") from None
    return ca


def _fingerprint(pin: str | None) -> str | None:
    digest = (pin or "").replace(":", "").lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ChannelError("渠道地址里的 pin= 是证书的 SHA-256 指纹，64 个十六进制数字")
    return digest or None


def _seconds(timeout: float | str | None) -> float:
    if timeout is None or timeout == "":
        return DEFAULT_TIMEOUT
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ChannelError(f"渠道地址里的 timeout= 是秒数，大于 0，最多 {_LONGEST_TIMEOUT:g}，例如 timeout=10")
    return seconds
