"""WeCom as its pages describe it: developer.work.weixin.qq.com/document/path/91039, 90236, 90312, 91770."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.stub_provider.state import Fault, State, half

TEXT_LIMIT = 2048
_OUT_OF_IP = (
    "not allow to access from your ip, hint: [1700000000000000000000000], from ip: 203.0.113.7, "
    "more info at https://open.work.weixin.qq.com/devtool/query?e=60020"
)


def error(code: int, text: str = "error") -> dict[str, Any]:
    return {"errcode": code, "errmsg": _OUT_OF_IP if code == 60020 and not text else text or f"error {code}"}


def gettoken(state: State, query: dict[str, str], fault: Fault | None) -> dict[str, Any]:
    """The same token again while it lives, as WeCom gives it."""
    with state.lock:
        state.received("gettoken")
        if fault and fault.fault == "code":
            return error(fault.code, fault.text)
        corp = query.get("corpid", "")
        if query.get("corpsecret") != state.secret_of(corp):
            return error(40001, "invalid credential")
        for token, (who, until) in state.tokens.items():
            if who == corp and until > state.now():
                return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200}
        token = state.next_id("token-")
        state.tokens[token] = (corp, state.now() + timedelta(seconds=7200))
        return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200}


def send(state: State, query: dict[str, str], raw: bytes, fault: Fault | None) -> dict[str, Any]:
    with state.lock:
        state.received("wecomapp", body=raw.decode("utf-8", "replace"))
        refusal = _wrong_token(state, query)
        if refusal is None and fault and fault.fault == "code":
            refusal = error(fault.code, fault.text)
        if refusal:
            return refusal
        try:
            message = json.loads(raw)
        except ValueError:
            return error(47001, "data format error")
        users = [user for user in message.get("touser", "").split("|") if user]
        content = message.get(message.get("msgtype"))
        if not users or len(users) > 1000:
            return error(40003 if users else 82001, "no or too many recipients")
        if not isinstance(content, dict) or not isinstance(message.get("agentid"), int):
            return error(40008, "invalid message type")
        bad = _invalid(users, fault)
        good = [user for user in users if user not in bad]
        if not good:
            return error(81013, "user & party & tag all invalid")
        task = content.get("task_id")
        if task and raw not in state.duplicates and state.card(task) is not None:
            return error(42014, "task_id has been used")
        answer = {"errcode": 0, "errmsg": "ok", "msgid": _shown(state, message, raw, good, content)}
        if task:
            answer["response_code"] = state.new_code(task)
        if bad:
            answer["invaliduser"] = "|".join(user.lower() for user in bad)
        return answer


def update_card(state: State, query: dict[str, str], raw: bytes, fault: Fault | None) -> dict[str, Any]:
    """developer.work.weixin.qq.com/document/path/94888: the button goes grey and says something else."""
    with state.lock:
        state.received("update_card", body=raw.decode("utf-8", "replace"))
        refusal = _wrong_token(state, query)
        if refusal is None and fault and fault.fault == "code":
            refusal = error(fault.code, fault.text)
        if refusal:
            return refusal
        asked = json.loads(raw)
        task, until = state.codes.pop(asked.get("response_code", ""), ("", state.now()))
        card = state.card(task)
        if card is None or until <= state.now() or not isinstance(asked.get("agentid"), int):
            return error(40058, "invalid response_code")
        if card.to.lower() not in [user.lower() for user in asked.get("userids", [])]:
            return {"errcode": 0, "errmsg": "ok", "invaliduser": asked.get("userids", [])}
        card.extra["greyed"] = asked["button"]["replace_name"]
        return {"errcode": 0, "errmsg": "ok"}


def _wrong_token(state: State, query: dict[str, str]) -> dict[str, Any] | None:
    _, until = state.tokens.get(query.get("access_token", ""), ("", None))
    if until is None:
        return error(40014, "invalid access_token")
    return error(42001, "access_token expired") if until <= state.now() else None


def _shown(state: State, message: dict[str, Any], raw: bytes, users: list[str], content: dict[str, Any]) -> str:
    """Shows the message unless it is a repeat; 30 a minute and 1,000 an hour per member, the rest is dropped."""
    message_id = _unless_repeated(state, message, raw)
    if message_id is None:
        state.stats["duplicates"] += 1
        return state.duplicates[raw][1]
    for user in users:
        if state.within(f"app:{user}", 30, 60) and state.within(f"app:{user}", 1000, 3600):
            kind = message["msgtype"]
            state.show("wecomapp", user, _seen(kind, content), message_id, kind=kind, **_links(content))
        else:
            state.stats["dropped"] += 1
    return message_id


def robot(state: State, query: dict[str, str], raw: bytes, fault: Fault | None) -> dict[str, Any]:
    with state.lock:
        state.received("wecomgroup", body=raw.decode("utf-8", "replace"))
        key = query.get("key", "")
        if fault and fault.fault == "code":
            return error(fault.code, fault.text)
        if not key or key.startswith("wrong"):
            return error(93000, "invalid webhook url, hint: [1], from ip: 203.0.113.7")
        try:
            message = json.loads(raw)
        except ValueError:
            return error(47001, "data format error")
        kind = message.get("msgtype", "")
        content = message.get(kind)
        if not isinstance(content, dict) or not content.get("content"):
            return error(40058, "missing content")
        if len(content["content"].encode()) > {"text": TEXT_LIMIT, "markdown": 4096}.get(kind, 0):
            return error(40058, "content exceed max length")
        if not state.within(f"robot:{key}", 20, 60):
            return error(45009, "api freq out of limit")
        mentioned = content.get("mentioned_list", []), content.get("mentioned_mobile_list", [])
        state.show("wecomgroup", key, content["content"], "", kind=kind, mentioned=mentioned[0], phones=mentioned[1])
        return {"errcode": 0, "errmsg": "ok"}


def _invalid(users: list[str], fault: Fault | None) -> list[str]:
    if fault and fault.fault == "half_invalid":
        return half(users)
    if fault and fault.fault == "invalid":
        wanted = {user.lower() for user in fault.users}
        return [user for user in users if user.lower() in wanted]
    return []


def _unless_repeated(state: State, message: dict[str, Any], raw: bytes) -> str | None:
    """A new message id, or None if these bytes were taken less than the interval ago."""
    if message.get("enable_duplicate_check") == 1:
        interval = min(message.get("duplicate_check_interval", 1800), 4 * 3600)
        at, _ = state.duplicates.get(raw, (None, ""))
        if at is not None and at > state.now() - timedelta(seconds=interval):
            return None
    message_id = state.next_id("msg-")
    state.duplicates[raw] = (state.now(), message_id)
    return message_id


def _seen(kind: str, content: dict[str, Any]) -> str:
    """What the phone shows: text is cut after 2,048 bytes, wherever that is."""
    if kind == "template_card":
        return f"{content['main_title']['title']}\n{content['sub_title_text']}"
    if kind == "textcard":
        return f"{content['title']}\n{content['description']}"
    return content["content"].encode()[:TEXT_LIMIT].decode("utf-8", "replace")


def _links(content: dict[str, Any]) -> dict[str, Any]:
    found = {name: content[name] for name in ("url", "btntxt") if name in content}
    found |= {"url": content["card_action"]["url"]} if "card_action" in content else {}
    for button in content.get("button_list", ()):
        found |= {"task": content["task_id"], "button": button["text"], "key": button["key"]}
    return found
