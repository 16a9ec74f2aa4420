"""One envelope: everything that waits for one person on one channel, with its words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery import render
from sla_service.delivery.message import Form, Message, Recipient
from sla_service.delivery.render import Item, once_each
from sla_service.delivery.wording import SPEAKERS, Lang
from sla_service.services import acknowledge, links, standing
from sla_service.services.app import App
from sla_service.services.config import Config
from sla_service.store import deliveries

Row = Mapping[str, Any]

SANDBOX: Final = "sandbox"
#: A template's empty variable is refused by some gateways, and reads as a fault to people.
NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A claimed delivery with its messages."""

    id: int
    attempt: int
    channel: str
    recipient: str
    body: Mapping[str, Any]
    urgent: bool
    messages: tuple[Row, ...]
    created_at: datetime
    content: str  # hash of the words (:func:`content`)
    not_after: datetime | None = None


def read(row: Row, messages: Sequence[Row]) -> Envelope:
    """The envelope of a delivery's row."""
    return Envelope(
        id=row["id"],
        attempt=row["attempt"],
        channel=row["channel"],
        recipient=row["recipient"],
        body=row["body"],
        urgent=row["urgent"],
        messages=tuple(messages),
        created_at=row["created_at"],
        content=row["content"],
        not_after=row["not_after"],
    )


def still_standing(
    app: App, conn: Connection, messages: Sequence[Row], states: Mapping[int, Row], now: datetime
) -> list[Row]:
    """The messages that still stand; the others are suppressed, each with its reason."""
    good: list[Row] = []
    gone: dict[str, list[int]] = {}
    for message in messages:
        why = standing.fault(message, states[message["id"]], app.config.directory, now=now)
        if why is None:
            good.append(message)
        else:
            gone.setdefault(why, []).append(message["id"])
    for why, ids in gone.items():
        deliveries.settle_messages(conn, ids, state="suppressed", reason=why)
    return good


def together(message: Row) -> tuple[str, bool, int]:
    """What shares an envelope: one person's cases, those of test sources apart, a digest always by itself."""
    digest = message["id"] if "words" in message["detail"] else 0
    return message["recipient"], bool(message["detail"].get("sandbox")), digest


def body(app: App, channel: str, messages: Sequence[Row], states: Mapping[int, Row], now: datetime) -> dict[str, Any]:
    """What is frozen: a repeat has to be the same to the byte."""
    ready = next((m["detail"]["words"] for m in messages if "words" in m["detail"]), None)
    if ready is not None:  # a digest brings its words along
        said = {"title": ready["title"], "body": ready["body"]}
        return said | _filled(app.config, channel, ready.get("fill", {}), overdue=ready.get("overdue", False))
    items = once_each([standing.item(app, m, states[m["id"]], now=now) for m in messages])
    made = app.config.wording.words(items, channel=channel, lang=app.settings.lang)
    return {"title": made.title, "body": made.body, **template_values(app.config, channel, items, app.settings.lang)}


def template_values(config: Config, channel: str, items: Sequence[Item], lang: Lang = "zh") -> dict[str, Any]:
    """The provider's template and its values, for channels that have one."""
    return _filled(config, channel, values(items, lang), overdue=any(i.overdue for i in items))


def _filled(config: Config, channel: str, known: Mapping[str, str], *, overdue: bool) -> dict[str, Any]:
    conf = config.channels.get(channel)
    template = conf.templates.get("breach" if overdue else "reminder") if conf else None
    if template is None:
        return {}
    filled = [known.get(name) or NOTHING for name in template.values]
    return {"template": template.id, "values": filled, "names": list(template.names)}


def values(items: Sequence[Item], lang: Lang = "zh") -> dict[str, str]:
    """What a provider's template can be filled with (``schemas.channels.TEMPLATE_VALUES``)."""
    first = min(items, key=lambda i: i.urgency)
    return {
        "case": first.no if len(items) == 1 else SPEAKERS[lang].several(first.no, len(items)),
        "due": f"{first.due_on:%m-%d}" if first.due_on else "",
        "days": str(max(0, -(first.left or 0))),
        "n": str(len(items)),
    }


def content(body: Mapping[str, Any]) -> str:
    """A short hash of the words, for windows that count the same text to the same person."""
    seen = [body.get(k) for k in ("title", "body", "template", "values")]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]


def linked(app: App, envelope: Envelope, body: Mapping[str, Any], messages: Sequence[Row]) -> dict[str, Any]:
    """The body with its link, frozen with it: where there is a public address, the way to answer or to look."""
    url = links.url(app, envelope.id, envelope.created_at, messages, scheme=app.channels.open(envelope.channel).scheme)
    cases = {(m["source"], m["no"]) for m in messages if m["source"]}
    task = acknowledge.task_of(envelope.id, envelope.created_at) if len(cases) == 1 else None
    plain = {k: v for k, v in body.items() if k not in ("url", "task", "labels")}
    labels = SPEAKERS[app.settings.lang]
    said = {} if labels is render else {"labels": {"button": labels.BUTTON, "seen": labels.SEEN}}
    return plain | ({"url": url} if url else {}) | ({"task": task} if task else {}) | said


def message(app: App, envelope: Envelope) -> Message:
    """What the channel is handed."""
    person = app.config.directory.person(envelope.recipient)
    to = Recipient(envelope.recipient)
    if person is not None:
        to = Recipient(person.id, person.name, person.phone, person.wecom)
    body = envelope.body
    return Message(
        id=f"d{envelope.id}",
        title=body["title"],
        body=body["body"],
        to=(to,),
        form=Form(body.get("form", Form.TEXT)),
        url=body.get("url"),
        task=body.get("task"),
        **body.get("labels", {}),
        template=body.get("template"),
        names=tuple(body.get("names", ())),
        values=tuple(body.get("values", ())),
    )
