"""The SMS gateways over HTTP against the stub, which checks every mac and signature itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from conftest import LI, URLS, WANG, ZHANG, ZHAO, Open, message

from sla_service.delivery.message import Recipient
from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.registry import open_channel
from tests.stub_provider import StubProvider

SMS = ("yunmas", "alisms", "tencentsms")


@pytest.mark.parametrize(
    ("scheme", "to", "text"),
    [
        ("yunmas", "13800000001", "[T1] BBC-2026-0001|11月25日"),
        ("alisms", "13800000001", "【政务大厅】[SMS_1] case=BBC-2026-0001 due=11月25日"),
        ("tencentsms", "+8613800000001", "【政务大厅】[77] BBC-2026-0001|11月25日"),
    ],
)
def test_a_template_message_arrives(stub: StubProvider, open_at: Open, scheme: str, to: str, text: str) -> None:
    outcome = open_at(scheme).deliver(message())
    (shown,) = stub.shown()
    assert outcome.kind is Kind.ACCEPTED
    assert outcome.provider_id == shown["id"]
    assert (shown["to"], shown["text"]) == (to, text)


@pytest.mark.parametrize("scheme", SMS)
def test_the_messages_own_template_comes_before_the_urls(stub: StubProvider, open_at: Open, scheme: str) -> None:
    assert open_at(scheme).deliver(message(template="SMS_99")).ok
    assert "[SMS_99]" in stub.shown()[0]["text"]


@pytest.mark.parametrize(("scheme", "keeper"), [("alisms", "out_id"), ("tencentsms", "session")])
def test_the_messages_id_goes_along_for_the_receipt(
    stub: StubProvider, open_at: Open, scheme: str, keeper: str
) -> None:
    open_at(scheme).deliver(message(id="m-42"))
    assert stub.shown()[0]["extra"][keeper] == "m-42"


@pytest.mark.parametrize("scheme", SMS)
def test_values_are_short_single_lines_without_signature_brackets(
    stub: StubProvider, open_at: Open, scheme: str
) -> None:
    long = message(values=("【急】个体工商户\n登记", "很长的事项名称" * 10))
    assert open_at(scheme).deliver(long).ok
    text = stub.shown()[0]["text"]
    assert "〔急〕个体工商户 登记" in text
    assert "…" in text
    assert "\n" not in text


@pytest.mark.parametrize("scheme", SMS)
def test_people_without_a_phone_are_refused(stub: StubProvider, open_at: Open, scheme: str) -> None:
    outcome = open_at(scheme).deliver(message(ZHANG, ZHAO))
    assert (outcome.kind, outcome.refused) == (Kind.PARTIAL, ("zhaoliu",))
    outcome = open_at(scheme).deliver(message(ZHAO))
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "no_address")
    assert len(stub.shown()) == 1


@pytest.mark.parametrize(("scheme", "most"), [("yunmas", 5000), ("alisms", 1000), ("tencentsms", 200)])
def test_more_numbers_than_the_gateway_takes_are_refused_here(open_at: Open, scheme: str, most: int) -> None:
    crowd = [Recipient(f"p{n}", phone=str(13800000000 + n)) for n in range(most + 1)]
    assert open_at(scheme).deliver(message(*crowd)).code == "too_many"
    assert open_at(scheme).deliver(message(*crowd[:most])).kind is Kind.ACCEPTED


@pytest.mark.parametrize("scheme", ["alisms", "tencentsms"])
def test_no_template_is_refused_where_free_text_is_not_allowed(stub: StubProvider, open_at: Open, scheme: str) -> None:
    url = {
        "alisms": "alisms://KEY1:stub-secret@政务大厅/?base={base}",
        "tencentsms": "tencentsms://AKID1:stub-secret@1400000001/?sign=政务大厅&base={base}",
    }[scheme]
    outcome = open_at(scheme, url).deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "no_template")
    assert "channels.yaml" in outcome.hint
    assert stub.shown() == []


def test_yunmas_sends_free_text_without_a_template(stub: StubProvider, open_at: Open) -> None:
    url = "yunmas://ap1:stub-secret@某某市政务服务中心/?sign=SIGN1&base={base}"
    assert open_at("yunmas", url).deliver(message(ZHANG, LI, values=(), names=(), body="测试")).ok
    assert [(shown["to"], shown["text"]) for shown in stub.shown()] == [
        ("13800000001", "测试"),
        ("13800000002", "测试"),
    ]
    assert stub.bodies[-1]["path"] == "/sms/norsubmit"  # over plain HTTP


def test_yunmas_free_text_goes_to_the_path_the_url_names(stub: StubProvider, open_at: Open) -> None:
    url = "yunmas://ap1:stub-secret@EC/?sign=SIGN1&submit=/sms/submit&serial=01&base={base}"
    assert open_at("yunmas", url).deliver(message(values=(), names=())).ok
    assert (stub.bodies[-1]["path"], stub.bodies[-1]["addSerial"]) == ("/sms/submit", "01")


def test_yunmas_without_variables_sends_one_empty_value(stub: StubProvider, open_at: Open) -> None:
    assert open_at("yunmas").deliver(message(template="T2", values=(), names=())).ok
    assert stub.bodies[-1]["params"] == '[""]'


def test_yunmas_never_sends_the_secret(stub: StubProvider, open_at: Open) -> None:
    open_at("yunmas").deliver(message())
    assert "stub-secret" not in json.dumps(stub.bodies)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("yunmas://ap1:wrong@EC/?sign=S&template=T1&base={base}", "IllegalMac"),
        ("alisms://KEY1:wrong@政务大厅/?template=SMS_1&base={base}", "SignatureDoesNotMatch"),
        (
            "tencentsms://AKID1:wrong@14/?sign=S&template=77&base={base}",
            "AuthFailure.SignatureFailure",
        ),
    ],
)
def test_a_wrong_secret_is_refused_with_a_hint(open_at: Open, url: str, code: str) -> None:
    outcome = open_at(url.partition(":")[0], url).deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, code)
    assert "密钥" in outcome.hint


@pytest.mark.parametrize("scheme", ["alisms", "tencentsms"])
def test_a_clock_that_is_wrong_is_named(stub: StubProvider, scheme: str) -> None:
    slow = Ports(clock=lambda: stub.state.now() - timedelta(minutes=16))
    channel = open_channel(scheme, URLS[scheme].format(base=stub.base), ports=slow)
    outcome = channel.deliver(message())
    channel.close()
    assert outcome.kind is Kind.REFUSED
    assert "NTP" in outcome.hint


@pytest.mark.parametrize(
    ("scheme", "code", "kind", "retry_after"),
    [
        ("yunmas", "IllegalSignId", Kind.REFUSED, None),
        ("yunmas", "NoSignId", Kind.REFUSED, None),
        ("yunmas", "InvalidUsrOrPwd", Kind.REFUSED, None),
        ("yunmas", "InvalidMessage", Kind.REFUSED, None),
        ("yunmas", "InvalidMobile", Kind.REFUSED, None),
        ("yunmas", "TooManyMobiles", Kind.REFUSED, None),
        ("yunmas", "SomethingNew", Kind.REFUSED, None),
        ("alisms", "isv.BUSINESS_LIMIT_CONTROL", Kind.RATE_LIMITED, 3600),
        ("alisms", "Throttling.User", Kind.RATE_LIMITED, 5),
        ("alisms", "isp.SYSTEM_ERROR", Kind.UNAVAILABLE, None),
        ("alisms", "isv.SMS_TEMPLATE_ILLEGAL", Kind.REFUSED, None),
        ("alisms", "isv.SOMETHING_NEW", Kind.REFUSED, None),
        ("tencentsms", "LimitExceeded.PhoneNumberThirtySecondLimit", Kind.RATE_LIMITED, 30),
        ("tencentsms", "LimitExceeded.PhoneNumberDailyLimit", Kind.RATE_LIMITED, 12 * 3600),
        ("tencentsms", "LimitExceeded.DeliveryFrequencyLimit", Kind.RATE_LIMITED, 60),
        ("tencentsms", "RequestLimitExceeded", Kind.RATE_LIMITED, 5),
        ("tencentsms", "InternalError.OtherError", Kind.UNAVAILABLE, None),
        ("tencentsms", "InternalError.Timeout", Kind.UNKNOWN, None),
        ("tencentsms", "FailedOperation.TemplateIncorrectOrUnapproved", Kind.REFUSED, None),
        ("tencentsms", "FailedOperation.SomethingNew", Kind.REFUSED, None),
    ],
)
def test_what_a_code_means(
    stub: StubProvider, open_at: Open, scheme: str, code: str, kind: Kind, retry_after: float | None
) -> None:
    stub.fault("code", provider=scheme, code=code)
    outcome = open_at(scheme).deliver(message())
    assert (outcome.kind, outcome.code, outcome.retry_after) == (kind, code, retry_after)
    assert stub.shown() == []


@pytest.mark.parametrize("scheme", SMS)
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"fault": "timeout_after"}, Kind.UNKNOWN, "read_timeout"),
        ({"fault": "drop_after"}, Kind.UNKNOWN, "reset"),
        ({"fault": "garbage"}, Kind.UNKNOWN, "http_200"),
        ({"fault": "status", "status": 500}, Kind.UNAVAILABLE, "http_500"),
        ({"fault": "status", "status": 503}, Kind.UNAVAILABLE, "http_503"),
        ({"fault": "status", "status": 504, "accept": True}, Kind.UNKNOWN, "http_504"),
        ({"fault": "status", "status": 404}, Kind.REFUSED, "http_404"),
    ],
)
def test_what_a_disturbance_means(
    stub: StubProvider, open_at: Open, scheme: str, fault: dict, kind: Kind, code: str
) -> None:
    stub.control(provider=scheme, **fault)
    outcome = open_at(scheme, timeout="0.4").deliver(message())
    assert (outcome.kind, outcome.code) == (kind, code)
    assert stub.stats[f"requests.{scheme}" if kind is Kind.UNKNOWN else "connections"] == 1  # never by itself again


def test_tencent_answers_for_each_number(stub: StubProvider, open_at: Open) -> None:
    stub.fault("half_invalid", provider="tencentsms", times=1)
    outcome = open_at("tencentsms").deliver(message(ZHANG, LI, WANG))
    assert outcome.kind is Kind.PARTIAL
    assert outcome.refused == ("lisi",)
    assert outcome.provider_id == ",".join(shown["id"] for shown in stub.shown())
    assert "13800000002" not in f"{outcome.text}{outcome.code}"


def test_tencents_third_message_of_a_day_waits(stub: StubProvider, open_at: Open) -> None:
    stub.control(limits=True)
    channel = open_at("tencentsms")
    kinds = [channel.deliver(message(id=f"m-{n}", values=(f"办件{n}", "今天"))).kind for n in range(3)]
    assert kinds == [Kind.ACCEPTED, Kind.ACCEPTED, Kind.RATE_LIMITED]
    again = channel.deliver(message(id="m-9", values=("办件2", "今天")))
    assert again.code == "LimitExceeded.PhoneNumberThirtySecondLimit"


def test_tencents_most_doubtful_number_decides_when_none_was_taken(stub: StubProvider, open_at: Open) -> None:
    wrong = Recipient("wrong", phone="+85212345678")
    stub.fault("code", provider="tencentsms", code="InternalError.Timeout")
    assert open_at("tencentsms").deliver(message(wrong, ZHANG)).kind is Kind.UNKNOWN


def test_aliyun_needs_the_names_of_its_variables(open_at: Open) -> None:
    assert open_at("alisms").deliver(message(names=())).code == "no_names"


def test_each_aliyun_request_has_a_nonce_of_its_own(stub: StubProvider, open_at: Open) -> None:
    channel = open_at("alisms")
    assert channel.deliver(message()).ok
    assert channel.deliver(message()).ok  # the stub refuses a nonce it has seen
    assert len(stub.shown()) == 2


def test_an_account_no_header_can_carry_is_refused_before_anything_is_sent(stub: StubProvider, open_at: Open) -> None:
    outcome = open_at("alisms", "alisms://账号:stub-secret@签名/?template=SMS_1&base={base}").deliver(message())
    assert (outcome.kind, outcome.code) == (Kind.REFUSED, "encoding")
    assert stub.stats.get("requests.alisms") is None


def test_no_phone_number_gets_into_an_outcome(open_at: Open) -> None:
    for scheme in SMS:
        bad = Recipient("bad", phone="138000000019999")
        outcome = open_at(scheme).deliver(message(bad))
        assert outcome.kind is Kind.REFUSED
        assert "13800000001" not in repr(outcome)
