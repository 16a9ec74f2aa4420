"""WeCom group robot (企业微信群机器人): ``wecomgroup://KEY/``.

https://developer.work.weixin.qq.com/document/path/91770. The robot does not drop repeats, so an unclear answer
is not repeated here.
"""

from __future__ import annotations

import time
from typing import Any, Final

from apprise import NotifyFormat

from sla_service.delivery.http import encode
from sla_service.delivery.message import Form, Message
from sla_service.delivery.outcome import Outcome, accepted
from sla_service.delivery.plugins.answers import shown
from sla_service.delivery.plugins.base import JSON, ProviderNotify
from sla_service.delivery.plugins.wecom import (
    BASE,
    BUSY,
    BUSY_TRIES,
    PAUSE,
    TEXT_LIMIT,
    code_of,
    frozen_json,
    markdown,
    not_taken,
    plain_text,
)
from sla_service.delivery.text import byte_length
from sla_service.errors import ChannelError

_MARKDOWN_LIMIT: Final = 4096


class NotifyWeComGroup(ProviderNotify):  # type: ignore[no-untyped-call]
    """Sends into one group chat; recipients are called by name (@) where the message asks for it."""

    service_name = "WeCom Group Robot"
    service_url = "https://work.weixin.qq.com/"
    setup_url = "https://developer.work.weixin.qq.com/document/path/91770"
    secure_protocol = "wecomgroup"
    default_base = BASE
    notify_format = (NotifyFormat.TEXT, NotifyFormat.MARKDOWN)
    body_maxlen = TEXT_LIMIT
    title_maxlen = 128
    templates = ("{schema}://{host}", "{schema}://{host}/{targets}")
    template_tokens = {  # noqa: RUF012 — Apprise's own form
        "host": {"name": "Robot Key", "type": "string", "private": True, "required": True},
        "targets": {"name": "Members to mention", "type": "list:string"},
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = self.host or ""
        if not self.key or self.user:
            raise ChannelError("wecomgroup:// 后面只写群机器人 Webhook 地址里 key= 的值")

    @property
    def account(self) -> tuple[str, str]:
        return "", self.key

    @property
    def longest(self) -> float:
        return self.client.longest + self.client.timeout

    def attempt(self, message: Message) -> Outcome:
        body = frozen_json(self._payload(message))
        query = encode([("key", self.key)])
        start = time.monotonic()
        for busy in range(1, BUSY_TRIES + 1):
            reply = self.client.request("POST", "/cgi-bin/webhook/send", query=query, body=body, headers=JSON)
            code, answer = code_of(reply)
            if code != BUSY or busy == BUSY_TRIES or time.monotonic() - start >= self.client.timeout:
                break
            self.ports.sleep(PAUSE * busy)
        if code == 0:
            return accepted(None)
        return not_taken(code, reply, shown(answer.get("errmsg"), self.key))

    def _payload(self, message: Message) -> dict[str, Any]:
        people = (message.to or self.named()) if message.mention else ()
        accounts = [person.wecom for person in people if person.wecom]
        if message.form is Form.MARKDOWN:
            calls = "".join(f"<@{account}>" for account in accounts)
            text = markdown(message, _MARKDOWN_LIMIT - byte_length(calls) - 1)
            return {"msgtype": "markdown", "markdown": {"content": f"{text}\n{calls}" if calls else text}}
        phones = [person.phone for person in people if person.phone and not person.wecom]
        content = {"content": plain_text(message), "mentioned_list": accounts, "mentioned_mobile_list": phones}
        return {"msgtype": "text", "text": {name: value for name, value in content.items() if value}}
