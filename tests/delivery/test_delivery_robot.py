"""The WeCom group robot over HTTP against the stub."""

from __future__ import annotations

import pytest
from conftest import LI, ZHANG, Open, message

from sla_service.delivery.message import Form, Recipient
from sla_service.delivery.outcome import Kind
from tests.stub_provider import StubProvider


def test_a_message_calls_its_recipients_by_name(stub: StubProvider, open_at: Open) -> None:
    by_phone = Recipient("wangwu", phone="13800000003")
    outcome = open_at("wecomgroup").deliver(message(ZHANG, LI, by_phone, url="https://sla.example/a/1"))
    (shown,) = stub.shown()
    assert outcome.kind is Kind.ACCEPTED
    assert shown["extra"]["mentioned"] == ["ZhangSan", "lisi"]
    assert shown["extra"]["phones"] == ["13800000003"]
    assert shown["text"].endswith("\nhttps://sla.example/a/1")


def test_a_message_may_leave_people_in_peace(stub: StubProvider, open_at: Open) -> None:
    open_at("wecomgroup").deliver(message(mention=False))
    assert stub.shown()[0]["extra"]["mentioned"] == []


def test_markdown_calls_by_name_in_the_text_and_fits_4096_bytes(stub: StubProvider, open_at: Open) -> None:
    assert open_at("wecomgroup").deliver(message(ZHANG, LI, form=Form.MARKDOWN, body="政" * 3000)).ok
    (shown,) = stub.shown()
    assert shown["text"].endswith("…\n<@ZhangSan><@lisi>")
    assert 4000 < len(shown["text"].encode()) <= 4096


def test_text_fits_2048_bytes(stub: StubProvider, open_at: Open) -> None:
    assert open_at("wecomgroup").deliver(message(body="政" * 3000)).ok
    assert 2000 < len(stub.shown()[0]["text"].encode()) <= 2048


def test_a_wrong_key_is_refused_for_good(open_at: Open) -> None:
    outcome = open_at("wecomgroup", "wecomgroup://wrong-key/?base={base}").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "93000")
    assert "key" in outcome.hint


def test_the_twenty_first_in_a_minute_waits_a_minute(open_at: Open) -> None:
    channel = open_at("wecomgroup")
    outcomes = [channel.deliver(message(id=f"m-{n}", body=f"第 {n} 件")) for n in range(21)]
    assert all(outcome.ok for outcome in outcomes[:20])
    assert (outcomes[20].kind, outcomes[20].code) == (Kind.RATE_LIMITED, "45009")
    assert outcomes[20].retry_after == 60


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"fault": "code", "code": 40058}, Kind.REFUSED, "40058"),
        ({"fault": "code", "code": -1}, Kind.UNAVAILABLE, "-1"),
        ({"fault": "timeout_after"}, Kind.UNKNOWN, "read_timeout"),
        ({"fault": "drop_after"}, Kind.UNKNOWN, "reset"),
        ({"fault": "garbage"}, Kind.UNKNOWN, "http_200"),
        ({"fault": "status", "status": 500}, Kind.UNAVAILABLE, "http_500"),
        ({"fault": "status", "status": 502}, Kind.UNKNOWN, "http_502"),
    ],
)
def test_what_an_answer_means(stub: StubProvider, open_at: Open, fault: dict, kind: Kind, code: str) -> None:
    stub.control(provider="wecomgroup", **fault)
    outcome = open_at("wecomgroup", timeout="0.4").deliver(message())
    assert (outcome.kind, outcome.code) == (kind, code)


def test_an_unclear_answer_is_not_repeated_by_the_channel_itself(stub: StubProvider, open_at: Open) -> None:
    stub.fault("drop_after", provider="wecomgroup")
    open_at("wecomgroup").deliver(message())
    assert stub.stats["requests.wecomgroup"] == 1
