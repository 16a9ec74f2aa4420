"""The servers that the HTTP door is compared with: the same door, and behind it nothing, or a hand-written loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from by_hand import Raw, Write, recorded  # first: it finds the tests' words
from fastapi import FastAPI

from story import make_app  # isort: skip

from sla_service import systime
from sla_service.services import intake
from sla_service.services.intake import Incoming, Result
from sla_service.web.app import create_app

DATA = {"kind": "simple", "title": "诊所名称核准", "matter": "登记", "department": "社会事务科", "handler": "zhangsan"}


def validating() -> FastAPI:
    """The service with a committer that commits nothing and says what it would have said."""
    api = create_app()
    api.state.web.committer.commit = _nothing
    return api


async def _nothing(items: list[Incoming], *, dry_run: bool = False) -> list[Result]:  # noqa: ARG001
    return _said(items)


def looping() -> FastAPI:
    """The service with a hand-written loop for a committer: the rows of an accepted case, nothing looked at."""
    api = create_app()
    loop = _Loop(os.environ["SLA_DATABASE_URL"])
    api.state.web.committer.commit = loop.commit
    return api


class _Loop:
    """Writes what ours writes for an accepted case, one ``executemany`` per table and one transaction per request."""

    def __init__(self, url: str) -> None:
        app, now = make_app(url), systime.now()
        number = f"shape-{os.getpid()}"
        event = {"specversion": "1.0", "source": "hall", "type": "case.accepted", "time": now.isoformat(), "data": DATA}
        with recorded(intake._Batch, "run") as batches:
            intake.receive(app, [intake.read({**event, "id": number, "subject": number}, now=now)], now=now, door="x")
        app.db.dispose()
        self.url, self.shape = url, batches[-1]
        self.raw: Raw | None = None  # opened by the thread that uses it
        self.thread = ThreadPoolExecutor(1)

    async def commit(self, items: list[Incoming], *, dry_run: bool = False) -> list[Result]:  # noqa: ARG002
        await asyncio.get_running_loop().run_in_executor(self.thread, self._write, items)
        return _said(items)

    def _write(self, items: list[Incoming]) -> None:
        events = [item.event for item in items if item.event is not None]
        writes = [
            Write(w.table, [_as(w.rows[0], e.subject, e.id) for e in events], w.key, w.update) for w in self.shape
        ]
        if self.raw is None:
            self.raw = Raw(self.url, [writes])
        self.raw.batches = [sorted(writes, key=lambda w: w.table != "cases")]
        self.raw.executemany()


def _as(row: Mapping[str, Any], no: str, event_id: str) -> dict[str, Any]:
    mine = {"no": no, "id": event_id}
    return {name: mine.get(name, value) for name, value in row.items()}


def _said(items: list[Incoming]) -> list[Result]:
    case = {
        "source": "hall",
        "hall": "main",
        "title": "诊所名称核准",
        "kind": "simple",
        "matter": "登记",
        "handler": "x",
    }
    more = {"state": "running", "light": "green", "due_on": "2026-11-25", "due_at": "2026-11-25T17:30:00+08:00"}
    rest = dict.fromkeys(("department", "remaining_days", "verdict", "late_days", "closed_at"))
    return [Result(i.id, "applied", "", {**case, **more, **rest, "no": i.id, "findings": []}) for i in items]
