"""What people and providers send back: "seen" by link and API, receipts, clicks on cards."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from door import Door, case_path, open_door, problem

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.stub_provider, whatever folder pytest starts in

from sla_service.services import receipts
from sla_service.services.channels import Channels
from sla_service.store import tables
from tests.stub_provider import StubProvider

KEY, CORP = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1"


@pytest.fixture
def door(sqlite_url):
    with open_door(sqlite_url, public_url="https://sla.example") as opened:
        opened.hall.says(
            "case.accepted", kind="simple", title="诊所名称核准", department="社会事务科", handler="zhangsan"
        )
        opened.hall.until("2026-11-24 09:00")
        yield opened


def link(door: Door) -> str:
    return urlsplit(door.hall.bodies()[-1].splitlines()[-1]).path


def test_a_scanner_that_opens_the_link_acknowledges_nothing(door):
    page = door.client.get(link(door))
    assert page.status_code == 200
    assert "BBC-1 诊所名称核准：还剩 1 个工作日" in page.text
    assert '<button type="submit">' in page.text
    assert door.rows(tables.acks) == []


def test_the_button_on_the_page_says_seen(door):
    said = door.client.post(link(door))
    assert (said.status_code, said.headers["location"]) == (303, link(door))
    assert "已经记下您知道了" in door.client.get(link(door)).text
    assert [r["via"] for r in door.rows(tables.acks)] == ["link"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_changed_or_expired_link_is_refused(door, method):
    call = getattr(door.client, method)
    assert call("/a/1.2.3").status_code == 404
    path = link(door)
    door.hall.until("2026-12-30 09:00")
    assert call(path).status_code == 410
    assert door.rows(tables.acks) == []


def test_a_system_says_seen_for_its_user(door):
    done = door.client.post(case_path("BBC-1", "ack"), json={"by": "10023"}, headers=door.headers())
    assert done.status_code == 200
    assert done.json()["by"] == {"id": "zhangsan", "name": "张三"}
    assert [a["step"] for a in done.json()["acknowledged"]] == ["due-1wd"]
    again = door.client.post(case_path("BBC-1", "ack"), json={"by": "张三"}, headers=door.headers())
    assert again.json() == done.json()


def test_seen_needs_the_key_of_the_source_a_case_and_a_person(door):
    def ack(no: str, body: object, key: str | None = "") -> object:
        return door.client.post(case_path(no, "ack"), json=body, headers=door.headers(key))

    problem(ack("BBC-1", {"by": "zhangsan"}, None), 401)
    problem(ack("BBC-1", {"by": "zhangsan"}, door.new_source("other")), 404)
    problem(ack("BBC-9", {"by": "zhangsan"}), 404)
    assert problem(ack("BBC-1", {"by": "nobody"}), 422)["field"] == "by"
    problem(ack("BBC-1", {}), 422)


def with_channel(door: Door, url: str, name: str = "sms") -> None:
    """One of the hall's channels as a real one of that kind."""
    app = door.hall.app
    channels = {**app.config.channels, name: replace(app.config.channels[name], url=url)}
    app.config = replace(app.config, channels=channels)
    app.channels = Channels(channels, app.db, {}, clock=lambda: door.hall.now)


def test_receipts_are_taken_with_the_token_of_the_channel_and_answered_as_the_provider_wants(door):
    with_channel(door, "alisms://KEY:secret@签名/?template=SMS_1")
    body = json.dumps([{"biz_id": "B1", "success": True, "err_code": "DELIVERED"}]).encode()
    problem(door.client.post("/v1/receipts/sms", content=body), 401)
    problem(door.client.post("/v1/receipts/sms?token=x", content=body), 401)
    problem(door.client.post("/v1/receipts/wecom?token=x", content=body), 404)
    path = f"/v1/receipts/sms?token={receipts.token(door.hall.app, 'sms', now=door.hall.now)}"
    problem(door.client.post(path, content=b"nonsense"), 422)
    taken = door.client.post(path, content=body)
    assert (taken.status_code, taken.json()) == (200, {"code": 0, "msg": "ok"})
    assert [r["provider_id"] for r in door.rows(tables.receipts)] == ["B1"]


