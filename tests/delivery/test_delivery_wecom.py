"""WeCom application messages over HTTP against the stub, one story per answer it can give."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import LI, WANG, ZHANG, ZHAO, Open, message

from sla_service.delivery.message import Form, Recipient
from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.ports import MemoryTokens, Ports
from sla_service.delivery.plugins.wecom_app import NotifyWeComApp
from tests.stub_provider import StubProvider

BODY = "BBC-2026-0001 个体工商户登记，应于 2026-11-25 办结。"


def test_an_accepted_message_is_shown_with_title_body_and_link(stub: StubProvider, open_at: Open) -> None:
    outcome = open_at("wecomapp").deliver(message(url="https://sla.example/a/1"))
    (shown,) = stub.shown()
    assert outcome.kind is Kind.ACCEPTED
    assert outcome.provider_id == shown["id"]
    assert shown["to"] == "ZhangSan"
    assert shown["text"] == f"还有 1 个工作日到期\n{BODY}\nhttps://sla.example/a/1"


def test_the_same_message_is_the_same_bytes_each_time(stub: StubProvider, open_at: Open) -> None:
    for channel in (open_at("wecomapp"), open_at("wecomapp")):
        channel.deliver(message(ZHANG, LI))
    first, second = (body["body"] for body in stub.bodies if body["provider"] == "wecomapp")
    assert first == second
    assert json.loads(first)["enable_duplicate_check"] == 1
    assert json.loads(first)["duplicate_check_interval"] == 1800


def test_a_repeat_after_an_unclear_answer_is_not_shown_twice(stub: StubProvider, open_at: Open) -> None:
    stub.fault("drop_after", provider="wecomapp", times=1)
    channel = open_at("wecomapp")
    assert channel.deliver(message()).kind is Kind.UNKNOWN
    assert channel.deliver(message()).kind is Kind.ACCEPTED
    assert len(stub.shown()) == 1
    stub.control(shift=1801)  # WeCom has forgotten it
    assert channel.deliver(message()).kind is Kind.ACCEPTED
    assert len(stub.shown()) == 2


def test_one_token_serves_all_channels_and_threads(stub: StubProvider, open_at: Open) -> None:
    channels = [open_at("wecomapp") for _ in range(4)]
    with ThreadPoolExecutor(16) as threads:
        sends = [(channels[n % 4], message(id=f"m-{n}", body=f"第 {n} 件")) for n in range(24)]
        outcomes = list(threads.map(lambda send: send[0].deliver(send[1]), sends))
    assert all(outcome.ok for outcome in outcomes)
    assert stub.stats["requests.gettoken"] <= 4  # at worst one for each channel that began at once


@pytest.mark.parametrize("gone", ["expire_tokens", "forget_tokens"])  # 42001, 40014
def test_a_token_that_is_gone_is_renewed_in_the_same_call(stub: StubProvider, open_at: Open, gone: str) -> None:
    channel = open_at("wecomapp")
    channel.deliver(message(id="m-0", body="一"))
    stub.control(**{gone: True})
    assert channel.deliver(message()).kind is Kind.ACCEPTED
    assert len(stub.shown()) == 2
    assert stub.stats["requests.gettoken"] == 2


def test_a_token_gone_twice_is_not_renewed_without_end(stub: StubProvider, open_at: Open) -> None:
    stub.fault("code", provider="wecomapp", code=42001)
    outcome = open_at("wecomapp").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.UNAVAILABLE, "42001")
    assert stub.stats["requests.wecomapp"] == 2


def test_a_token_another_worker_has_renewed_is_used(stub: StubProvider, ports: Ports, open_at: Open) -> None:
    channel, other = open_at("wecomapp"), open_at("wecomapp")
    channel.deliver(message(id="m-0", body="一"))
    stub.control(expire_tokens=True)
    other.deliver(message(id="m-1", body="二"))
    assert channel.deliver(message(id="m-2", body="三")).ok
    assert stub.stats["requests.gettoken"] == 2
    assert isinstance(ports.tokens, MemoryTokens)


def test_a_token_is_asked_for_again_before_it_expires(stub: StubProvider, open_at: Open) -> None:
    channel = open_at("wecomapp")
    channel.deliver(message(id="m-0", body="一"))
    stub.control(shift=7000)
    channel.deliver(message(id="m-1", body="二"))
    assert stub.stats["requests.gettoken"] == 2
    assert stub.stats["requests.wecomapp"] == 2  # none was sent with a dying token


def test_members_unknown_to_wecom_make_it_partial_whatever_the_case_of_their_ids(
    stub: StubProvider, open_at: Open
) -> None:
    stub.fault("invalid", provider="wecomapp", users=["ZhangSan", "WangWu"])
    outcome = open_at("wecomapp").deliver(message(ZHANG, LI, WANG))
    assert outcome.kind is Kind.PARTIAL
    assert outcome.refused == ("zhangsan", "wangwu")  # the directory's ids
    assert outcome.provider_id
    assert [shown["to"] for shown in stub.shown()] == ["lisi"]


def test_half_the_users_invalid_is_partial(stub: StubProvider, open_at: Open) -> None:
    stub.fault("half_invalid", provider="wecomapp")
    outcome = open_at("wecomapp").deliver(message(ZHANG, LI, WANG))
    assert (outcome.kind, outcome.refused) == (Kind.PARTIAL, ("lisi",))


def test_a_recipient_without_an_account_is_refused_and_the_others_are_reached(
    stub: StubProvider, open_at: Open
) -> None:
    outcome = open_at("wecomapp").deliver(message(ZHANG, ZHAO))
    assert (outcome.kind, outcome.refused) == (Kind.PARTIAL, ("zhaoliu",))
    outcome = open_at("wecomapp").deliver(message(ZHAO))
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "no_address")
    assert len(stub.shown()) == 1


def test_nobody_valid_is_refused(stub: StubProvider, open_at: Open) -> None:
    stub.fault("invalid", provider="wecomapp", users=["zhangsan"])
    outcome = open_at("wecomapp").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "81013")
    assert "可见范围" in outcome.hint


def test_a_thousand_recipients_at_most(open_at: Open) -> None:
    crowd = [Recipient(f"p{n}", wecom=f"w{n}") for n in range(1001)]
    assert open_at("wecomapp").deliver(message(*crowd)).code == "too_many"


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (45009, Kind.RATE_LIMITED, ""),
        (45033, Kind.RATE_LIMITED, ""),
        (40001, Kind.REFUSED, "Secret"),
        (40056, Kind.REFUSED, "AgentId"),
        (48002, Kind.REFUSED, "权限"),
        (60020, Kind.REFUSED, "203.0.113.7"),
        (99999, Kind.REFUSED, ""),  # a code nobody knows: it said no
    ],
)
def test_what_a_code_means(stub: StubProvider, open_at: Open, code: int, kind: Kind, told: str) -> None:
    stub.fault("code", provider="wecomapp", code=code)
    outcome = open_at("wecomapp").deliver(message())
    assert (outcome.kind, outcome.code) == (kind, str(code))
    assert told in outcome.hint
    assert stub.shown() == []


def test_too_often_waits_a_minute_and_too_many_at_once_a_moment(stub: StubProvider, open_at: Open) -> None:
    stub.fault("code", provider="wecomapp", code=45009, times=1)
    stub.fault("code", provider="wecomapp", code=45033, times=1)
    channel = open_at("wecomapp")
    assert channel.deliver(message()).retry_after == 60
    assert channel.deliver(message()).retry_after == 5


def test_an_untrusted_ip_names_the_setting_where_it_is_put_right(stub: StubProvider, open_at: Open) -> None:
    stub.fault("code", provider="gettoken", code=60020)
    outcome = open_at("wecomapp").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "60020")
    assert "企业可信IP" in outcome.hint
    assert "203.0.113.7" in outcome.hint


def test_a_busy_server_is_asked_three_times(stub: StubProvider, open_at: Open, pauses: list[float]) -> None:
    stub.fault("code", provider="wecomapp", code=-1, times=2)
    assert open_at("wecomapp").deliver(message()).kind is Kind.ACCEPTED
    assert len(pauses) == 2
    stub.fault("code", provider="wecomapp", code=-1)
    outcome = open_at("wecomapp").deliver(message(id="m-2", body="二"))
    assert (outcome.kind, outcome.code) == (Kind.UNAVAILABLE, "-1")
    assert stub.stats["requests.wecomapp"] == 6


def test_a_wrong_secret_is_refused_before_anything_is_sent(stub: StubProvider, open_at: Open) -> None:
    outcome = open_at("wecomapp", "wecomapp://ww1:wrong@1000002/?base={base}").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "40001")
    assert stub.stats.get("requests.wecomapp") is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"fault": "timeout_after"}, Kind.UNKNOWN),
        ({"fault": "drop_after"}, Kind.UNKNOWN),
        ({"fault": "drop_before"}, Kind.UNKNOWN),
        ({"fault": "garbage"}, Kind.UNKNOWN),
        ({"fault": "stall", "seconds": 5}, Kind.UNKNOWN),
        ({"fault": "status", "status": 500}, Kind.UNAVAILABLE),
        ({"fault": "status", "status": 503, "retry_after": 7}, Kind.UNAVAILABLE),
        ({"fault": "status", "status": 502, "accept": True}, Kind.UNKNOWN),
        ({"fault": "status", "status": 504}, Kind.UNKNOWN),
        ({"fault": "status", "status": 429}, Kind.RATE_LIMITED),
    ],
)
def test_what_a_disturbance_means(stub: StubProvider, open_at: Open, fault: dict, kind: Kind) -> None:
    channel = open_at("wecomapp", timeout="0.4")
    channel.deliver(message(id="m-0", body="先取到 token"))
    stub.control(provider="wecomapp", **fault)
    assert channel.deliver(message()).kind is kind


@pytest.mark.parametrize("fault", ["timeout_after", "drop_after", "garbage", "status"])
def test_whatever_happens_while_fetching_the_token_nothing_was_sent(
    stub: StubProvider, open_at: Open, fault: str
) -> None:
    stub.fault(fault, provider="gettoken", status=502)
    outcome = open_at("wecomapp", timeout="0.4").deliver(message())
    assert outcome.kind is Kind.UNAVAILABLE


def test_those_who_wait_for_a_token_share_the_failure_instead_of_queueing_for_it(
    stub: StubProvider, open_at: Open
) -> None:
    stub.fault("timeout_after", provider="gettoken")
    channel = open_at("wecomapp", timeout="0.5")
    start = threading.Barrier(12)

    def one(n: int) -> Kind:
        start.wait(10)
        return channel.deliver(message(id=f"m-{n}")).kind

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(one, range(12))) == {Kind.UNAVAILABLE}
    assert stub.stats["requests.gettoken"] <= 3


def test_text_beyond_2048_bytes_is_shortened_between_characters_and_keeps_its_link(
    stub: StubProvider, open_at: Open
) -> None:
    link = "https://sla.example/a/1"
    open_at("wecomapp").deliver(message(body="政务服务" * 400, url=link))
    (shown,) = stub.shown()
    assert len(shown["text"].encode()) <= 2048
    assert shown["text"].endswith(f"…\n{link}")
    assert "\ufffd" not in shown["text"]


def test_a_title_beyond_all_measure_is_cut_rather_than_refused(stub: StubProvider, open_at: Open) -> None:
    assert open_at("wecomapp").deliver(message(title="长" * 2000)).ok
    assert len(stub.shown()[0]["text"].encode()) <= 2048


def test_a_card_has_a_button_and_short_texts(stub: StubProvider, open_at: Open) -> None:
    link = "https://sla.example/a/1"
    card = message(form=Form.CARD, url=link, title="标题" * 60, body="正文" * 300, button="去办理看看")
    assert open_at("wecomapp").deliver(card).ok
    content = json.loads(stub.bodies[-1]["body"])["textcard"]
    assert len(content["title"].encode()) <= 128
    assert len(content["description"].encode()) <= 512
    assert (content["url"], content["btntxt"]) == (link, "去办理看")


def test_a_card_without_a_link_is_text(stub: StubProvider, open_at: Open) -> None:
    assert open_at("wecomapp").deliver(message(form=Form.CARD)).ok
    assert stub.shown()[0]["extra"]["kind"] == "text"


def test_markdown_has_a_bold_title_and_a_named_link(stub: StubProvider, open_at: Open) -> None:
    open_at("wecomapp").deliver(message(form=Form.MARKDOWN, url="https://sla.example/a/1"))
    assert stub.shown()[0]["text"] == f"**还有 1 个工作日到期**\n{BODY}\n[查看](https://sla.example/a/1)"


def test_half_a_surrogate_pair_does_not_stop_a_message(stub: StubProvider, open_at: Open) -> None:
    assert open_at("wecomapp").deliver(message(body="坏字符 \ud800 之后")).ok
    assert stub.shown()[0]["text"].endswith("坏字符 ? 之后")


def test_without_recipients_the_members_of_the_url_are_meant(stub: StubProvider, open_at: Open) -> None:
    channel = open_at("wecomapp", "wecomapp://ww1:stub-secret@1000002/ZhangSan/lisi@corp?base={base}")
    assert channel.deliver(message().__class__(id="m", title="t", body="b")).ok
    assert [shown["to"] for shown in stub.shown()] == ["ZhangSan", "lisi@corp"]


def test_another_secret_does_not_use_the_old_token() -> None:
    def key(secret: str) -> str:
        return NotifyWeComApp(user="ww1", password=secret, host="1", schema="wecomapp").token_key

    assert key("one") != key("two")
    assert "one" not in key("one")


def test_the_stub_drops_what_exceeds_thirty_a_minute_without_a_word(stub: StubProvider, open_at: Open) -> None:
    channel = open_at("wecomapp")
    outcomes = [channel.deliver(message(id=f"m-{n}", body=f"第 {n} 件")) for n in range(32)]
    assert all(outcome.ok for outcome in outcomes)  # why the limits are ours
    assert (len(stub.shown()), stub.stats["dropped"]) == (30, 2)
