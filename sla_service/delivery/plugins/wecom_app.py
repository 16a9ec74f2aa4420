"""WeCom application messages (企业微信应用消息): ``wecomapp://CORPID:SECRET@AGENTID/``.

https://developer.work.weixin.qq.com/document/path/90236 (messages), path/91039 (access token).
"""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import timedelta
from typing import Any, Final

from apprise import NotifyFormat

from sla_service.delivery.http import NotSentError, Reply, TransportError, encode
from sla_service.delivery.message import Form, Message, Recipient
from sla_service.delivery.outcome import Outcome, accepted, partial, refused, unavailable
from sla_service.delivery.plugins.answers import by_status, shown
from sla_service.delivery.plugins.base import JSON, ProviderNotify
from sla_service.delivery.plugins.wecom import (
    ALL_INVALID,
    BASE,
    BUSY,
    BUSY_TRIES,
    PAUSE,
    TEXT_LIMIT,
    TOKEN_GONE,
    code_of,
    frozen_json,
    markdown,
    not_taken,
    plain_text,
)
from sla_service.delivery.plugins.wecom_callback import Callback
from sla_service.delivery.retry import DUPLICATE_CHECK
from sla_service.delivery.text import byte_length, shorten_bytes
from sla_service.errors import ChannelError

_MOST_RECIPIENTS: Final = 1000
_CARD_TITLE: Final = 128
_CARD_TEXT: Final = 512
_LINK: Final = 2048
_BUTTON: Final = 4  # characters
_CARD_LINE, _CARD_BODY = 36, 160  # characters that a button card shows†
_BUTTON_WORDS: Final = 10  # characters that a card's button should not exceed
TASK_KNOWN: Final = 42014  # the task id was used before
_EARLY: Final = 300.0  # a token is renewed this long before it expires, so that none dies on the way


