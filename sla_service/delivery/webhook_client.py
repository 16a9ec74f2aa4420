"""One POST to an address that somebody else has named: checked, bounded in time, and of whose answer little is kept.

A connection of its own for each request: the address is resolved and checked anew, and connected to as it was checked.
No redirect is followed and no proxy of the environment is used, since either would decide where the request goes.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Self

from sla_service.delivery import pools
from sla_service.delivery.addresses import BadAddressError, Resolve, Rules, Target, addresses, read, system_resolve

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
#: Of an answer no more than this is read.
KEPT: Final = 1024
_LONGEST_WAIT: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. ``status`` is None where no answer came; ``text`` then says why.

    ``retry_after`` is in seconds, where the receiver has named a time (429, 503).
    """

    status: int | None
    text: str
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


class Poster:
    """Sends; safe to share between threads."""

    def __init__(
        self,
        rules: Rules,
        *,
        resolve: Resolve = system_resolve,
        context: ssl.SSLContext | None = None,
        total: float = TOTAL_SECONDS,
    ) -> None:
        self.rules, self._resolve, self._context, self._total = rules, resolve, context, total

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request. Never raises for what the receiver or the way to it does."""
        deadline = time.monotonic() + self._total
        try:
            target = read(url, self.rules)
            sock = self._connect(target)
        except BadAddressError as e:
            return Answer(None, str(e))
        except socket.gaierror:
            return Answer(None, f"找不到主机 {_host(url)}，请检查地址和本机的 DNS。")
        except TimeoutError:
            return Answer(None, f"{CONNECT_SECONDS:g} 秒内连接不上，请检查地址、端口和防火墙。")
        except ssl.SSLError as e:
            return Answer(None, f"TLS 握手失败（{_reason(e)}），请检查对方的证书和本机时间。")
        except (OSError, UnicodeError, ValueError) as e:
            return Answer(None, f"连接不上（{_reason(e)}），请检查地址、端口和防火墙。")
        try:
            with _Alarm(sock, deadline) as alarm:
                return self._ask(target, sock, body, headers, alarm)
        finally:
            sock.close()

    def _connect(self, target: Target) -> socket.socket:
        """A connection to one of the addresses that were checked, over TLS if it is to be."""
        deadline = time.monotonic() + CONNECT_SECONDS
        failed: OSError = OSError("no address")
        for address in addresses(target, self.rules, self._resolve):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                # An address, not a name: nothing is resolved a second time.
                sock = socket.create_connection((address, target.port), timeout=left)
            except OSError as e:
                failed = e
                continue
            if not target.tls:
                return sock
            try:
                sock.settimeout(CONNECT_SECONDS)
                return (self._context or pools.context(None)).wrap_socket(sock, server_hostname=target.host)
            except BaseException:
                sock.close()
                raise
        raise failed

    def _ask(
        self, target: Target, sock: socket.socket, body: bytes, headers: Mapping[str, str], alarm: _Alarm
    ) -> Answer:
        sock.settimeout(self._total)
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
        try:
            connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", target.netloc)
            for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            with closing(connection.getresponse()) as response:
                if alarm.rang:  # an end amid the headers passes for their end
                    raise TimeoutError
                text = ""
                with suppress(OSError, http.client.HTTPException):  # the status has come, the rest is for people
                    text = _text(response.read(KEPT))
                return Answer(response.status, text, _retry_after(response))
        except (OSError, http.client.HTTPException) as e:
            if alarm.rang or isinstance(e, TimeoutError):
                return Answer(None, f"{self._total:g} 秒内没有等到应答。")
            return Answer(None, f"没有收到完整的应答（{_reason(e)}）。")


class _Alarm:
    """Ends a connection at its deadline, however slowly the other side drips: a time-out per read would not."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self.rang = sock, False
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._ring)
        self._timer.daemon = True

    def _ring(self) -> None:
        self.rang = True
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # the plain one: TLS is not to take part

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _retry_after(response: http.client.HTTPResponse) -> float | None:
    """Seconds from now, at most a day: both forms of RFC 9110, section 10.2.3."""
    given = (response.getheader("Retry-After") or "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given[:9]), _LONGEST_WAIT)
    try:
        at, here = parsedate_to_datetime(given), parsedate_to_datetime(response.getheader("Date") or "")
        return min(max(0.0, (at - here).total_seconds()), _LONGEST_WAIT)  # by their clock, whatever ours says
    except (TypeError, ValueError):
        return None


def _text(content: bytes) -> str:
    """For people and the database: no control characters, one line."""
    text = content.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _reason(error: Exception) -> str:
    """What the system calls it; never the address or what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
