"""What really became of one send: the typed answer of every channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    ACCEPTED = "accepted"  # the provider took it (not: it was read)
    PARTIAL = "partial"  # taken for some recipients, refused for others
    RATE_LIMITED = "rate_limited"  # not sent, allowed again after retry_after
    REFUSED = "refused"  # not sent, and the same bytes will not be taken later
    UNAVAILABLE = "unavailable"  # certainly not sent, may work later
    UNKNOWN = "unknown"  # we cannot tell whether it went out


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one call to a provider.

    ``code`` and ``text`` are the provider's own (or ours where it gave none), ``hint`` says in Chinese what an
    administrator can do about it. ``retry_after`` is in seconds. ``refused`` lists recipients of a partial send.
    """

    kind: Kind
    code: str = ""
    text: str = ""
    provider_id: str | None = None
    refused: tuple[str, ...] = ()
    retry_after: float | None = None
    hint: str = ""

    @property
    def ok(self) -> bool:
        return self.kind is Kind.ACCEPTED


def accepted(provider_id: str | None = None, *, code: str = "0", text: str = "") -> Outcome:
    return Outcome(Kind.ACCEPTED, code, text, provider_id)


def partial(provider_id: str | None, refused: tuple[str, ...], *, code: str = "0", text: str = "") -> Outcome:
    return Outcome(Kind.PARTIAL, code, text, provider_id, refused)


def rate_limited(retry_after: float, *, code: str, text: str = "", hint: str = "") -> Outcome:
    return Outcome(Kind.RATE_LIMITED, code, text, retry_after=retry_after, hint=hint)


def refused(code: str, text: str = "", *, hint: str = "") -> Outcome:
    return Outcome(Kind.REFUSED, code, text, hint=hint)


def unavailable(code: str, text: str = "", *, retry_after: float | None = None, hint: str = "") -> Outcome:
    return Outcome(Kind.UNAVAILABLE, code, text, retry_after=retry_after, hint=hint)


def unknown(code: str, text: str = "", *, hint: str = "") -> Outcome:
    return Outcome(Kind.UNKNOWN, code, text, hint=hint)
