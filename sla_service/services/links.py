"""Links in messages: to the case, or signed, so that whoever got the message can say "seen" without a login.

A link names one envelope, expires, and is signed with a key that all processes share: ``SLA_DATA_KEY``, else one that
is made once and kept in the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from sla_service.services.app import App
from sla_service.store import facts

Row = Mapping[str, Any]

VALID: Final = timedelta(days=30)
#: Channels that reach one person: what others can read too must not answer in his name.
PERSONAL: Final = frozenset({"wecomapp", "sandbox"})
_KEY: Final = "link_key"
_PURPOSE: Final = b"sla acknowledgement link v1"
_SIGNATURE: Final = 16  # bytes of the MAC that are kept


class LinkError(Exception):
    """The link is not ours, was changed, or has expired (``expired``)."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "not a link of ours")
        self.expired = expired


def url(app: App, delivery: int, created_at: datetime, messages: Sequence[Row], *, scheme: str) -> str | None:
    """The link of a message; None without a public address. The same envelope always has the same link."""
    base = (app.settings.public_url or "").rstrip("/")
    cases = {(m["source"], m["no"]) for m in messages if m["source"]}
    if not base:
        return None
    if scheme in PERSONAL and cases:
        return f"{base}/a/{sign(app, delivery, created_at + VALID)}"
    if len(cases) != 1:
        return base
    source, no = (quote(part, safe="") for part in next(iter(cases)))
    return f"{base}/cases/{source}/{no}"


def sign(app: App, delivery: int, expires_at: datetime) -> str:
    """``17.1798761600.c2lnbmF0dXJl``: envelope, expiry, signature."""
    said = f"{delivery}.{int(expires_at.timestamp())}"
    return f"{said}.{_mac(app, said)}"


def ready(app: App, *, now: datetime) -> None:
    """Makes sure that there is a key; before any transaction, since it may have to be written."""
    if app.settings.data_key is not None:
        app.link_key = app.settings.data_key.get_secret_value()
    if app.link_key is not None:
        return
    with app.db.write() as conn:
        facts.put_once(conn, _KEY, secrets.token_urlsafe(32), now=now)
        fact = facts.get(conn, _KEY)
    app.link_key = str(fact["value"]) if fact is not None else None


def opened(app: App, token: str, *, now: datetime) -> int:
    """The envelope that a token names. Raises LinkError."""
    ready(app, now=now)
    said, _, mac = token.rpartition(".")
    delivery, _, expires = said.partition(".")
    if not (token.isascii() and delivery.isdigit() and expires.isdigit() and len(token) < 100):  # noqa: PLR2004
        raise LinkError
    if not hmac.compare_digest(mac, _mac(app, said)):
        raise LinkError
    if datetime.fromtimestamp(int(expires), UTC) <= now:
        raise LinkError(expired=True)
    return int(delivery)


def _mac(app: App, said: str) -> str:
    if app.link_key is None:
        raise RuntimeError("links.ready() comes before signing")
    key = hashlib.sha256(_PURPOSE + app.link_key.encode()).digest()
    digest = hmac.new(key, said.encode(), hashlib.sha256).digest()[:_SIGNATURE]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
