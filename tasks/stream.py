"""The Redis stream door: ``sla:events``, one field ``event`` with the CloudEvent as JSON.

A consumer group shares the entries among all workers. An entry is acknowledged only after the commit of its event;
what a dead worker had taken is taken over; what cannot become an event goes to ``sla:events:dead`` with the reason (and
is kept in the database like at every door). Entries that nobody has taken yet live in Redis alone, so that instance
needs an append-only file.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis
from redis.exceptions import RedisError, ResponseError

from schemas.events import NotJson, parse_json
from sla_service import systime
from sla_service.services import intake, streams, taking
from sla_service.services.app import App
from sla_service.services.streams import DEAD, FIELD, GROUP, STREAM, Entry, connect
from sla_service.store.engine import unavailable

log = logging.getLogger(__name__)

__all__ = ["DEAD", "GROUP", "STREAM", "Consumer", "connect"]

BATCH = 500
BLOCK_MS = 2000  # must stay below the socket's time-out, or every quiet moment looks like a broken connection
IDLE_MS = 60_000  # after so long without an acknowledgement an entry is taken over
CLAIM_SECONDS = 15.0
TRIM_SECONDS = 60.0
STATE_SECONDS = 15.0
#: A reader of a process that has ended leaves its name behind; after so long, and with nothing of its own, it goes.
GONE_MS = 24 * 3600 * 1000
DEAD_KEPT = 10_000
LONGEST_PAUSE = 15.0


class Consumer:
    """One worker's part of the group."""

    def __init__(self, app: App, client: redis.Redis, *, name: str | None = None) -> None:
        self.app, self.client = app, client
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._claim_at = self._trim_at = self._state_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Reads until told to stop; outlives a broker or a database that is away."""
        pause = 0.5
        while not stop.is_set():
            try:
                self.once()
                pause = 0.5
            except Exception as e:  # the door must open again whatever happened
                if isinstance(
                    e, ResponseError
                ):  # not away, but not as we need it: a key of another kind, no memory left
                    log.warning("the stream door: %s", e)
                elif not isinstance(e, RedisError) and not unavailable(e):
                    log.exception("the stream door failed")
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def once(self, *, block_ms: int = BLOCK_MS) -> int:
        """Takes one batch: what dead workers left, else what is new. Gives the number of entries dealt with."""
        try:
            entries = self._left_behind() or self._new(block_ms)
        except ResponseError as e:
            if "NOGROUP" not in str(e):
                raise
            self._make_group()
            return 0
        if entries:
            self._take(entries)
        self._trim()
        self._tell()
        return len(entries)

    def _make_group(self) -> None:
        try:
            # From the beginning: entries that came before the first worker count, and so do those after a flush.
            self.client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as e:
            if "BUSYGROUP" not in str(e):
                raise

    def _new(self, block_ms: int) -> list[Entry]:
        found: Any = self.client.xreadgroup(GROUP, self.name, {STREAM: ">"}, count=BATCH, block=block_ms or None)
        if not found:
            return []
        rows = found[STREAM.encode()][0] if isinstance(found, dict) else found[0][1]
        return list(rows)

    def _left_behind(self) -> list[Entry]:
        """Entries that were taken but not acknowledged for a minute, by whomever, ourselves included."""
        if time.monotonic() < self._claim_at:
            return []
        claimed: Any = self.client.xautoclaim(STREAM, GROUP, self.name, IDLE_MS, "0-0", count=BATCH)
        entries = [(i, fields) for i, fields in claimed[1] if fields]
        if not entries:
            self._claim_at = time.monotonic() + CLAIM_SECONDS
        return entries

    def _take(self, entries: Sequence[Entry]) -> None:
        now = systime.now()
        read = [self._read(fields, now) for _, fields in entries]
        results = taking.take(self.app, read, now=now, door="stream")
        with self.client.pipeline(transaction=False) as pipe:
            for (entry_id, fields), result in zip(entries, results, strict=True):
                if result.status == "invalid":
                    dead: dict[Any, Any] = {**fields, "id": entry_id, "reason": result.problem}
                    pipe.xadd(DEAD, dead, maxlen=DEAD_KEPT, approximate=True)
            pipe.xack(STREAM, GROUP, *(i for i, _ in entries))
            pipe.execute()

    def _read(self, fields: dict[bytes, bytes], now: datetime) -> intake.Incoming:
        raw = fields.get(FIELD)
        if raw is None:
            text = repr(fields)
            return intake.Incoming(text, None, "event", "条目里没有字段 event，请写 XADD sla:events * event 事件的JSON")
        try:
            return intake.read(parse_json(raw), now=now)
        except NotJson as e:
            return intake.Incoming(raw.decode("utf-8", "backslashreplace"), None, "event", e.problem)

    def _trim(self) -> None:
        """Drops entries that every group has taken and acknowledged; never one that somebody still has to see."""
        if time.monotonic() < self._trim_at:
            return
        self._trim_at = time.monotonic() + TRIM_SECONDS
        groups: Any = self.client.xinfo_groups(STREAM)
        limits = []
        for group in groups:
            pending: Any = self.client.xpending(STREAM, group["name"])
            limits.append(pending["min"] if pending["pending"] else group["last-delivered-id"])
        if limits:
            oldest = min(limits, key=lambda i: tuple(int(part) for part in i.split(b"-")))
            self.client.xtrim(STREAM, minid=oldest, approximate=True)
        self._forget_the_gone()

    def _forget_the_gone(self) -> None:
        """Removes the names of readers that have ended, one per restart, but never one with entries of its own."""
        consumers: Any = self.client.xinfo_consumers(STREAM, GROUP)
        for one in consumers:
            if not one["pending"] and one["idle"] > GONE_MS and one["name"] != self.name.encode():
                self.client.xgroup_delconsumer(STREAM, GROUP, one["name"])

    def _tell(self) -> None:
        """Notes how the stream stands, for metrics and the doctor."""
        if time.monotonic() < self._state_at:
            return
        self._state_at = time.monotonic() + STATE_SECONDS
        streams.note(self.app, streams.look(self.client, now=systime.now()))
