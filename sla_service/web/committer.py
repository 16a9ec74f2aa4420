"""Group commit: events that arrive together share one transaction, and are answered after its commit.

One event per transaction costs a round trip of locks, statements and an fsync each; a group costs them once. While
one group is being committed, what arrives forms the next. A sender who is alone never waits; where the last group
held several, the writer waits up to two milliseconds for as many again, else two half groups would follow each other
for ever, at the price of two transactions.

A lane is a queue with threads that write. SQLite has one writer anyway, so one lane with one thread takes single
events and batches in turn. PostgreSQL has a lane for single events and another for batches, so that a nightly import
of large batches does not hold up the window clerk's one; two threads there overlap one batch's folding with the
other's statements. Small batches share a transaction as well. A dry run has one of its own, which is rolled back.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition, Thread
from typing import Final, Protocol

from sla_service.services.intake import Incoming, Result
from sla_service.store.engine import unavailable
from sla_service.web.problems import busy

log = logging.getLogger(__name__)

DOOR: Final = "http"
#: Events per transaction: beyond this a larger group gains nothing and only makes others wait.
GROUP: Final = 500
#: Events that may wait in a lane before senders are asked to come back later.
BACKLOG: Final = 20_000
#: After this a sender is told to try again. What it sent may still be committed; then it meets its own repeat.
ANSWER_SECONDS: Final = 30
_STOP_SECONDS: Final = 30
_LINGER: Final = 0.002


class Receive(Protocol):
    """``services.intake.receive`` with its App."""

    def __call__(self, items: Sequence[Incoming], *, now: datetime, door: str, dry_run: bool) -> list[Result]: ...


@dataclass(slots=True, eq=False)
class Job:
    """What one request brought; ``done`` is called in the writing thread with its results or what went wrong."""

    items: Sequence[Incoming]
    dry_run: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[Result]]
    results: list[Result] | None = None
    error: Exception | None = None

    def settle(self) -> None:
        """In the event loop. A sender that has gone away is told nothing; what was committed stays."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.results or [])


@dataclass(slots=True)
class _Lane:
    """Jobs in order of arrival, those of one event apart from batches, and threads that take them in turn."""

    run: Callable[[list[Job]], None]
    threads: int
    singles: deque[Job] = field(default_factory=deque)
    batches: deque[Job] = field(default_factory=deque)
    errands: deque[Callable[[], None]] = field(default_factory=deque)
    waiting: int = 0
    closed: bool = False
    ready: Condition = field(default_factory=Condition)
    running: list[Thread] = field(default_factory=list)
    batch_last: bool = False
    last: int = 0  # single events in the last group
    awaited: int = 1  # single events for which a thread is woken

    def put(self, job: Job) -> None:
        with self.ready:
            if self.waiting and self.waiting + len(job.items) > BACKLOG:
                raise busy()
            self.waiting += len(job.items)
            if len(job.items) > 1 or job.dry_run:
                self.batches.append(job)
                self._wake()
            else:
                self.singles.append(job)
                if len(self.singles) >= self.awaited:
                    self._wake()

    def errand(self, work: Callable[[], None]) -> None:
        with self.ready:
            self.errands.append(work)
            self._wake()

    def close(self) -> None:
        """Writes what is waiting, then ends the threads. The lane may be used again."""
        with self.ready:
            self.closed = True
            self.ready.notify_all()
            running, self.running = self.running, []
        for thread in running:
            thread.join(_STOP_SECONDS)
        self.closed = False

    def _wake(self) -> None:
        if not self.running:
            self.running = [Thread(target=self._work, name="committer", daemon=True) for _ in range(self.threads)]
            for thread in self.running:
                thread.start()
        self.ready.notify()

    def _work(self) -> None:
        while True:
            with self.ready:
                while not (self.singles or self.batches or self.errands or self.closed):
                    self.ready.wait()
                self._linger()
                jobs = self._next()
                errand = self.errands.popleft() if self.errands else None
            if jobs:
                self.run(jobs)
            if errand is not None:
                errand()
            if not jobs and errand is None:
                return

    def _linger(self) -> None:
        """Where senders come in groups, gives those who have just been answered the time to send their next."""
        if 0 < len(self.singles) < self.last and not (self.batches or self.errands or self.closed):
            self.awaited = self.last
            self.ready.wait(_LINGER)
            self.awaited = 1

    def _next(self) -> list[Job]:
        """The next group: single events and batches in turn, dry runs by themselves."""
        self.batch_last = bool(self.batches) and not (self.batch_last and self.singles)
        queue = self.batches if self.batch_last else self.singles
        group: list[Job] = []
        size = 0
        while queue and (not group or (size + len(queue[0].items) <= GROUP and not queue[0].dry_run)):
            group.append(queue.popleft())
            size += len(group[-1].items)
            if group[-1].dry_run:
                break
        self.waiting -= size
        if not self.batch_last:
            self.last = size
        return group


