"""Acknowledgement: whoever was told says so, by the link in the message, the card's button, or through his own system.

It rests that step for that case and that person: what is still waiting of it, and repeats that are to end with it
(``until: acknowledged``). The ladder goes on, and what ``repeat … until: closed`` says goes on too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy.engine import Connection

from sla_service.delivery.render import status
from sla_service.delivery.wording import SPEAKERS
from sla_service.domain.directory import Person
from sla_service.errors import NotFoundError, UsageError
from sla_service.services import audit, links, standing
from sla_service.services.app import App
from sla_service.services.views import beijing
from sla_service.store import acks, deliveries, facts, outbox, queries

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Via = Literal["link", "card", "api", "page"]

#: A click is repeated by WeCom up to three times when we are slow; remembered a little longer than that.
_REMEMBERED: Final = timedelta(hours=1)
_TASK: Final = re.compile(r"d(\d{1,18})-(\d{1,12})")
BUTTON: Final = "ack"


@dataclass(frozen=True, slots=True)
class SeenCase:
    """One case of a message, for the page behind the link."""

    source: str
    no: str
    title: str
    status: str
    overdue: bool
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a link leads to: who was told, when, about which cases."""

    person: str
    at: datetime
    cases: tuple[SeenCase, ...]

    @property
    def all_seen(self) -> bool:
        return all(case.seen_at is not None for case in self.cases)


def view(app: App, token: str, *, now: datetime) -> Told:
    """What the page shows; changes nothing. Raises LinkError."""
    delivery = links.opened(app, token, now=now)
    with app.db.read() as conn:
        envelope, messages = _envelope(conn, delivery)
        states = deliveries.with_cases(conn, [m["id"] for m in messages])
        seen = acks.of_steps(conn, messages, envelope["recipient"])
    when = {(r["source"], r["no"]): r["at"] for r in seen}
    cases = {}
    for message in messages:
        state = states[message["id"]]
        if state["case_accepted_at"] is None:
            continue
        item = standing.item(app, message, state, now=now)
        words = "已办结" if state["case_state"] == "closed" else status(item)
        key = (message["source"], message["no"])
        cases[key] = SeenCase(*key, item.title, words, item.overdue, when.get(key))
    person = app.config.directory.person(envelope["recipient"])
    return Told(person.name if person else envelope["recipient"], envelope["created_at"], tuple(cases.values()))


def by_link(app: App, token: str, *, now: datetime) -> int:
    """Says "seen" for everything in the message; gives how much of it was new. Raises LinkError."""
    return _by_delivery(app, links.opened(app, token, now=now), "link", now=now)


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a card that was taken: how much of it was new, and what the button is to say from now on."""

    new: int
    account: str
    code: str
    words: str


def by_card(app: App, event: Mapping[str, str], *, now: datetime) -> Click | None:
    """A click on a WeCom card, as its callback tells it; None for a repeat of the same call, or what is not ours."""
    task = _TASK.fullmatch(event.get("TaskId", ""))
    if event.get("Event") != "template_card_event" or event.get("EventKey") != BUTTON or task is None:
        return None
    clicker, created = event.get("FromUserName", ""), event.get("CreateTime", "")
    with app.db.write() as conn:
        once = f"click:{clicker}:{created}:{task[0]}"[:200]
        if not facts.put_once(conn, once, "", now=now, expires_at=now + _REMEMBERED):
            return None
        facts.forget(conn, "click:", now=now)
        envelope = acks.delivery(conn, int(task[1]))
    if envelope is None or int(envelope["created_at"].timestamp()) != int(task[2]):
        return None  # another database's envelope
    person = app.config.directory.person(envelope["recipient"])
    if person is None or (person.wecom or "").lower() != clicker.lower():
        return None
    new = _by_delivery(app, envelope["id"], "card", now=now)
    words = SPEAKERS[app.settings.lang].SEEN_BY.format(name=person.name)
    return Click(new, person.wecom or clicker, event.get("ResponseCode", ""), words)


def settle_card(app: App, channel: str, click: Click) -> None:
    """Greys the button out, so that the card itself shows that it was seen. Only shows: what counts is recorded."""
    settle = app.channels.open(channel).settle
    if settle is None or not click.code:
        return
    outcome = settle(click.code, click.account, click.words)
    if not outcome.ok:  # the button stays; the next click tries again
        log.warning("card of %s was not greyed out: %s %s", channel, outcome.code, outcome.text)


def task_of(delivery: int, created_at: datetime) -> str:
    """The id of an envelope's card, which comes back with the click."""
    return f"d{delivery}-{int(created_at.timestamp())}"


def by_person(app: App, source: str, no: str, who: str, *, now: datetime, via: Via = "api") -> dict[str, Any]:
    """Says "seen" for all that this person was told, or is about to be told, about a case.

    ``who`` is an id, alias or name. Raises NotFoundError for a case or person that is not there.
    """
    with app.db.write() as conn:
        case = queries.case(conn, source, no)
        if case is None or case["accepted_at"] is None:
            raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
        person = app.config.directory.find(who, case["department"], case["hall"])
        if person is None:
            raise UsageError(f"by 要写通讯录里的一个人（编号、别名或姓名），{who!r} 不是。")
        messages = acks.told_person(conn, source, no, person.id)
        _say(conn, messages, person.id, via, now)
        seen = acks.of_steps(conn, messages, person.id)
    return {"source": source, "no": no, "by": _named(person), "acknowledged": [_out(r) for r in seen]}


def _by_delivery(app: App, delivery: int, via: Via, *, now: datetime) -> int:
    with app.db.write() as conn:
        envelope, messages = _envelope(conn, delivery)
        return _say(conn, messages, envelope["recipient"], via, now)


def _envelope(conn: Connection, delivery: int) -> tuple[Row, Sequence[Row]]:
    envelope = acks.delivery(conn, delivery)
    if envelope is None:
        raise links.LinkError
    return envelope, acks.told(conn, delivery=delivery)


def _say(conn: Connection, messages: Sequence[Row], person: str, via: Via, now: datetime) -> int:
    new = acks.add(conn, messages, person, via=via, now=now)
    by_case: dict[tuple[str, str, str], list[str]] = {}
    for row in new:
        by_case.setdefault((row["source"], row["no"], row["target"]), []).append(row["step"])
    notes = [
        {
            "source": source,
            "no": no,
            "at": now,
            "what": "acknowledged",
            "detail": {"target": target, "person": person, "steps": steps, "via": via},
        }
        for (source, no, target), steps in by_case.items()
    ]
    outbox.note(conn, notes)
    if new:
        steps = [f"{r['source']}/{r['no']} {r['step']}" for r in new]
        audit.note(conn, now, f"person:{person}", "acknowledge", via, steps=steps)
    return len(new)


def _named(person: Person) -> dict[str, str]:
    return {"id": person.id, "name": person.name}


def _out(row: Row) -> dict[str, Any]:
    return {**{k: row[k] for k in ("target", "round", "step", "via")}, "at": beijing(row["at"])}
