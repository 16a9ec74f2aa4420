"""What an HTTP answer means before, or without, the provider's own words."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sla_service.delivery.http import Reply
from sla_service.delivery.outcome import Outcome, rate_limited, refused, unavailable, unknown
from sla_service.delivery.text import mask_phones

_LARGEST_RETRY_AFTER: Final = 86400.0
_LONGEST_TEXT: Final = 300


def decode(reply: Reply) -> dict[str, Any] | None:
    """The JSON object of an answer, ``None`` if it is none."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def by_status(reply: Reply) -> Outcome:
    """What an answer means that is not in the provider's own words, by RFC 9110.

    500 and 503 are the server saying itself that it did not do it: not sent. 502, 504 and the rest of 5xx come
    from a gateway that lost sight of the server after handing the request on: unclear. So is anything else
    under a 2xx, where the server may well have done it.
    """
    status, code = reply.status, f"http_{reply.status}"
    if status in {408, 500, 503}:
        return unavailable(code, f"对方服务器应答 {status}，没有处理。", retry_after=_retry_after(reply))
    if status in {425, 429}:
        return rate_limited(_retry_after(reply) or 60.0, code=code, text=f"对方服务器应答 {status}，请求太频繁。")
    if status == 407:  # noqa: PLR2004 — Proxy Authentication Required
        return refused(code, "代理要求登录。", hint="请在 proxy= 里写上代理的用户名和密码。")
    if 300 <= status < 500:  # noqa: PLR2004 — redirects are not followed, they would carry the secret elsewhere
        return refused(code, f"对方服务器应答 {status}。", hint="请检查 base= 的地址，以及中间的代理是否放行。")
    return unknown(code, f"对方应答 {status}，但不是约定的格式，无法判断是否已发出。")


def _retry_after(reply: Reply) -> float | None:
    value = reply.headers.get("Retry-After", "").strip()
    return min(float(value), _LARGEST_RETRY_AFTER) if re.fullmatch(r"[0-9]{1,9}", value) else None


def shown(text: object, *secrets: str | None) -> str:
    """A provider's text as it may be kept and shown: short, without our secrets, phone numbers masked."""
    clean = str(text or "")
    for secret in secrets:
        if secret:
            clean = clean.replace(secret, "****")
    return mask_phones(clean)[:_LONGEST_TEXT]
