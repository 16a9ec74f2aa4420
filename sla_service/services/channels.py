"""The channels of channels.yaml, opened when first used and kept open, with their ports into the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from sla_service import systime
from sla_service.delivery.message import Message
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.registry import Channel, expand, open_channel
from sla_service.errors import ChannelError
from sla_service.services.config import ChannelConf
from sla_service.store import facts, mailbox
from sla_service.store.engine import Database

SANDBOX = "sandbox"
_REMEMBERED = 2.0  # seconds


class StoredTokens:
    """Provider tokens in the database: one per application for all workers, since fetching often is throttled."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db, self._clock = db, clock
        self._seen: dict[str, tuple[float, str, datetime]] = {}  # key -> when looked up, token, expiry

    def get(self, key: str, *, now: datetime) -> str | None:
        """Looked up anew after two seconds: another worker's renewal is noticed, a thousand sends ask once."""
        looked, token, expires_at = self._seen.get(key, (float("-inf"), "", now))
        if time.monotonic() - looked > _REMEMBERED or expires_at <= now:
            with self._db.read() as conn:
                fact = facts.get(conn, f"token:{key}")
            if fact is None or fact["expires_at"] is None or fact["expires_at"] <= now:
                return None
            token = str(fact["value"])
            self._seen[key] = time.monotonic(), token, fact["expires_at"]
        return token

    def put(self, key: str, token: str, *, expires_at: datetime) -> None:
        self._seen[key] = time.monotonic(), token, expires_at
        with self._db.write() as conn:
            facts.put(conn, f"token:{key}", token, now=self._clock(), expires_at=expires_at)


class Channels:
    """Opens channels by name; safe to share between threads."""

    def __init__(
        self,
        confs: Mapping[str, ChannelConf],
        db: Database,
        variables: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = systime.now,
    ) -> None:
        self._confs, self._db, self._variables, self._clock = confs, db, variables, clock
        self._open: dict[str, Channel] = {}
        self._lock = Lock()

    def open(self, name: str) -> Channel:
        """The channel of that name. Raises ChannelError (never with a secret) if its URL does not do."""
        with self._lock:
            if name not in self._open:
                self._open[name] = open_channel(name, self._url(name), ports=self._ports(name))
            return self._open[name]

    def names(self) -> list[str]:
        return sorted(self._confs)

    def close(self) -> None:
        with self._lock:
            for channel in self._open.values():
                channel.close()
            self._open.clear()

    def _url(self, name: str) -> str:
        if name == SANDBOX and name not in self._confs:
            return "sandbox://"
        if name not in self._confs:
            raise ChannelError(f"channels.yaml 里没有渠道 {name}，请加上它，或改 policy.yaml 里的 via")
        return expand(self._confs[name].url, self._variables)

    def _ports(self, name: str) -> Ports:
        def put(message: Message) -> str:
            to = message.to[0]
            with self._db.write() as conn:
                return mailbox.put(
                    conn,
                    key=f"{name}:{message.id}",
                    channel=name,
                    recipient=to.id,
                    name=to.name,
                    title=message.title,
                    body="\n".join(part for part in (message.body, message.url) if part),
                    now=self._clock(),
                )

        return Ports(tokens=StoredTokens(self._db, self._clock), mailbox=put, clock=self._clock)
