"""A case system that signs what it sends, by the words of the specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

from door import STRUCTURED

from sla_service.services import sources

ROUTE = "/v1/events"


def sign(secret: str, body: bytes, at, webhook_id: str = "msg_1") -> dict[str, str]:
    """The scheme as its specification has it, written here once more on purpose."""
    key, timestamp = base64.b64decode(secret.removeprefix("whsec_")), str(int(at.timestamp()))
    mac = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


class Signer:
    """A case system that signs."""

    def __init__(self, door, secret: str | None = None):
        self.door = door
        self.secret = secret or self.rotate()

    def rotate(self, overlap: timedelta = timedelta(hours=1)) -> str:
        return sources.rotate_signing(self.door.hall.app, "hall", overlap=overlap, now=self.door.hall.now)[0]

    def forget(self) -> None:
        """Three seconds later."""
        self.door.api.state.web.signatures._known.clear()

    def post(self, body, media=STRUCTURED, *, sent=None, headers=None, path=ROUTE, **signed):
        """``body`` is what is signed; ``sent`` what comes in its place."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        made = sign(self.secret, raw, **{"at": self.door.hall.now, **signed})
        given = {**made, "Content-Type": media, **(headers or {})}
        content = raw if sent is None else sent
        return self.door.client.post(path, content=content, headers={k: v for k, v in given.items() if v})