class NotifyWeComApp(ProviderNotify):  # type: ignore[no-untyped-call]
    """Sends to members of a company, by their account ids.

    The request carries ``enable_duplicate_check``: the same bytes again within half an hour are accepted and
    not shown twice, so an unclear answer is simply repeated. Two messages that should both be seen must differ.
    """

    service_name = "WeCom Application"
    service_url = "https://work.weixin.qq.com/"
    setup_url = "https://developer.work.weixin.qq.com/document/path/90236"
    secure_protocol = "wecomapp"
    default_base = BASE
    notify_format = (NotifyFormat.TEXT, NotifyFormat.MARKDOWN)
    body_maxlen = TEXT_LIMIT
    title_maxlen = 128
    templates = ("{schema}://{user}:{password}@{host}", "{schema}://{user}:{password}@{host}/{targets}")
    options = (*ProviderNotify.options, "token", "aes")
    template_args = {  # noqa: RUF012 — Apprise's own form
        **ProviderNotify.template_args,
        "token": {"name": "Callback Token", "type": "string", "private": True},
        "aes": {"name": "Callback EncodingAESKey", "type": "string", "private": True},
    }
    template_tokens = {  # noqa: RUF012 — Apprise's own form
        "user": {"name": "Corp ID", "type": "string", "required": True},
        "password": {"name": "Secret", "type": "string", "private": True, "required": True},
        "host": {"name": "Agent ID", "type": "string", "required": True, "regex": (r"^[0-9]+$", None)},
        "targets": {"name": "Members", "type": "list:string"},
    }

    def __init__(self, *, token: str | None = None, aes: str | None = None, **kwargs: Any) -> None:
        super().__init__(own={"token": token, "aes": aes}, **kwargs)
        self.corpid, self.secret = self.account
        if not self.corpid or not self.secret:
            raise ChannelError("@ 前面要写“企业ID:应用的Secret”")
        if not (self.host or "").isdecimal():
            raise ChannelError("@ 后面要写应用的 AgentId，是一个整数")
        self.agentid = int(self.host)
        self.callback = Callback(token or "", aes or "", self.corpid) if token or aes else None
        # Another secret is another token, so a rotated secret takes effect at once.
        owner = f"{self.client.base}|{self.corpid}|{self.agentid}|{self.secret}"
        self.token_key = f"wecomapp:{hashlib.sha256(owner.encode()).hexdigest()[:32]}"
        self._renewing = threading.Lock()
        self._failed: tuple[float, Outcome] | None = None

    @property
    def longest(self) -> float:
        """Waiting for another's renewal, renewing, sending, and the quick repeats in between."""
        return 3 * self.client.longest + 2 * self.client.timeout

    def attempt(self, message: Message) -> Outcome:
        people, missing = self.addressed(message, "wecom")
        if not people:
            return refused("no_address", "接收人没有企业微信账号。", hint="请在通讯录里补上 wecom 一栏。")
        if len(people) > _MOST_RECIPIENTS:
            return refused("too_many", f"一条消息最多发给 {_MOST_RECIPIENTS} 人，这里有 {len(people)} 人。")
        body = self.request_body(message, [account for _, account in people])
        start = time.monotonic()
        token = self._token()
        renewed, busy = False, 0
        while True:
            query = encode([("access_token", token)])
            reply = self.client.request("POST", "/cgi-bin/message/send", query=query, body=body, headers=JSON)
            code, answer = code_of(reply)
            in_time = time.monotonic() - start < self.client.timeout
            if code in TOKEN_GONE and not renewed and in_time:
                token, renewed = self._renewed(token), True
            elif code == BUSY and busy < BUSY_TRIES - 1 and in_time:
                busy += 1
                self.ports.sleep(PAUSE * busy)
            elif code == TASK_KNOWN and message.task:
                return accepted(None, code=str(code))  # a task is one envelope: an earlier try of it got through
            elif code == 0:
                return _taken(answer, people, missing)
            else:
                return not_taken(code, reply, self._shown(answer.get("errmsg")))

    def settle(self, click: str, account: str, words: str) -> Outcome:
        """Greys the button of a card that was clicked out and writes ``words`` on it, for whoever clicked.

        ``click`` is the click's ResponseCode, good for one call within 72 hours. A failure costs nothing: the button
        stays, and the next click brings another code. https://developer.work.weixin.qq.com/document/path/94888
        """
        content = {
            "userids": [account],
            "agentid": self.agentid,
            "response_code": click,
            "button": {"replace_name": words[:_BUTTON_WORDS]},
        }
        try:
            token = self._token()
            code, answer, reply = self._card(token, content)
            if code in TOKEN_GONE:
                code, answer, reply = self._card(self._renewed(token), content)
        except TransportError as error:
            return error.outcome
        return accepted() if code == 0 else not_taken(code, reply, self._shown(answer.get("errmsg")))

    def _card(self, token: str, content: dict[str, Any]) -> tuple[int | None, dict[str, Any], Reply]:
        query = encode([("access_token", token)])
        path = "/cgi-bin/message/update_template_card"
        reply = self.client.request("POST", path, query=query, body=frozen_json(content), headers=JSON)
        return *code_of(reply), reply

    def request_body(self, message: Message, accounts: list[str]) -> bytes:
        """The JSON of a message: the same bytes each time, nothing in it but the message."""
        kind, content = _content(message, answers=self.callback is not None)
        return frozen_json(
            {
                "touser": "|".join(accounts),
                "agentid": self.agentid,
                "msgtype": kind,
                kind: content,
                "enable_duplicate_check": 1,
                "duplicate_check_interval": int(DUPLICATE_CHECK.total_seconds()),
            }
        )

    def _token(self) -> str:
        return self.ports.tokens.get(self.token_key, now=self.ports.clock()) or self._renewed(None)

    def _renewed(self, gone: str | None) -> str:
        """A token other than the one that is gone; another worker's if there is one, else a new one."""
        came = time.monotonic()
        with self._renewing:
            known = self.ports.tokens.get(self.token_key, now=self.ports.clock())
            if known and known != gone:
                return known
            # Those who waited behind a failed renewal share its outcome instead of each waiting it out again.
            if self._failed and self._failed[0] > came:
                raise NotSentError(self._failed[1])
            try:
                return self._fetched()
            except TransportError as error:
                # Unclear or not: without a token no message has gone out.
                outcome = unavailable(error.outcome.code, error.outcome.text, hint=error.outcome.hint)
                outcome = error.outcome if isinstance(error, NotSentError) else outcome
                self._failed = (time.monotonic(), outcome)
                raise NotSentError(outcome) from None

    def _fetched(self) -> str:
        start = time.monotonic()
        query = encode([("corpid", self.corpid), ("corpsecret", self.secret)])
        for busy in range(1, BUSY_TRIES + 1):
            now = self.ports.clock()
            reply = self.client.request("GET", "/cgi-bin/gettoken", query=query)
            code, answer = code_of(reply)
            if code != BUSY or time.monotonic() - start >= self.client.timeout:
                break
            if busy < BUSY_TRIES:
                self.ports.sleep(PAUSE * busy)
        token, lives = answer.get("access_token"), answer.get("expires_in", 7200)
        if code == 0 and isinstance(token, str) and token and isinstance(lives, int):
            expires_at = now + timedelta(seconds=max(lives - _EARLY, lives / 2))
            self.ports.tokens.put(self.token_key, token, expires_at=expires_at)
            return token
        if code in {None, 0}:
            unclear = by_status(reply)
            raise NotSentError(unavailable(f"gettoken_{unclear.code}", "没有取到 access_token。", hint=unclear.hint))
        raise NotSentError(not_taken(code, reply, self._shown(answer.get("errmsg"))))

    def _shown(self, text: object) -> str:
        return shown(text, self.secret)


