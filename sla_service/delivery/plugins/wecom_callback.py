"""WeCom's callbacks: their signature, their encryption, and who they are meant for.

https://developer.work.weixin.qq.com/document/path/90930 (verification of the URL) and path/101033 (encryption): a
SHA-1 over the sorted parts, AES-256-CBC with a key of 43 base64 characters, its first 16 bytes as the IV, padded to
32; inside are 16 random bytes, a 4-byte length, the message, and the id of whom it is meant for, which must be ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from xml.etree.ElementTree import ParseError

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml import DefusedXmlException, ElementTree

from sla_service.errors import ChannelError

_BLOCK = 32  # bytes; not AES's own 16
_RANDOM, _LENGTH = 16, 4
_KEY_LENGTH = 43
_LARGEST = 1 << 16  # a click is a few hundred bytes


class CallbackError(Exception):
    """Not from WeCom, not for us, or not whole. Says which, and nothing about why in detail to whoever sent it."""


class Callback:
    """The receiving end of one application. ``receive_id`` is the corp id."""

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        self._token, self._receive_id = token, receive_id
        try:
            self._key = base64.b64decode(aes_key + "=", validate=True)
        except (binascii.Error, ValueError):
            self._key = b""
        if not token or len(aes_key) != _KEY_LENGTH or len(self._key) != _BLOCK:
            raise ChannelError("回调要同时写 token= 和 aes=（EncodingAESKey，43 个字符），见应用的“接收消息”设置")

    def echo(self, signature: str, timestamp: str, nonce: str, echostr: str) -> str:
        """What a GET is answered with: the plain text of ``echostr``. Raises CallbackError."""
        return self._opened(signature, timestamp, nonce, echostr).decode("utf-8", "replace")

    def event(self, signature: str, timestamp: str, nonce: str, body: bytes) -> dict[str, str]:
        """The fields of a POSTed message. Raises CallbackError."""
        sealed = _fields(body).get("Encrypt", "")
        return _fields(self._opened(signature, timestamp, nonce, sealed))

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        parts = sorted((self._token, timestamp, nonce, sealed))
        return hashlib.sha1("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()

    def _opened(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bytes:
        expected = self.signature(timestamp, nonce, sealed)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise CallbackError("signature")
        try:
            raw = base64.b64decode(sealed, validate=True)
            decryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).decryptor()
            plain = decryptor.update(raw) + decryptor.finalize()
        except ValueError:  # not base64, or not whole blocks
            raise CallbackError("cipher text") from None
        padding = plain[-1] if plain else 0
        if not 1 <= padding <= _BLOCK or len(plain) < _RANDOM + _LENGTH + padding:
            raise CallbackError("padding")
        content = plain[_RANDOM:-padding]
        length = int.from_bytes(content[:_LENGTH])
        message, receiver = content[_LENGTH : _LENGTH + length], content[_LENGTH + length :]
        if len(message) != length or receiver != self._receive_id.encode():
            raise CallbackError("receive id")
        return message


def _fields(xml: bytes) -> dict[str, str]:
    """The first level of an XML document; an event's own fields lie there too."""
    if len(xml) > _LARGEST:
        raise CallbackError("too large")
    try:
        root = ElementTree.fromstring(xml)
    except (ParseError, DefusedXmlException, ValueError):
        raise CallbackError("not XML") from None
    return {child.tag: child.text or "" for child in root}
