"""``sandbox://``: a mailbox in place of a provider, for trying the service out and for rehearsals.

Not an Apprise plugin: the service must start on the shipped configuration without loading Apprise (a quarter of
a second and 36 MB), and outside the service there is no mailbox to put anything into.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome, accepted


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Takes everything. ``mailbox`` keeps a message and gives it an id."""

    mailbox: Callable[[Message], str]

    def deliver(self, message: Message) -> Outcome:
        return accepted(self.mailbox(message))
