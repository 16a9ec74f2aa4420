"""``sla channel``: a message to try a way to reach people, with the provider's own answer and what to do about it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CONFIG, Shell

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.stub_provider, whatever folder pytest starts in

from tests.stub_provider import StubProvider

CHANNELS = """\
channels:
  wecom: {{url: "wecomapp://ww1:${{SLA_WECOM_SECRET}}@1000002/?base={base}&timeout=0.5"}}
  sms:
    url: "alisms://KEY1:stub-secret@政务大厅/?base={base}"
    templates: {{reminder: {{id: SMS_1, values: [case, due], names: [code, date]}}}}
"""


@pytest.fixture
def stub() -> Iterator[StubProvider]:
    with StubProvider() as server:
        yield server


@pytest.fixture
def hall(shell: Shell, stub: StubProvider, tmp_path: Path) -> Shell:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    (folder / "channels.yaml").write_text(CHANNELS.format(base=stub.base), "utf-8")
    shell.env |= {"SLA_CONFIG_DIR": str(folder), "SLA_WECOM_SECRET": "stub-secret"}
    stub.control(shift=shell.shift.total_seconds())  # signatures carry the time
    return shell


def test_a_test_message_arrives_and_the_providers_answer_is_shown(hall, stub):
    said = hall.ok("channel", "test", "wecom", "--to", "张三")
    (shown,) = stub.shown("wecomapp", "zhangsan")
    assert shown["text"].startswith("【测试】")
    assert "已受理（服务商收下了，不代表已读）" in said.out
    assert shown["id"] in said.out
    assert "stub-secret" not in said.out + said.err


def test_60020_says_which_address_to_put_on_the_list(hall, stub):
    stub.fault("code", provider="wecomapp", code=60020)
    said = hall("channel", "test", "wecom", "--to", "zhangsan")
    assert said.code == 1
    assert "60020 not allow to access from your ip" in said.out
    assert "本机出口 IP 203.0.113.7 不在应用的“企业可信IP”里" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("channel", "provider", "code", "outcome", "hint"),
    [
        ("wecom", "gettoken", 40001, "refused", "Secret"),
        ("wecom", "wecomapp", 48002, "refused", "权限"),
        ("wecom", "wecomapp", 45009, "rate_limited", ""),
        ("sms", "alisms", "isv.SMS_SIGNATURE_ILLEGAL", "refused", "签名"),
        ("sms", "alisms", "isv.BUSINESS_LIMIT_CONTROL", "rate_limited", ""),
    ],
)
def test_each_code_comes_with_what_to_do_about_it(hall, stub, channel, provider, code, outcome, hint):
    stub.fault("code", provider=provider, code=code)
    said = hall("channel", "test", channel, "--to", "zhangsan", "--json")
    assert (said.code, said.json["outcome"], said.json["code"]) == (1, outcome, str(code))
    assert hint in said.json["hint"]
    assert stub.shown() == []


def test_no_answer_is_not_called_a_failure(hall, stub):
    stub.fault("timeout_after", provider="wecomapp", seconds=2)
    said = hall("channel", "test", "wecom", "--to", "zhangsan", "--json")
    assert (said.code, said.json["outcome"]) == (1, "unknown")


def test_an_sms_goes_out_by_the_approved_template(hall, stub):
    hall.ok("channel", "test", "sms", "--to", "zhangsan")
    (shown,) = stub.shown("alisms")
    assert shown["text"].startswith("【政务大厅】[SMS_1] code=测试")


def test_a_channel_or_person_that_is_not_there_is_said(hall):
    assert "没有渠道 fax，有 sms、wecom" in hall("channel", "test", "fax", "--to", "zhangsan").err
    assert "没有“nobody”" in hall("channel", "test", "wecom", "--to", "nobody").err


def test_the_list_masks_secrets_and_says_what_cannot_be_opened(hall):
    del hall.env["SLA_WECOM_SECRET"]
    said = hall.ok("channel", "list", "--json")
    rows = {r["name"]: r for r in said.json}
    assert rows["sms"]["usable"]
    assert not rows["wecom"]["usable"]
    assert "SLA_WECOM_SECRET 没有设置" in rows["wecom"]["problem"]
    assert "stub-secret" not in said.out