def sealed(text: bytes) -> str:
    secret = base64.b64decode(KEY + "=")
    plain = os.urandom(16) + len(text).to_bytes(4) + text + CORP.encode()
    plain += bytes([32 - len(plain) % 32]) * (32 - len(plain) % 32)
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def test_wecom_tries_the_callback_out_and_tells_of_clicks(door):
    with_channel(door, f"wecomapp://{CORP}:secret@1000002/?token=T1&aes={KEY}")
    callback = door.hall.app.channels.open("sms").callback

    def query(text: str) -> dict[str, str]:
        signed = callback.signature("1", "2", text)
        return {"msg_signature": signed, "timestamp": "1", "nonce": "2"}

    echo = sealed(b"1616140317555161061")
    answer = door.client.get("/v1/callbacks/sms", params={**query(echo), "echostr": echo})
    assert (answer.status_code, answer.text) == (200, "1616140317555161061")
    problem(door.client.get("/v1/callbacks/sms", params={"echostr": echo}), 403)
    problem(door.client.get("/v1/callbacks/wecom"), 404)

    (delivery,) = door.rows(tables.deliveries)
    fields = {
        "FromUserName": "zhangsan",
        "CreateTime": "1",
        "Event": "template_card_event",
        "EventKey": "ack",
        "TaskId": f"d{delivery['id']}-{int(delivery['created_at'].timestamp())}",
    }
    xml = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    text = sealed(f"<xml>{xml}</xml>".encode())
    body = f"<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode()
    for _ in range(3):  # WeCom repeats what it thinks was not heard
        clicked = door.client.post("/v1/callbacks/sms", content=body, params=query(text))
        assert (clicked.status_code, clicked.text) == (200, "")
    assert [(r["person"], r["via"]) for r in door.rows(tables.acks)] == [("zhangsan", "card")]


@contextmanager
def listening(door: Door) -> Iterator[str]:
    """The door at an address, so that a provider can call it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = door.client.post(self.path, content=body)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_finger_on_the_button_acknowledges_and_greys_the_card_out(sqlite_url):
    with open_door(sqlite_url) as door, StubProvider() as stub, listening(door) as base:
        with_channel(door, f"wecomapp://ww1:stub-secret@1000002/?base={stub.base}&token=T1&aes={KEY}", "wecom")
        stub.control(callback=f"{base}/v1/callbacks/wecom", token="T1", aes=KEY)
        door.hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        door.hall.until("2026-11-24 09:00")
        (card,) = stub.shown()
        assert card["extra"]["button"] == "知道了"
        assert stub.click(card["extra"]["task"]) == 200
        assert [(r["person"], r["via"]) for r in door.rows(tables.acks)] == [("zhangsan", "card")]
        (card,) = stub.shown()
        assert card["extra"]["greyed"] == "张三已知晓"
        assert stub.click(card["extra"]["task"]) == 0  # grey: nothing to press


def test_a_second_press_is_harmless_and_greys_out_what_the_first_could_not(sqlite_url):
    with open_door(sqlite_url) as door, StubProvider() as stub, listening(door) as base:
        with_channel(door, f"wecomapp://ww1:stub-secret@1000002/?base={stub.base}&token=T1&aes={KEY}", "wecom")
        stub.control(callback=f"{base}/v1/callbacks/wecom", token="T1", aes=KEY)
        door.hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        door.hall.until("2026-11-24 09:00")
        stub.fault("code", provider="update_card", code=-1, times=1)
        task = stub.shown()[0]["extra"]["task"]
        assert [stub.click(task), stub.click(task)] == [200, 200]
        assert stub.shown()[0]["extra"]["greyed"] == "张三已知晓"
        assert [r["at"] for r in door.rows(tables.acks)] == [door.hall.now]
        assert len([j for j in door.rows(tables.journal) if j["what"] == "acknowledged"]) == 1
