"""What every route needs: the App, the clock, the door's committer and keys, and a way to the database off the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from fastapi import Request
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from sla_service.domain.calendar import Calendar
from sla_service.errors import SlaError
from sla_service.services import calendar_force, signing
from sla_service.services.app import App
from sla_service.services.intake import receive
from sla_service.services.metrics import Metrics
from sla_service.services.signing import Secret
from sla_service.store import signing as signing_rows
from sla_service.store import sources
from sla_service.store.engine import HEAD, unavailable
from sla_service.web.body import Bodies
from sla_service.web.committer import Committer
from sla_service.web.keys import Keys
from sla_service.web.limits import Rate
from sla_service.web.problems import Problem
from sla_service.web.signatures import LARGEST, Signatures

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Threads that read; more would only queue for connections.
READERS: Final = 8
#: A database that hangs is answered for after this.
READ_SECONDS: Final = 15
PROBE_SECONDS: Final = 3


class Web:
    """One per process. ``clock`` is read once per request, at the door."""

    def __init__(self, app: App, clock: Callable[[], datetime]) -> None:
        self.app, self.clock = app, clock
        self.bodies = Bodies(app.settings.max_body_bytes)
        self.committer = Committer(self._receive, clock=clock, together=app.db.sqlite)
        requests, failures = Rate(app.settings.rate_requests), Rate(app.settings.rate_failures)
        self.keys = Keys(self._owner, self._touch, requests=requests, failures=failures)
        self.signatures = Signatures(self._signers, self._touch_signer, requests=requests, failures=failures)
        # Apart, since who signs cannot be known before his body is here: he must not use up the others' room.
        self.signed_bodies = Bodies(min(LARGEST, app.settings.max_body_bytes))
        self.metrics = Metrics(app)
        self.logins = Rate(app.settings.rate_failures)
        self.hashing = asyncio.Semaphore(2)  # a flood of logins must not take all processors and threads
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._probing: asyncio.Future[str | None] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """``work`` in a thread. Raises TimeoutError when it takes too long."""
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(self._readers, work), READ_SECONDS)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """``work`` with a reading connection, in a thread."""

        def reading() -> T:
            with self.app.db.read() as conn:
                calendar_force.refresh(self.app, conn, hold=False)
                return work(conn)

        return await self.run(reading)

    async def calendar(self) -> Calendar:
        """The calendar in force; the last one that was known when the database is away."""
        with suppress(SQLAlchemyError, TimeoutError):
            await asyncio.wait_for(self.read(lambda _conn: None), PROBE_SECONDS)
        return self.app.calendar()

    async def probe(self) -> str | None:
        """What keeps the database from taking events, as a sentence; None if nothing does.

        One look at a time: probes of a database that hangs must not use up the threads that read.
        """
        if self._probing is None or self._probing.done():
            loop = asyncio.get_running_loop()
            self._probing = loop.run_in_executor(self._readers, self._revision)
        found = None
        with suppress(TimeoutError):
            found = await asyncio.wait_for(asyncio.shield(self._probing), PROBE_SECONDS)
        if found is None:
            return "数据库连不上。"
        return None if found == HEAD else f"数据库的版本是 {found}，本程序要 {HEAD}，请运行 sla db upgrade。"

    def _revision(self) -> str | None:
        try:
            return self.app.db.revision() or "空的"
        except Exception as e:
            if not unavailable(e):
                log.exception("readiness")
            return None

    def close(self) -> None:
        """Answers what was taken, then lets go of the threads."""
        self.committer.close()
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    def _receive(self, *args: Any, **kwargs: Any) -> Any:
        return receive(self.app, *args, **kwargs)

    async def _owner(self, key: str, now: datetime) -> str | None:
        return await self.read(lambda conn: sources.owner(conn, key, now=now))

    def _touch(self, key: str, now: datetime) -> None:
        def touch() -> None:
            with self.app.db.write() as conn:
                sources.touch_key(conn, key, now=now)

        self.committer.errand(touch)

    async def _signers(self, source: str, now: datetime) -> Sequence[Secret]:
        try:
            return await self.read(lambda conn: signing.holding(conn, self.app.settings, source, "in", now=now))
        except SlaError as e:
            log.error("%s", e)  # noqa: TRY400 (one sentence, no traceback)
            raise Problem(503, "签名密钥打不开，没有收下，请联系管理员。", headers={"Retry-After": "60"}) from None

    def _touch_signer(self, secret_id: str, now: datetime) -> None:
        def touch() -> None:
            with self.app.db.write() as conn:
                signing_rows.touch(conn, secret_id, now=now)

        self.committer.errand(touch)


def web_of(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


def address_of(request: Request) -> str:
    """The client's address, for counting wrong keys."""
    return request.client.host if request.client else "local"
