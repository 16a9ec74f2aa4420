"""A story: a hall on a virtual clock, told in events and in the messages that phones show.

``story.expect(...)`` names every message since the last look; one too many or too few fails the story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from builders import at

from sla_service.calendars.layers import default_calendar
from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Kind, Outcome
from sla_service.delivery.registry import Channel
from sla_service.domain.policy import BEIJING
from sla_service.services import digests, dispatch, intake, ticking
from sla_service.services.app import App, Calendars
from sla_service.services.channels import Channels
from sla_service.services.config import Config, load_config
from sla_service.settings import Settings
from sla_service.store import sources, tables
from sla_service.store.engine import Database

CONFIG = Path(__file__).parent.parent / "config"


@dataclass(slots=True)
class Story:
    """One hall from ``now`` on. ``go_live`` of its source is the story's beginning."""

    app: App
    now: datetime
    seen: int = 0
    _ids: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)

    # -- what happens -------------------------------------------------------------------------------------------

    def event(
        self, type_: str, time: str | None = None, *, no: str = "BBC-1", event_id: str | None = None, **data: Any
    ) -> dict[str, Any]:
        """A CloudEvent, by default happening now."""
        self._ids += 1
        when = at(time) if time else self.now
        return {
            "specversion": "1.0",
            "id": event_id or f"e{self._ids}",
            "source": "hall",
            "type": type_,
            "subject": no,
            "time": when.astimezone(BEIJING).isoformat(),
            "data": data,
        }

    def send(self, *events: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
        """Hands events in at the present instant; gives the answers."""
        read = [intake.read(e, now=self.now) for e in events]
        results = intake.receive(self.app, read, now=self.now, door="test", **options)
        self.results = [r.out() for r in results]
        return self.results

    def says(self, type_: str, time: str | None = None, *, no: str = "BBC-1", **data: Any) -> dict[str, Any]:
        """One event, happening now, that has to be applied; gives the case."""
        (result,) = self.send(self.event(type_, time, no=no, **data))
        assert result["status"] == "applied", result
        return dict(result["case"])

    def until(self, text: str) -> None:
        """Lets the time pass, with a look exactly when something is due."""
        end = at(text)
        while True:
            self.tick()
            due = self._next()
            if due is None or due > end:
                self.now = end
                self.tick()
                return
            self.now = max(due, self.now + timedelta(microseconds=1))

    def sleep_until(self, text: str) -> None:
        """Lets the time pass with nobody looking: an outage."""
        self.now = at(text)

    def tick(self) -> None:
        ticking.fire_due(self.app, now=self.now)
        digests.fire(self.app, now=self.now)
        dispatch.deliver_all(self.app, clock=lambda: self.now)

    def _next(self) -> datetime | None:
        with self.app.db.read() as conn:
            waiting = sa.select(sa.func.min(tables.messages.c.not_before)).where(tables.messages.c.state == "queued")
            again = sa.select(sa.func.min(tables.deliveries.c.not_before)).where(tables.deliveries.c.state == "queued")
            clocks = sa.select(sa.func.min(tables.clocks.c.next_at))
            times = [conn.execute(q).scalar() for q in (waiting, again, clocks)]
        times.append(digests.next_at(self.app, after=self.now))
        return min((t for t in times if t is not None), default=None)

    # -- what people see ----------------------------------------------------------------------------------------

    def news(self) -> list[str]:
        """What phones showed since the last look: ``11-24 08:30 wecom 张三 【即将到期】BBC-1``."""
        box = tables.mailbox
        with self.app.db.read() as conn:
            query = sa.select(box).where(box.c.id > self.seen).order_by(box.c.at, box.c.channel, box.c.name)
            rows = conn.execute(query).mappings().all()
        self.seen = max((r["id"] for r in rows), default=self.seen)
        shown = [
            (r["at"].astimezone(BEIJING).strftime("%m-%d %H:%M"), r["channel"], r["name"], r["title"]) for r in rows
        ]
        return [" ".join(parts) for parts in shown]

    def expect(self, *lines: str) -> None:
        """The messages since the last look are exactly these, in any order within a minute."""
        came = self.news()
        missing = [line for line in lines if line not in came]
        extra = [line for line in came if line not in lines]
        assert sorted(came) == sorted(lines), f"never came: {missing}; nobody expected: {extra}; all: {came}"

    def bodies(self) -> list[str]:
        with self.app.db.read() as conn:
            return list(conn.execute(sa.select(tables.mailbox.c.body).order_by(tables.mailbox.c.id)).scalars())

    def rows(self, table: sa.Table) -> list[Mapping[str, Any]]:
        with self.app.db.read() as conn:
            return [dict(r) for r in conn.execute(sa.select(table)).mappings()]

    def case(self, no: str = "BBC-1") -> Mapping[str, Any]:
        return next(r for r in self.rows(tables.cases) if r["no"] == no)


class Troubled(Channels):
    """Sandbox channels that first answer what a script says; ``schemes`` makes one behave as a provider's would.

    What the script calls accepted or unknown was shown all the same, everything else was not.
    """

    def __init__(self, app: App, schemes: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        super().__init__(app.config.channels, app.db, {}, clock=clock)
        self.schemes = schemes
        self.script: dict[str, list[Outcome]] = {}

    def open(self, name: str) -> Channel:
        channel = super().open(name)

        def deliver(message: Message) -> Outcome:
            waiting = self.script.get(name)
            if not waiting:
                return channel.deliver(message)
            said = waiting.pop(0)
            if said.kind is Kind.UNKNOWN:
                channel.deliver(message)
            return said

        return replace(channel, scheme=self.schemes.get(name, channel.scheme), deliver=deliver)


def trouble(hall: Story, *, schemes: Mapping[str, str] | None = None, **script: list[Outcome]) -> None:
    """From now on these channels answer so, first come first served, and then as ever."""
    channels = Troubled(hall.app, schemes or {}, lambda: hall.now)
    channels.script = script
    hall.app.channels = channels


def make_app(url: str, *, config: Config | None = None, clock: Any = None) -> App:
    """An App on a migrated database with the shipped configuration, everything else as in earnest."""
    config = config or load_config(CONFIG)
    db = Database(url)
    clock = clock or (lambda: at("2026-11-20 09:00"))
    channels = Channels(config.channels, db, {}, clock=clock)
    return App(Settings(), db, config, Calendars(default_calendar()), channels)


@contextmanager
def story(url: str, begins: str, *, config: Config | None = None, test: bool = False) -> Iterator[Story]:
    begin = at(begins)
    told: list[Story] = []
    app = make_app(url, config=config, clock=lambda: told[0].now)
    with app.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=test, go_live=begin, now=begin)
    told.append(Story(app, begin))
    try:
        yield told[0]
    finally:
        app.channels.close()
        app.db.dispose()


def with_policy(config: Config, **changes: Any) -> Config:
    """The configuration with some switches of its policy changed."""
    return replace(config, policy=replace(config.policy, version="changed", **changes))
