"""Our plugins as plain Apprise plugins, and Apprise's own services as channels."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from apprise import Apprise
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase
from conftest import URLS, Open, message
from hypothesis import given
from hypothesis import strategies as st

from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins import bridge
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.registry import open_channel
from sla_service.errors import ChannelError
from tests.stub_provider import StubProvider

ROOT = Path(__file__).parents[2]
TARGETS = {
    "wecomapp": ("ZhangSan", "lisi"),
    "yunmas": ("13800000001", "13800000002"),
    "alisms": ("13800000001",),
    "tencentsms": ("13800000001",),
}
NAME = st.text(
    alphabet=st.characters(categories=("Ll", "Lu", "Lo", "Nd"), max_codepoint=0xFFFF), min_size=1, max_size=12
)


@pytest.fixture(autouse=True)
def registered() -> None:
    bridge.register()


@pytest.mark.parametrize("scheme", sorted(URLS))
def test_a_plugin_works_as_plain_apprise(stub: StubProvider, scheme: str) -> None:
    url = URLS[scheme].format(base=stub.base) + f"&to={','.join(TARGETS.get(scheme, ()))}"
    service = Apprise()
    assert service.add(url)
    result = service.notify(title="到期提醒", body="BBC-2026-0001 明天到期")
    assert result
    assert len(stub.shown()) == len(TARGETS.get(scheme, ("group",)))
    assert "BBC-2026-0001 明天到期" in stub.shown()[0]["text"]


@pytest.mark.parametrize("scheme", sorted(URLS))
def test_what_is_not_taken_is_false_to_apprise(stub: StubProvider, scheme: str) -> None:
    stub.fault("status", status=503)
    service = Apprise()
    service.add(URLS[scheme].format(base=stub.base) + "&to=13800000001")
    assert not service.notify(body="BBC-2026-0001 明天到期")


@pytest.mark.parametrize("scheme", sorted(URLS))
def test_a_url_comes_back_the_same(stub: StubProvider, scheme: str) -> None:
    url = URLS[scheme].format(base=stub.base) + "&to=13800000001&timeout=3&proxy=http://u:secret2@10.0.0.1:3128"
    first = Apprise.instantiate(url)
    assert isinstance(first, NotifyBase)
    second = Apprise.instantiate(first.url())
    assert isinstance(second, NotifyBase)
    assert first.url() == second.url()
    assert first.url_id() == second.url_id()
    for name in ("user", "password", "host", "targets", "_given"):
        assert getattr(first, name) == getattr(second, name)
    private = first.url(privacy=True)
    for hidden in ("stub-secret", "robot-key-1", "secret2", "13800000001"):
        assert hidden not in private


@given(NAME, NAME, NAME)
def test_chinese_names_survive_the_url_raw_and_encoded(host: str, sign: str, secret: str) -> None:
    plugin = bridge.PLUGINS["yunmas"]
    opened = plugin(**plugin.parse_url(f"yunmas://ap:{secret}@{host}/?sign={sign}"))
    assert (opened.host, opened.sign, opened.account) == (host, sign, ("ap", secret))
    again = plugin(**plugin.parse_url(opened.url()))
    assert (again.host, again.sign, again.account) == (host, sign, ("ap", secret))


def test_apprise_can_describe_our_plugins() -> None:
    described = {schema["service_name"]: schema for schema in Apprise().details()["schemas"]}
    details = described["WeCom Application"]["details"]
    assert details["tokens"]["password"]["private"]
    assert "base" in details["args"]
    assert described["Aliyun SMS"]["details"]["args"]["template"]


def test_registering_twice_does_no_harm_and_neither_does_a_second_import() -> None:
    bridge.register()
    before = NotificationManager()["wecomgroup"]
    code = (
        "import sys; from sla_service.delivery.plugins import bridge; bridge.register();"
        "[sys.modules.pop(m) for m in list(sys.modules) if m.startswith('sla_service.delivery.plugins')];"
        "from sla_service.delivery.plugins import bridge as again; again.register();"
        "from apprise.manager_plugins import NotificationManager as N;"
        "assert again is not bridge; assert N()['wecomapp'] is again.PLUGINS['wecomapp']"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert importlib.import_module("sla_service.delivery.plugins.bridge").PLUGINS["wecomgroup"] is before


def test_a_stranger_behind_our_scheme_stops_the_start() -> None:
    class NotifyStranger(NotifyBase):
        service_name = "Stranger"
        secure_protocol = "wecomapp"

    manager = NotificationManager()
    manager.remove("wecomapp", unload=False)
    assert manager.add(NotifyStranger)
    try:
        with pytest.raises(ChannelError, match="NotifyStranger") as caught:
            open_channel("wecom", "wecomapp://ww1:hidden@1000002/", ports=Ports())
        assert "hidden" not in str(caught.value)
    finally:
        manager.remove("wecomapp", unload=False)
        bridge.register()


# --- any other service of Apprise


def other(base: str, query: str = "") -> str:
    return f"{base.replace('http', 'json')}/hook{query}"


def test_another_service_sends_and_has_no_id(stub: StubProvider, open_at: Open) -> None:
    outcome = open_at("webhook", other(stub.base, "?cto=2")).deliver(message(url="https://sla.example/a/1"))
    assert (outcome.kind, outcome.provider_id) == (Kind.ACCEPTED, None)
    assert "https://sla.example/a/1" in stub.shown()[0]["text"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"fault": "status", "status": 500}, Kind.UNAVAILABLE),
        ({"fault": "status", "status": 403}, Kind.UNAVAILABLE),  # Apprise tells them apart in its log only
        ({"fault": "timeout_after"}, Kind.UNKNOWN),  # a fallback now would be a second alert
        ({"fault": "stall", "seconds": 3}, Kind.UNKNOWN),
    ],
)
def test_apprises_no_is_unavailable_and_its_silence_unknown(
    stub: StubProvider, open_at: Open, fault: dict, kind: Kind
) -> None:
    stub.control(provider="hook", **fault)
    outcome = open_at("webhook", other(stub.base, "?cto=0.4&rto=0.4")).deliver(message())
    assert outcome.kind is kind


def test_an_optional_service_of_apprise_does_not_report_failure_as_success(stub: StubProvider, open_at: Open) -> None:
    stub.fault("status", provider="hook", status=500)
    outcome = open_at("webhook", other(stub.base, "?optional=yes&cto=2")).deliver(message())
    assert outcome.kind is Kind.UNAVAILABLE


def test_what_apprise_logs_is_shown_without_the_secrets_of_the_url(open_at: Open) -> None:
    outcome = open_at("webhook", "json://somebody:hidden1@127.0.0.1:1/hidden2?cto=2").deliver(message())
    assert outcome.kind is Kind.UNAVAILABLE
    assert outcome.text
    assert "hidden" not in repr(outcome)


def test_apprise_is_not_throttled_between_two_messages(stub: StubProvider, open_at: Open) -> None:
    channel = open_at("webhook", other(stub.base, "?cto=2"))
    start = time.monotonic()
    assert all(channel.deliver(message(id=f"m-{n}")).ok for n in range(5))
    assert time.monotonic() - start < 5  # 5.5 s between two of them by default
    assert len(stub.shown()) == 5
