"""Signatures of the Standard Webhooks scheme, version 1.0.0: HMAC-SHA256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

PREFIX: Final = "whsec_"
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
HEADERS: Final = (ID, TIMESTAMP, SIGNATURE)
#: How far a request's time may be from ours, in either direction.
TOLERANCE: Final = timedelta(minutes=5)

_BYTES: Final = 32  # the scheme asks for 24 to 64
_VERSION: Final = "v1"
_MOST: Final = 16  # signatures that are looked at: rotation needs two
# A full stop in it would let parts of the body pass for the time.
_ID: Final = re.compile(r"[!-\-/-~]{1,256}")
_TIME: Final = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    """``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret as it is shown. Raises ValueError."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def sign(keys: Iterable[bytes], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a request; one signature per key, so that a receiver may know either."""
    timestamp = str(int(at.timestamp()))
    signed = " ".join(f"{_VERSION},{_packed(_mac(key, webhook_id, timestamp, body))}" for key in keys)
    return {ID: webhook_id, TIMESTAMP: timestamp, SIGNATURE: signed}


def well_formed(webhook_id: str, timestamp: str) -> bool:
    return _ID.fullmatch(webhook_id) is not None and _TIME.fullmatch(timestamp) is not None


def in_time(timestamp: str, now: datetime) -> bool:
    """Is a well-formed time near enough to ``now``?"""
    return abs(int(timestamp) - now.timestamp()) <= TOLERANCE.total_seconds()


def matching(keys: Sequence[bytes], webhook_id: str, timestamp: str, signatures: str, body: bytes) -> int | None:
    """Which of the keys has signed this; None if none has.

    Every signature is compared with that of every key, in constant time each: how long it takes tells nothing.
    """
    given = [_unpacked(part) for part in signatures.split()[:_MOST]]
    found = None
    for n, key in enumerate(keys):
        mine = _mac(key, webhook_id, timestamp, body)
        for theirs in given:
            if hmac.compare_digest(mine, theirs):
                found = n
    return found


def _mac(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()


def _packed(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _unpacked(part: str) -> bytes:
    """The bytes of one ``v1`` signature; nothing for what is of another version or malformed."""
    version, _, text = part.partition(",")
    if version != _VERSION:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
