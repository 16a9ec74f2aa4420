"""A finger on a card's button: WeCom tells the callback, signed and encrypted as path/90930 and 101033 describe it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.stub_provider.state import State

CORP = "ww1"


def click(state: State, task: str, *, corp: str = CORP) -> dict[str, Any]:
    """``status`` is what the callback answered, 0 if nobody did; a grey button cannot be pressed."""
    with state.lock:
        card = state.card(task)
        if card is None or "greyed" in card.extra:
            return {"status": 0, "why": "no such card, or its button is grey"}
        fields = {
            "ToUserName": corp,
            "FromUserName": card.to,
            "CreateTime": str(int(state.now().timestamp() * 1000)),  # each press is another
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": card.extra["key"],
            "TaskId": task,
            "CardType": "button_interaction",
            "ResponseCode": state.new_code(task),
        }
        url, (token, key) = state.callback, state.callback_keys
    if not url:
        return {"status": 0, "why": "no callback set: POST /__control {callback, token, aes}"}
    xml = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    body, query = _sealed(f"<xml>{xml}</xml>".encode(), token, key, corp)
    asked = Request(f"{url}?{query}", data=body, method="POST", headers={"Content-Type": "text/xml"})
    try:
        with urlopen(asked, timeout=5) as answer:
            return {"status": answer.status}
    except HTTPError as error:
        return {"status": error.code}
    except URLError as error:
        return {"status": 0, "why": str(error.reason)}


def _sealed(text: bytes, token: str, key: str, corp: str) -> tuple[bytes, str]:
    secret = base64.b64decode(key + "=")
    plain = secrets.token_bytes(16) + len(text).to_bytes(4) + text + corp.encode()
    fill = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    cipher = base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()
    stamp, nonce = "1409659589", secrets.token_hex(5)
    signed = hashlib.sha1("".join(sorted((token, stamp, nonce, cipher))).encode()).hexdigest()
    query = urlencode({"msg_signature": signed, "timestamp": stamp, "nonce": nonce})
    return f"<xml><ToUserName>{corp}</ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode(), query