def _content(message: Message, *, answers: bool) -> tuple[str, dict[str, Any]]:
    """``msgtype`` and what belongs under it. ``answers``: WeCom tells us of clicks."""
    link = message.url or ""
    if message.task and answers and byte_length(link) <= _LINK:
        return "template_card", _button_card(message.task, message, link)
    if message.form is Form.CARD and link and byte_length(link) <= _LINK:
        return "textcard", {
            "title": shorten_bytes(message.title, _CARD_TITLE),
            "description": shorten_bytes(message.body, _CARD_TEXT),
            "url": link,
            "btntxt": message.button[:_BUTTON],
        }
    if message.form is Form.MARKDOWN:
        return "markdown", {"content": markdown(message, TEXT_LIMIT)}
    return "text", {"content": plain_text(message)}


def _button_card(task: str, message: Message, link: str) -> dict[str, Any]:
    """https://developer.work.weixin.qq.com/document/path/90236#按钮交互型: one button, which says "seen"."""
    return {
        "card_type": "button_interaction",
        "main_title": {"title": message.title[:_CARD_LINE]},
        "sub_title_text": message.body[:_CARD_BODY],
        "task_id": task,
        "button_list": [{"text": message.seen, "style": 1, "key": "ack"}],
        **({"card_action": {"type": 1, "url": link}} if link else {}),
    }


def _taken(answer: dict[str, Any], people: list[tuple[Recipient, str]], missing: list[str]) -> Outcome:
    """``errcode`` 0 with ``invaliduser`` (in lower case, whatever was sent) is not yet success for all."""
    listed = f"{answer.get('invaliduser') or ''}|{answer.get('unlicenseduser') or ''}".lower().split("|")
    wrong = [person.id for person, account in people if account.lower() in listed]
    message_id = str(answer.get("msgid") or "") or None
    if len(wrong) == len(people):
        return refused(str(ALL_INVALID), "接收人都无效。", hint="请检查通讯录里的 wecom 一栏和应用的可见范围。")
    if wrong or missing:
        return partial(message_id, (*wrong, *missing))
    return accepted(message_id)
