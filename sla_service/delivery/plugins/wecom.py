"""What WeCom's application messages and its group robot have in common: the JSON answer and its codes.

Sources: https://developer.work.weixin.qq.com/document/path/90313 (codes; matched by number, the texts change),
https://developer.work.weixin.qq.com/document/path/90236 (application messages),
https://developer.work.weixin.qq.com/document/path/91770 (group robot).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sla_service.delivery.http import Reply
from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome, rate_limited, refused, unavailable
from sla_service.delivery.plugins.answers import by_status, decode
from sla_service.delivery.text import byte_length, shorten_bytes, utf8

BASE: Final = "https://qyapi.weixin.qq.com"
TEXT_LIMIT: Final = 2048  # bytes; what exceeds it is cut off, inside a character if it so happens

BUSY: Final = -1  # to be tried again, at most three times in all
BUSY_TRIES: Final = 3
PAUSE: Final = 0.3  # seconds before a busy server is asked again
TOKEN_GONE: Final = frozenset({40014, 42001})
ALL_INVALID: Final = 81013

# Exceeding a minute's limit blocks for 60 seconds (path/90312); too many at once passes by itself.
_WAIT: Final = {45009: 60.0, 45033: 5.0}

_HINTS: Final = {
    40001: "应用的 Secret 不对：请在企业微信管理后台的应用详情里重新查看，并检查它在地址里是否用百分号编码。",
    40013: "企业 ID（corpid）不对：请在企业微信管理后台“我的企业”里查看。",
    40056: "应用的 AgentId 不对：请在企业微信管理后台的应用详情里查看。",
    40058: "参数不合要求，或内容过长。",
    48002: "应用没有调用这个接口的权限：请在企业微信管理后台检查应用的权限和状态。",
    60011: "接收人不在应用的可见范围内：请在企业微信管理后台调整应用的可见范围。",
    81013: "接收人都不存在，或都不在应用的可见范围内：请检查通讯录里的 wecom 一栏和应用的可见范围。",
    93000: "群机器人的 key 不对，或机器人已被移出群：请在群里重新查看 Webhook 地址。",
}
_SENDER_IP: Final = re.compile(r"from ip: ?([0-9A-Fa-f.:]+[0-9A-Fa-f])")


def code_of(reply: Reply) -> tuple[int | None, dict[str, Any]]:
    """``errcode`` and the whole answer; no code if it is not WeCom's JSON."""
    found = decode(reply) or {}
    code = found.get("errcode")
    return (code, found) if isinstance(code, int) and not isinstance(code, bool) else (None, {})


def not_taken(code: int | None, reply: Reply, text: str) -> Outcome:
    """The outcome of an answer other than 0."""
    if code is None:
        return by_status(reply)
    if code in _WAIT:
        return rate_limited(_WAIT[code], code=str(code), text=text)
    if code == BUSY or code in TOKEN_GONE:
        return unavailable(str(code), text)
    return refused(str(code), text, hint=_untrusted_ip(text) if code == 60020 else _HINTS.get(code, ""))  # noqa: PLR2004


def frozen_json(payload: dict[str, Any]) -> bytes:
    """The same bytes for the same payload, whatever the order it was built in."""
    return utf8(json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def plain_text(message: Message, limit: int = TEXT_LIMIT) -> str:
    """Title, body and link; the body gives way where they do not fit."""
    return _fitted(message.title, message.body, message.url or "", limit)


def markdown(message: Message, limit: int) -> str:
    """The same in WeCom's Markdown."""
    title = f"**{message.title}**" if message.title else ""
    return _fitted(title, message.body, f"[{message.button}]({message.url})" if message.url else "", limit)


def _fitted(title: str, body: str, link: str, limit: int) -> str:
    around = byte_length("\n".join(part for part in (title, link) if part)) + 2
    room = limit - around
    if room < 0:  # a title or link of that length is nobody's wish; cut hard rather than be refused
        return shorten_bytes("\n".join(part for part in (link, title) if part), limit)
    return "\n".join(part for part in (title, shorten_bytes(body, room), link) if part)


def _untrusted_ip(text: str) -> str:
    """The commonest mistake in setting up; the address is the one WeCom saw, behind NAT and proxies."""
    found = _SENDER_IP.search(text)
    address = f" {found.group(1)} " if found else "（见原文）"
    return (
        f"本机出口 IP{address}不在应用的“企业可信IP”里：请在企业微信管理后台打开该应用，"
        "在“开发者接口”的“企业可信IP”中加上它。"
    )