class Committer:
    """The door's way into the database. ``together`` says that there is one writer only (SQLite)."""

    def __init__(self, receive: Receive, *, clock: Callable[[], datetime], together: bool) -> None:
        self._receive, self._clock = receive, clock
        self._singles = _Lane(self._run, 1)
        self._batches = self._singles if together else _Lane(self._run, 2)

    async def commit(self, items: Sequence[Incoming], *, dry_run: bool = False) -> list[Result]:
        """One result per item, after the commit.

        Raises the database's error, TimeoutError when it hangs, and Problem 503 when too much is waiting already.
        """
        loop = asyncio.get_running_loop()
        job = Job(items, dry_run, loop, loop.create_future())
        (self._singles if len(items) == 1 and not dry_run else self._batches).put(job)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await job.future

    def errand(self, work: Callable[[], None]) -> None:
        """Has small housekeeping done by a writing thread between groups; its failure is logged, no more."""

        def guarded() -> None:
            try:
                work()
            except Exception as e:  # noqa: BLE001 (the border of the thread: the events behind it go on)
                log.warning("housekeeping failed: %s", type(e).__name__)

        self._singles.errand(guarded)

    def close(self) -> None:
        """Answers everything that waits, then stops."""
        for lane in {id(lane): lane for lane in (self._singles, self._batches)}.values():
            lane.close()

    def _run(self, jobs: list[Job]) -> None:
        try:
            self._together(jobs)
        finally:
            for loop in {job.loop for job in jobs}:
                mine = [job for job in jobs if job.loop is loop]
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_settle, mine)

    def _together(self, jobs: list[Job]) -> None:
        items = [item for job in jobs for item in job.items]
        try:
            results = self._receive(items, now=self._clock(), door=DOOR, dry_run=jobs[0].dry_run)
        except Exception as e:  # noqa: BLE001 (the border of the thread: whatever it is, senders must be answered)
            if unavailable(e):
                for job in jobs:
                    job.error = e
            elif len(jobs) > 1:  # a fault of ours that one event brought out must not take its neighbours along
                for job in jobs:
                    self._together([job])
            else:
                self._failed(jobs[0], e)
            return
        at = 0
        for job in jobs:
            job.results = results[at : at + len(job.items)]
            at += len(job.items)

    def _failed(self, job: Job, error: Exception) -> None:
        """A request by itself failed through a fault of ours. Of a batch, the event at fault is found and kept."""
        log.error("%d events failed", len(job.items), exc_info=error)
        if len(job.items) == 1:
            job.error = error
            return
        parts = [Job([item], job.dry_run, job.loop, job.future) for item in job.items]
        for part in parts:
            self._together([part])
            if part.error is not None and not unavailable(part.error):
                part.error = None
                problem = "服务处理这个事件时出错，原文已保留，请联系管理员。"
                part.items = [Incoming(part.items[0].raw, None, "", problem, part.items[0].owner)]
                self._together([part])
        job.error = next((p.error for p in parts if p.error is not None), None)
        job.results = [r for p in parts for r in p.results or []]


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        job.settle()
