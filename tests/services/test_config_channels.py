"""channels.yaml: URLs, limits and templates, and no secret in any sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla_service.delivery.limits import Per, Window
from sla_service.errors import ConfigError
from sla_service.services.config import TemplateConf, default_text, load_config, write_defaults

CHANNELS = """\
channels:
  wecom: {url: "wecomapp://CORP:${SLA_WECOM_SECRET}@1000002/"}
  sms:
    url: "yunmas://AP:${SLA_MAS_SECRET}@EC/?sign=S"
    limits: [{per: recipient, max: 2, in: 24h}]
    templates: {reminder: {id: T1, values: [case, due]}, breach: {id: T2, values: [case, days], names: [code, n]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_defaults(tmp_path / "config")
    return tmp_path / "config"


def refusal(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_config(folder)
    return str(refused.value).replace(f"{folder}/", "").split("\n")


def test_channels_keep_their_url_unexpanded_and_out_of_sight(folder: Path) -> None:
    (folder / "channels.yaml").write_text(CHANNELS, "utf-8")
    channels = load_config(folder).channels
    assert list(channels) == ["wecom", "sms"]
    sms = channels["sms"]
    assert (sms.scheme, sms.url) == ("yunmas", "yunmas://AP:${SLA_MAS_SECRET}@EC/?sign=S")
    assert sms.limits == (Window(Per.RECIPIENT, 2, 86400),)
    assert sms.templates["reminder"] == TemplateConf("T1", ("case", "due"))
    assert sms.templates["breach"].names == ("code", "n")
    assert channels["wecom"].limits is None
    assert "yunmas" not in repr(channels)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("channels:", "chanels:", '1: 不认识 "chanels"，是不是 channels？'),
        ('{url: "wecomapp://CORP:${SLA_WECOM_SECRET}@1000002/"}', "{}", "2: channels.wecom 里缺少 url。"),
        (
            '"wecomapp://CORP:${SLA_WECOM_SECRET}@1000002/"',
            "topsecret",
            "2: channels.wecom.url 要写成 种类://…，例如 sandbox://。",
        ),
        (
            "per: recipient",
            "per: person",
            '5: channels.sms.limits 第 1 项的 per 要写 recipient、content 或 channel，现在是 "person"。',
        ),
        (
            "in: 24h",
            "in: 1 day",
            '5: channels.sms.limits 第 1 项的 in 要写时间长度，例如 30s、10m、24h、7d，现在是 "1 day"。',
        ),
        ("max: 2", "max: 0", '5: channels.sms.limits 第 1 项的 max 不能小于 1，现在是 "0"。'),
        ("id: T1", "id: 1", '6: channels.sms.templates.reminder.id 要加引号，写成 "1"。'),
        (
            "[case, due]",
            "[case, dew]",
            "6: channels.sms.templates.reminder.values 要写能填进短信的内容：dew 是不是 due。",
        ),
        ("breach: {", "beach: {", '6: channels.sms.templates 里不认识 "beach"，是不是 breach？'),
        ("names: [code, n]", "names: [code]", "6: channels.sms.templates.breach 里 names 要和 values 一样多。"),
        ("  wecom:", "  w e:", "1: channels 的名称只用文字、数字、- 和 _（最长 40 个），w e 不行。"),
    ],
)
def test_a_mistake_in_a_channel_is_named_without_its_secret(folder: Path, old: str, new: str, line: str) -> None:
    (folder / "channels.yaml").write_text(CHANNELS.replace(old, new, 1), "utf-8")
    found = refusal(folder)
    assert found[0] == f"channels.yaml:{line}"
    assert "topsecret" not in "\n".join(found)


def test_every_channel_in_comments_can_be_switched_on(folder: Path) -> None:
    lines = default_text("channels.yaml").splitlines()
    blocks: list[list[str]] = []
    for line in lines[lines.index('  sms: {url: "sandbox://"}') + 1 :]:
        text = line.removeprefix("  # ")
        if text.startswith(("wecom:", "group:", "sms:")):
            blocks.append([f"  {text}"])
        elif line.startswith("  #   ") and blocks and blocks[-1][0] == "  sms:":
            blocks[-1].append(f"  {text}")
    assert len(blocks) == 5
    for block in blocks:
        (folder / "channels.yaml").write_text("\n".join(["channels:", *block]) + "\n", "utf-8")
        assert len(load_config(folder).channels) == 1, block
