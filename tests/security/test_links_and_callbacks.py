"""Links in messages, WeCom's callbacks and delivery receipts: forged, another's, out of date, played again."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from door import open_door, problem

from sla_service.services import links, receipts
from sla_service.services.channels import Channels
from sla_service.store import tables

PUBLIC = {"public_url": "https://sla.example"}
CORP, TOKEN, KEY = "wx5823bf96d3bd56c7", "T1", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


@pytest.fixture
def door(db_url):
    """Two handlers have been told of a case each; their messages carry links."""
    with open_door(db_url, "2026-11-20 10:12", **PUBLIC) as opened:
        for no, who in (("A", "zhangsan"), ("B", "lisi")):
            opened.send(opened.accepted(no, handler=who, department="社会事务科"))
        opened.hall.until("2026-11-24 09:00")
        yield opened


def envelope(door, person: str):
    return next(r for r in door.rows(tables.deliveries) if r["recipient"] == person)


def tokens(door) -> list[str]:
    """The links of Zhang San's and of Li Si's message."""
    found = [urlsplit(body.splitlines()[-1]).path.removeprefix("/a/") for body in door.hall.bodies()]
    order = [str(envelope(door, who)["id"]) for who in ("zhangsan", "lisi")]
    return sorted(found, key=lambda token: order.index(token.partition(".")[0]))


# -- links ------------------------------------------------------------------------------------------------------------


def test_no_part_of_a_link_can_be_changed(door):
    first, second = tokens(door)
    delivery, expires, mac = first.split(".")
    other = second.split(".")
    forged = [
        f"{other[0]}.{expires}.{mac}",  # another's envelope under one's own signature
        f"{delivery}.{int(expires) + 1}.{mac}",  # a longer life
        f"{delivery}.{expires}.{other[2]}",
        f"{delivery}.{expires}.{mac[:-1]}",
        f"{delivery}.{expires}.",
        f"{delivery}.{expires}",
        f"0{delivery}.{expires}.{mac}",
        f"{delivery}.{expires}.{mac}.{mac}",
        "../../etc/passwd",
        "x" * 5000,
    ]
    for token in forged:
        for method in ("GET", "POST"):
            assert door.client.request(method, f"/a/{token}").status_code == 404, token
    assert door.rows(tables.acks) == []


def test_a_link_of_one_envelope_says_nothing_for_another(door):
    assert door.client.post(f"/a/{tokens(door)[0]}").status_code == 303
    assert {(r["no"], r["person"]) for r in door.rows(tables.acks)} == {("A", "zhangsan")}


def test_a_link_signed_with_another_key_is_refused(door):
    app = door.hall.app
    known, app.link_key = app.link_key, "another key, as another service would have it"
    foreign = links.sign(app, 1, door.hall.now + timedelta(days=1))
    app.link_key = known
    assert door.client.post(f"/a/{foreign}").status_code == 404


def test_a_link_out_of_date_is_refused_to_the_second(door):
    (token, _) = tokens(door)
    ends = int(token.split(".")[1])
    door.hall.now += timedelta(seconds=ends - door.hall.now.timestamp() - 1)
    assert door.client.get(f"/a/{token}").status_code == 200
    door.hall.now += timedelta(seconds=1)
    assert door.client.get(f"/a/{token}").status_code == 410
    assert door.client.post(f"/a/{token}").status_code == 410
    assert door.rows(tables.acks) == []


# -- callbacks --------------------------------------------------------------------------------------------------------


def with_channel(door, name: str, url: str):
    app = door.hall.app
    channels = {**app.config.channels, name: replace(app.config.channels[name], url=url)}
    app.config = replace(app.config, channels=channels)
    app.channels = Channels(channels, app.db, {}, clock=lambda: door.hall.now)
    return app.channels.open(name).callback


def sealed(text: str) -> str:
    secret, raw = base64.b64decode(KEY + "="), text.encode()
    plain = os.urandom(16) + len(raw).to_bytes(4) + raw + CORP.encode()
    plain += bytes([32 - len(plain) % 32]) * (32 - len(plain) % 32)
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def click(door, person: str, delivery) -> str:
    task = f"d{delivery['id']}-{int(delivery['created_at'].timestamp())}"
    fields = {"FromUserName": person, "CreateTime": "1", "Event": "template_card_event", "EventKey": "ack"}
    inner = "".join(f"<{k}>{v}</{k}>" for k, v in {**fields, "TaskId": task}.items())
    return sealed(f"<xml>{inner}</xml>")


def call(door, callback, text: str, *, channel: str = "wecom", **change):
    signed = {"msg_signature": callback.signature("1", "2", text), "timestamp": "1", "nonce": "2", **change}
    body = f"<xml><Encrypt>{text}</Encrypt></xml>".encode()
    return door.client.post(f"/v1/callbacks/{channel}", params=signed, content=body)


def test_a_click_played_again_says_nothing_new(door):
    callback = with_channel(door, "wecom", f"wecomapp://{CORP}:s@1000002/?token={TOKEN}&aes={KEY}")
    text = click(door, "zhangsan", envelope(door, "zhangsan"))
    assert call(door, callback, text).status_code == 200
    (first,) = door.rows(tables.acks)
    noted = len([r for r in door.rows(tables.audit) if r["what"] == "acknowledge"])
    door.hall.now += timedelta(days=60)  # longer than calls are remembered
    for _ in range(3):
        assert call(door, callback, text).status_code == 200
    assert door.rows(tables.acks) == [first]
    assert len([r for r in door.rows(tables.audit) if r["what"] == "acknowledge"]) == noted


def test_a_click_cannot_be_made_another_ones(door):
    callback = with_channel(door, "wecom", f"wecomapp://{CORP}:s@1000002/?token={TOKEN}&aes={KEY}")
    mine, other = envelope(door, "zhangsan"), envelope(door, "lisi")
    assert call(door, callback, click(door, "zhangsan", other)).status_code == 200  # not told to him
    assert door.rows(tables.acks) == []
    text = click(door, "zhangsan", mine)
    for change in ({"timestamp": "9"}, {"nonce": "9"}, {"msg_signature": "0" * 40}, {"msg_signature": ""}):
        problem(call(door, callback, text, **change), 403)
    problem(call(door, callback, text, channel="sms"), 404)
    assert door.rows(tables.acks) == []


# -- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_needs_the_token_of_its_own_channel_and_counts_once(door):
    with_channel(door, "sms", "alisms://KEY:secret@签名/?template=SMS_1")
    with_channel(door, "wecom", "alisms://KEY:secret@签名/?template=SMS_2")
    body = json.dumps([{"biz_id": "B1", "success": True, "err_code": "DELIVERED"}]).encode()
    mine, others = (receipts.token(door.hall.app, name, now=door.hall.now) for name in ("sms", "wecom"))
    for wrong in (others, mine[:-1], mine.upper(), "", door.key):
        problem(door.client.post("/v1/receipts/sms", params={"token": wrong}, content=body), 401)
    for _ in range(3):
        assert door.client.post("/v1/receipts/sms", params={"token": mine}, content=body).status_code == 200
    assert len(door.rows(tables.receipts)) == 1
