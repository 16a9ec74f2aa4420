"""From a URL to a channel: what opens, what is said of what does not, and what is never said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.registry import EXAMPLES, expand, masked, open_channel
from sla_service.errors import ChannelError

ROOT = Path(__file__).parents[2]
SECRET = "S3cr/et:+@%#?"
ENV = {"SLA_WECOM_SECRET": SECRET, "SLA_EMPTY": ""}


def error_of(url: str, name: str = "wecom") -> str:
    with pytest.raises(ChannelError) as caught:
        open_channel(name, url, ports=Ports())
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_the_sandbox_puts_messages_into_its_mailbox() -> None:
    mailbox: list[Message] = []

    def put(message: Message) -> str:
        mailbox.append(message)
        return f"box-{len(mailbox)}"

    channel = open_channel("sms", "sandbox://", ports=Ports(mailbox=put))
    outcome = channel.deliver(Message("m-1", "标题", "正文"))
    assert (outcome.kind, outcome.provider_id) == (Kind.ACCEPTED, "box-1")
    assert mailbox[0].body == "正文"
    assert (channel.name, channel.scheme, channel.masked) == ("sms", "sandbox", "sandbox://")
    channel.close()


def test_a_sandbox_without_a_mailbox_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="mailbox"):
        open_channel("sms", "sandbox://", ports=Ports())


def test_sandbox_channels_do_not_load_apprise() -> None:
    code = (
        "import sys; from sla_service.delivery.registry import *; from sla_service.delivery.plugins.ports import Ports;"
        "open_channel('a', 'sandbox://', ports=Ports(mailbox=lambda m: 'x'));"
        "masked('wecomapp://a:b@1/'); expand('sandbox://', {});"
        "sys.exit(sorted(m for m in sys.modules if m in {'apprise', 'requests', 'urllib3'}) != [])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# --- variables


def test_a_variable_is_percent_encoded() -> None:
    assert expand("wecomapp://ww1:${SLA_WECOM_SECRET}@1/", ENV) == "wecomapp://ww1:S3cr%2Fet%3A%2B%40%25%23%3F@1/"


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_secret_survives_the_way_into_the_plugin(secret: str) -> None:
    from sla_service.delivery.plugins.wecom_app import NotifyWeComApp

    url = expand("wecomapp://ww1:${S}@1000002/", {"S": secret})
    assert NotifyWeComApp(**NotifyWeComApp.parse_url(url)).secret == secret


def test_a_variable_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("abc/def\n", encoding="utf-8")
    env = {"SLA_WECOM_SECRET_FILE": str(tmp_path / "secret")}
    assert expand("wecomapp://ww1:${SLA_WECOM_SECRET}@1/", env) == "wecomapp://ww1:abc%2Fdef@1/"


@pytest.mark.parametrize(
    ("url", "env", "told"),
    [
        ("x://${SLA_MISSING}/", ENV, "SLA_MISSING"),
        ("x://${SLA_EMPTY}/", ENV, "SLA_EMPTY"),
        ("x://${SLA_FILE}/", {"SLA_FILE_FILE": "/nowhere"}, "SLA_FILE_FILE"),
        ("x://${not a name}/", ENV, "${NAME}"),
        ("x://${OPEN/", ENV, "${NAME}"),
    ],
)
def test_a_variable_that_is_missing_is_named_and_no_value_is(url: str, env: dict[str, str], told: str) -> None:
    with pytest.raises(ChannelError) as caught:
        expand(url, env)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


# --- what does not open


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "://"),
        ("wecom", "://"),
        ("wecomapp://", "企业ID"),
        ("wecomapp://ww1@1000002/", "Secret"),
        ("wecomapp://ww1:hidden@app/", "AgentId"),
        ("wecomapp://ww1:hid/den@1000002/", "企业ID"),  # an unencoded slash ends the host
        ("wecomapp://ww1:hid:den@1000002/", "百分号"),
        ("wecomapp://ww1:hid@den@1000002/", "百分号"),
        ("wecomapp://ww1:hid#den@1000002/", "百分号"),
        ("wecomapp://ww1:${SLA_WECOM_SECRET}@1000002/", "${"),
        ("wecomapp://ww1:hidden@1000002/?base=qyapi", "base="),
        ("wecomapp://ww1:hidden@1000002/?timeout=long", "timeout="),
        ("wecomapp://ww1:hidden@1000002/?verify=no", "ca="),
        ("wecomapp://ww1:hidden@1000002/?pin=ab:cd", "pin="),
        ("wecomapp://ww1:hidden@1000002/?proxy=10.0.0.1", "proxy="),
        ("wecomgroup://", "key="),
        ("wecomgroup://hidden@host/", "key="),
        ("yunmas://ap:hidden@EC/", "sign="),
        ("yunmas://ap@EC/?sign=S", "密钥"),
        ("alisms://id:hidden@/", "名称"),
        ("alisms://id:hidden@签名/?value_max=many", "value_max="),
        ("tencentsms://id:hidden@1400/", "sign="),
        ("nosuch://hidden/", "Apprise"),
        ("json://", "Apprise"),
        ("wechat://corp:hidden@1/", "wecomapp://"),  # Apprise's own hides invalid recipients
        ("wecom://hidden0hidden0hidden0hidden0/", "wecomapp://"),  # Apprise's own is another company's relay
        ("wecombot://hidden0hidden0/", "wecomgroup://"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hidden00-hidden00", "wecomgroup://"),
    ],
)
def test_a_url_that_does_not_do_is_explained_with_an_example_and_without_the_secret(url: str, told: str) -> None:
    text = error_of(url)
    assert text.startswith("渠道 wecom 的地址不能用：")
    assert told in text
    assert "写法例如" in text
    assert "hid" not in text
    assert "\n" not in text


def test_nothing_is_logged_of_a_url_that_does_not_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    for url in ("wecomapp://ww1:hidden@app/", "mailtos://user:hidden@", "tgram://hidden/hidden", "x://hidden"):
        error_of(url)
    assert "hidden" not in caplog.text


def test_each_example_opens() -> None:
    env = dict.fromkeys(("SLA_WECOM_SECRET", "SLA_ROBOT_KEY", "SLA_MAS_SECRET", "SLA_SMS_SECRET"), "x")
    for scheme, example in EXAMPLES.items():
        channel = open_channel(scheme, expand(example, env), ports=Ports(mailbox=lambda _: ""))
        assert channel.scheme == scheme
        assert channel.longest > 0
        channel.close()


# --- what is shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wecomapp://ww1:hidden@1000002/", "wecomapp://ww1:****@1000002/"),
        ("wecomapp://ww1:${SLA_WECOM_SECRET}@1000002/", "wecomapp://ww1:****@1000002/"),
        ("wecomapp://ww1:h%2Fidden@1000002/zhangsan", "wecomapp://ww1:****@1000002/zhangsan"),
        ("wecomapp://hidden@1000002/", "wecomapp://****@1000002/"),
        ("wecomapp://ww1:hid/den@1000002/", "wecomapp://****"),
        ("wecomgroup://hidden/?base=https://wx.gov.example", "wecomgroup://****/?base=https://wx.gov.example"),
        ("alisms://id:hidden@%E7%AD%BE%E5%90%8D/13800001234", "alisms://id:****@签名/138****1234"),
        ("yunmas://ap:hidden@某局/?sign=S&proxy=http://u:hidden@p", "yunmas://ap:****@某局/?sign=S"),
        ("yunmas://ap:hidden@某局/?sign=S&password=hidden", "yunmas://ap:****@某局/?sign=S"),
        ("mailtos://user:hidden@smtp.example.com", "mailtos://****"),
        ("slack://hidden/hidden", "slack://****"),
        ("sandbox://", "sandbox://"),
        ("hidden", "****"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_a_channel_shows_only_its_masked_url() -> None:
    channel = open_channel("wecom", "wecomapp://ww1:hidden@1000002/", ports=Ports())
    assert "hidden" not in repr(channel)
    assert channel.masked == "wecomapp://ww1:****@1000002/"
