"""What a channel is handed: one message, frozen, ready to be sent as it stands.

The words are chosen before (templates, bundling, masking of applicants) and stored with the message. A plugin
turns the same :class:`Message` into the same bytes each time, without a date, a nonce or an attempt number in
them: WeCom recognises a repeat by comparing the request byte by byte, so a repeat must not differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """How the body is to be read. A channel that lacks a form shows plain text."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CARD = "card"  # title, a few lines and one button that opens ``url``; without a url it is text


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person to reach.

    ``id`` is the directory's and the only one that may appear in logs, outcomes and the like; ``phone`` is the
    number as the provider takes it (mainland numbers without prefix), ``wecom`` the account id in WeCom.
    """

    id: str
    name: str = field(default="", repr=False)
    phone: str | None = field(default=None, repr=False)
    wecom: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one call to a provider.

    ``id`` is the outbox's: it goes to providers that give it back with their receipts. An empty ``to`` means
    the targets written in the channel's URL. A body longer than a channel takes is shortened with the link
    kept; whoever wants all of it cuts it first (:func:`sla_service.delivery.text.split_bytes`) and sends
    several messages, each with its own id and outcome.

    SMS: ``template`` is the provider's template id (else the URL's), ``values`` its variables in order and
    ``names`` what they are called there (Aliyun fills by name, the others by position). Without a template the
    body goes out as it is, where the provider allows free text at all.

    ``mention`` lets a group robot call the recipients by name (@), which is what alerts them.
    """

    id: str
    title: str = field(repr=False)
    body: str = field(repr=False)
    to: tuple[Recipient, ...] = ()
    form: Form = Form.TEXT
    url: str | None = field(default=None, repr=False)  # signed links open a page: as secret as a password
    button: str = "查看"
    seen: str = "知道了"  # what the button of a card says
    task: str | None = None  # the id of a card whose button says "seen", for channels that hear of the click
    mention: bool = True
    template: str | None = None
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a message needs the id of its outbox row")
        if self.names and len(self.names) != len(self.values):
            raise ValueError(f"message {self.id}: {len(self.names)} names for {len(self.values)} values")
