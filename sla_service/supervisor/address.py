"""Where the web part listens: can it, and does it answer there?"""

from __future__ import annotations

import errno
import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from sla_service.errors import PortTakenError, SettingError
from sla_service.supervisor.place import PATIENCE

_STEP = 0.1  # seconds between two tries
_ANSWER_SECONDS = 1.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, not bound to


@dataclass(frozen=True)
class Address:
    """Host and port of ``SLA_HTTP``; ``str`` gives ``host:port``."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """As a browser on this machine opens it."""
        return f"http://{Address(_EVERYWHERE.get(self.host, self.host), self.port)}"

    def answers(self) -> bool:
        """Whether the web part is up: ``/healthz`` answers 200."""
        conn = http.client.HTTPConnection(_EVERYWHERE.get(self.host, self.host), self.port, timeout=_ANSWER_SECONDS)
        try:
            conn.request("GET", "/healthz")
            return conn.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            conn.close()


def free(address: Address, *, say: Callable[[str], None], patience: float = PATIENCE) -> Address:
    """The address once it can be listened on; port 0 becomes a free one.

    The port of a service that was killed a moment ago comes free by itself, so a taken one is waited for. Raises
    PortTakenError after ``patience`` seconds, SettingError at once for an address that waiting cannot mend.
    """
    deadline = time.monotonic() + patience
    waiting = False
    while True:
        try:
            return _try(address)
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise SettingError(
                    f"SLA_HTTP：不能在 {address} 上提供网页（{e.strerror}），请换一个地址，例如 127.0.0.1:8000。"
                ) from None
            if time.monotonic() >= deadline:
                other = Address(address.host, address.port % 65535 + 1)
                raise PortTakenError(
                    f"{address} 已被别的程序占用：请停止它，或用 SLA_HTTP 换一个地址，例如 SLA_HTTP={other}。"
                ) from None
        if not waiting:
            say(f"{address} 被占用，最多等 {patience:g} 秒")
            waiting = True
        time.sleep(_STEP)


def _try(address: Address) -> Address:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    port = address.port
    for family, kind, protocol, _, where in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the server does: old connections may linger
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((where[0], port, *where[2:]))
            port = probe.getsockname()[1]
    return Address(address.host, port)
