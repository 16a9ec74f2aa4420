"""Kept connections that note when a request begins: urllib3's pools with what we need to know added."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

IDLE_LIMIT: Final = 20.0  # firewalls forget idle connections silently; a send into one ends as unclear
POOL_SIZE: Final = 64

request = threading.local()
"""``request.begun`` is set in the calling thread once the first byte of its request may have gone out."""


class _NoTargets(logging.Filter):
    """Drops urllib3's debug lines: they print the request target, and with it secrets and tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


logging.getLogger("urllib3.connectionpool").addFilter(_NoTargets())


class Tracked(HTTPConnection):
    """Notes for the calling thread when the request begins, and does not come back after a long idle time."""

    _used_at: float | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._used_at = time.monotonic()
        request.begun = True
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        """What the pool asks before it hands out a kept connection."""
        fresh = self._used_at is None or time.monotonic() - self._used_at < IDLE_LIMIT
        return fresh and super().is_connected


class _TrackedTls(Tracked, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = Tracked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TrackedTls


@dataclass(frozen=True, slots=True)
class How:
    """How a provider is reached: over TLS, trusting whom, through which proxy (its login apart)."""

    tls: bool
    ca: str | None = None
    pin: str | None = None
    proxy: str | None = None
    login: str | None = field(default=None, repr=False)


def manager(how: How) -> urllib3.PoolManager:
    """A new set of pools, no connection opened yet."""
    options: dict[str, Any] = {"maxsize": POOL_SIZE}
    if how.tls and how.pin:
        options |= {"ssl_context": _pinned(), "assert_fingerprint": how.pin}
    elif how.tls:
        options["ssl_context"] = context(how.ca)
    if how.proxy is None:
        pools = urllib3.PoolManager(**options)
    else:
        headers = urllib3.make_headers(proxy_basic_auth=how.login) if how.login else None
        pools = urllib3.ProxyManager(how.proxy, proxy_headers=headers, **options)
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return pools


@cache
def context(ca: str | None) -> ssl.SSLContext:
    """Trusts the system's certificates, certifi's (a bare container has none) and those of ``ca``."""
    made = ssl.create_default_context()
    made.load_verify_locations(certifi.where())
    if ca is not None:
        made.load_verify_locations(ca)
    return made


@cache
def _pinned() -> ssl.SSLContext:
    """Leaves the checking to the fingerprint, which urllib3 compares before anything is sent."""
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made
