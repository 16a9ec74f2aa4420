"""WeCom's callbacks, held against the published vector; and cards that lead to them."""

from __future__ import annotations

import base64
import json
import os

import pytest
from conftest import ZHANG, message
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.wecom_callback import Callback, CallbackError
from sla_service.delivery.registry import masked
from sla_service.errors import ChannelError

TOKEN, KEY, CORP = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
TIME, NONCE = "1409659589", "263014780"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
SIGNATURE = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"


def sealed(text: bytes, receiver: str = CORP, key: str = KEY) -> str:
    """The other side's encryption, written from the description."""
    secret = base64.b64decode(key + "=")
    plain = os.urandom(16) + len(text).to_bytes(4) + text + receiver.encode()
    plain += bytes([32 - len(plain) % 32]) * (32 - len(plain) % 32)
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def test_the_published_vector_opens_to_its_plain_text():
    callback = Callback(TOKEN, KEY, CORP)
    assert callback.signature(TIME, NONCE, ECHO) == SIGNATURE
    assert callback.echo(SIGNATURE, TIME, NONCE, ECHO) == "1616140317555161061"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signature": "0" * 40}, "signature"),
        ({"nonce": "1"}, "signature"),
        ({"sealed": "not base64"}, "cipher text"),
        ({"sealed": base64.b64encode(b"x" * 15).decode()}, "cipher text"),
        ({"sealed": sealed(b"hello", receiver="wx-somebody-else")}, "receive id"),
        ({"sealed": base64.b64encode(b"x" * 64).decode()}, "padding|receive id"),
    ],
)
def test_what_is_not_from_wecom_or_not_for_us_is_refused(change, why):
    callback = Callback(TOKEN, KEY, CORP)
    text = change.get("sealed", ECHO)
    signature = change.get("signature") or (callback.signature(TIME, NONCE, text) if "sealed" in change else SIGNATURE)
    with pytest.raises(CallbackError, match=why):
        callback.echo(signature, TIME, change.get("nonce", NONCE), text)


def test_an_event_comes_out_as_its_fields():
    callback = Callback(TOKEN, KEY, CORP)
    xml = b"<xml><Event><![CDATA[template_card_event]]></Event><TaskId>d17-1</TaskId></xml>"
    text = sealed(xml)
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode()
    event = callback.event(callback.signature(TIME, NONCE, text), TIME, NONCE, body)
    assert event == {"Event": "template_card_event", "TaskId": "d17-1"}


@pytest.mark.parametrize("body", [b"", b"<xml>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>", b"<x/>" * 40000])
def test_a_body_that_is_no_message_is_refused(body):
    with pytest.raises(CallbackError):
        Callback(TOKEN, KEY, CORP).event("", TIME, NONCE, body)


@pytest.mark.parametrize(("token", "aes"), [("", KEY), (TOKEN, ""), (TOKEN, KEY[:-1]), (TOKEN, "字" * 43)])
def test_half_a_callback_is_refused_when_the_channel_is_opened(token, aes):
    with pytest.raises(ChannelError, match="EncodingAESKey"):
        Callback(token, aes, CORP)


def test_a_channel_that_hears_of_clicks_sends_a_card_with_a_button(open_at, stub):
    channel = open_at("wecomapp", token="T1", aes=KEY)
    assert channel.callback is not None
    assert channel.deliver(message(ZHANG, url="https://sla.example/a/x", task="d17-1")).ok
    asked = json.loads(stub.bodies[-1]["body"])
    card = asked["template_card"]
    assert (asked["msgtype"], card["card_type"], card["task_id"]) == ("template_card", "button_interaction", "d17-1")
    assert card["button_list"] == [{"text": "知道了", "style": 1, "key": "ack"}]
    assert stub.shown()[-1]["text"].startswith("还有 1 个工作日到期")


def test_a_channel_that_hears_nothing_sends_text_with_the_link(open_at, stub):
    assert open_at("wecomapp").deliver(message(ZHANG, url="https://sla.example/a/x", task="d17-1")).ok
    assert json.loads(stub.bodies[-1]["body"])["msgtype"] == "text"
    assert "https://sla.example/a/x" in stub.shown()[-1]["text"]


def test_a_card_whose_task_is_known_already_got_through_the_first_time(open_at, stub):
    channel = open_at("wecomapp", token="T1", aes=KEY)
    stub.fault("code", provider="wecomapp", code=42014, times=1)
    outcome = channel.deliver(message(ZHANG, task="d17-1"))
    assert (outcome.kind, outcome.code) == (Kind.ACCEPTED, "42014")


def test_a_click_greys_the_button_out_and_writes_who_has_seen_it(open_at, stub):
    channel = open_at("wecomapp", token="T1", aes=KEY)
    assert channel.deliver(message(ZHANG, task="d17-1")).ok
    code = stub.state.new_code("d17-1")
    assert channel.settle(code, "zhangsan", "张三已知晓").ok
    assert stub.shown()[-1]["extra"]["greyed"] == "张三已知晓"
    asked = json.loads(stub.bodies[-1]["body"])
    assert asked == {
        "agentid": 1000002,
        "button": {"replace_name": "张三已知晓"},
        "response_code": code,
        "userids": ["zhangsan"],
    }
    again = channel.settle(code, "zhangsan", "张三已知晓")  # a code is good for one call
    assert (again.kind, again.code) == (Kind.REFUSED, "40058")


def test_a_token_that_has_gone_is_renewed_for_the_button_too(open_at, stub):
    channel = open_at("wecomapp", token="T1", aes=KEY)
    channel.deliver(message(ZHANG, task="d17-1"))
    stub.control(forget_tokens=True)
    assert channel.settle(stub.state.new_code("d17-1"), "zhangsan", "张三已知晓").ok


def test_a_provider_that_is_away_leaves_the_button_as_it_is(open_at, stub):
    channel = open_at("wecomapp", token="T1", aes=KEY)
    channel.deliver(message(ZHANG, task="d17-1"))
    stub.fault("drop_before", provider="update_card")
    assert not channel.settle(stub.state.new_code("d17-1"), "zhangsan", "张三已知晓").ok
    assert "greyed" not in stub.shown()[-1]["extra"]


def test_only_channels_with_cards_have_buttons(open_at):
    assert open_at("yunmas").settle is None


def test_the_callbacks_secrets_are_not_shown():
    url = f"wecomapp://ww1:secret@1000002/?token={TOKEN}&aes={KEY}&base=https://x.example"
    assert TOKEN not in masked(url)
    assert KEY not in masked(url)
