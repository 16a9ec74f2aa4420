"""A story whose source has an address, with the receiver that is told there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from receiver import Receiver, Told
from story import Story, story

from schemas.outgoing import OUTGOING
from sla_service.delivery.addresses import Rules
from sla_service.delivery.webhook_client import Poster
from sla_service.services import webhook_sending, webhooks
from sla_service.services.app import App
from sla_service.store import tables_webhooks
from sla_service.store import webhooks as outbox

HELD = {"kind": "simple", "department": "社会事务科", "handler": "zhangsan"}
HERE = Rules(http=True, private=True)  # the receivers of the tests live on 127.0.0.1


@dataclass
class Hooked:
    hall: Story
    receiver: Receiver
    secret: str

    def send(self, **options: Any) -> int:
        """Sends what is due; gives the number of tries."""
        return webhook_sending.send(self.hall.app, Poster(HERE), clock=lambda: self.hall.now, **options)

    def moves(self, no: str, times: int = 1) -> None:
        """As many moves of a new case's due date: paused, and on again, each in a transaction of its own."""
        self.hall.says("case.accepted", no=no, **HELD)
        for n in range(times):
            self.hall.now += timedelta(minutes=1)
            if n % 2 == 0:
                self.hall.says("case.paused", no=no, reason="hearing")
            else:
                self.hall.says("case.resumed", no=no)

    def put(self, *numbers: str, **more: Any) -> None:
        put(self.hall.app, *numbers, **{"now": self.hall.now, **more})

    def until(self, text: str) -> None:
        self.hall.until(text)
        self.send()

    def told(self) -> list[Told]:
        """What was taken since the last look; each fits the model of its type and is signed."""
        news, self.receiver.taken = self.receiver.taken, []
        for one in news:
            OUTGOING[one.event["type"]].model_validate(one.event)
            assert one.signed_by(self.secret)
            assert one.headers["webhook-id"] == one.id
        return news

    def expect(self, *types: str) -> list[dict[str, Any]]:
        """The events since the last look are exactly these, in order; gives their data."""
        self.send()
        news = self.told()
        assert [t.event["type"].removeprefix("sla.") for t in news] == list(types)
        return [t.event["data"] for t in news]

    def outbox(self) -> list[Any]:
        return sorted(self.hall.rows(tables_webhooks.webhook_events), key=lambda r: r["id"])

    def states(self) -> list[str]:
        return [row["state"] for row in self.outbox()]


def hook(app: App, receiver: Receiver, source: str = "hall", *, now: Any) -> str:
    """Sets the receiver's address without the guard; gives the secret."""
    secret = webhooks.put(app, source, receiver.url, who="test", now=now).secret
    assert secret is not None
    return secret


def put(app: App, *numbers: str, source: str = "hall", now: Any) -> None:
    """Events in the outbox as a transaction would leave them there, one per case number, in this order."""
    with app.db.write() as conn:
        n = conn.execute(sa.select(sa.func.count()).select_from(tables_webhooks.webhook_events)).scalar_one()
        rows = [
            {
                "event_id": f"evt_{source}{n + i}",
                "source": source,
                "no": no,
                "type": "sla.closed",
                "body": f'{{"id":"evt_{source}{n + i}","subject":"{no}","type":"sla.closed"}}',
                "state": "waiting",
                "attempt": 0,
                "not_before": now,
                "created_at": now,
            }
            for i, no in enumerate(numbers)
        ]
        outbox.add(conn, rows)


@contextmanager
def hooked(url: str, begins: str = "2026-11-20 10:00", **options: Any) -> Iterator[Hooked]:
    with story(url, begins, **options) as hall, Receiver() as receiver:
        yield Hooked(hall, receiver, hook(hall.app, receiver, now=hall.now))
