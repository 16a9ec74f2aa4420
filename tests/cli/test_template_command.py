"""``sla template``: what a message will look like, before anybody is told anything."""

from __future__ import annotations

import shutil

import pytest
from command_line import CONFIG

from sla_service.services import previews
from sla_service.services.config import load_config


@pytest.fixture
def own(shell, tmp_path):
    """A config folder of the hall's own."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    (folder / "templates").mkdir(exist_ok=True)
    shell.env["SLA_CONFIG_DIR"] = str(folder)
    return shell, folder


def test_a_preview_shows_the_words_and_their_length_on_each_channel(shell):
    said = shell.ok("template", "preview", "--step", "breach")
    assert said.lines[:3] == ["【超期】BBC-2026-0001", "诊所名称核准", "已超期 2 个工作日，应于11月25日（周三）办结。"]
    assert said.lines[-2:] == [
        "wecom（sandbox）：模板 one.j2，228 字节；按短信发是 2 条。",
        "sms（sandbox）：模板 one.j2，228 字节；按短信发是 2 条。",
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_step_of_the_policy_and_every_digest_can_be_previewed(shell, lang):
    for step in [*previews.steps(load_config(CONFIG)), *previews.WORDS]:
        for many in ([], ["--many"]):
            rows = shell.ok("template", "preview", "--step", step, "--lang", lang, *many, "--json").json
            assert [r["channel"] for r in rows] == ["wecom", "sms"]
            assert all(r["title"] and r["body"] and "None" not in r["title"] + r["body"] for r in rows)
    for kind in previews.DIGESTS:
        rows = shell.ok("template", "preview", "--digest", kind, "--lang", lang, "--json").json
        assert {r["template"] for r in rows} == {"digest_staff.j2" if kind == "staff" else "digest_leader.j2"}


def test_a_template_of_ones_own_is_shown_where_it_will_be_taken(own):
    shell, folder = own
    (folder / "templates" / "sms.breach.one.j2").write_text("【短】{{ item.no }}\n{{ item.status }}\n", "utf-8")
    sms, wecom = shell.ok("template", "preview", "--step", "breach", "--json").json[::-1]
    assert (sms["template"], sms["title"], sms["sms_parts"]) == ("sms.breach.one.j2", "【短】BBC-2026-0001", 1)
    assert wecom["template"] == "one.j2"


def test_digests_have_templates_of_ones_own_too(own):
    shell, folder = own
    text = "【晨报】{{ total.red }} 件超期\n{% for d in departments %}\n{{ d.name }} {{ d.red }}\n{% endfor %}\n"
    (folder / "templates" / "digest_leader.j2").write_text(text, "utf-8")
    (one,) = shell.ok("template", "preview", "--digest", "leader", "--channel", "wecom", "--json").json
    assert (one["template"], one["title"], one["body"]) == ("digest_leader.j2", "【晨报】1 件超期", "社会事务科 1")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("one.j2", "标题\n{{ item.phone }}\n", "one.j2:2: 没有变量 phone"),
        ("digest_leader.j2", "标题\n{{ totals.red }}\n", "digest_leader.j2:2: 没有变量 totals"),
        ("digest_staff.j2", "{{ weekly }}\n", "digest_staff.j2:1: 没有变量 weekly"),
        ("digest.j2", "标题\n", "文件名"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_file_and_line(own, name, text, why):
    shell, folder = own
    (folder / "templates" / name).write_text(text, "utf-8")
    said = shell("template", "preview")
    assert said.code == 1
    assert why in said.err


def test_what_wecom_would_cut_short_is_said(own):
    shell, folder = own
    channels = (folder / "channels.yaml").read_text("utf-8")
    real = 'wecom: {url: "wecomapp://ww1:secret@1000002/"}'
    (folder / "channels.yaml").write_text(channels.replace('wecom: {url: "sandbox://"}', real, 1), "utf-8")
    (folder / "templates" / "one.j2").write_text("标题\n" + "字" * 700, "utf-8")
    said = shell.ok("template", "preview", "--channel", "wecom")
    assert "2107 字节，超过 2048 字节，会被截短" in said.out


def test_an_sms_is_shown_as_the_providers_template_and_its_values(own):
    shell, folder = own
    channels = (folder / "channels.yaml").read_text("utf-8")
    real = (
        'sms: {url: "alisms://K:s@政务大厅/", '
        "templates: {breach: {id: SMS_2, values: [case, days], names: [code, days]}}}"
    )
    (folder / "channels.yaml").write_text(channels.replace('sms: {url: "sandbox://"}', real, 1), "utf-8")
    said = shell.ok("template", "preview", "--channel", "sms", "--step", "breach", "--many")
    assert "短信用服务商模板 SMS_2，填 code=BBC-2026-0001等3件，days=2" in said.out


def test_a_step_or_channel_that_is_not_there_is_named(shell):
    said = shell("template", "preview", "--step", "bräch")
    assert (said.code, said.out) == (2, "")
    assert "没有步骤 bräch" in said.err
    assert "breach+2wd" in said.err
    assert "没有渠道 fax，有 wecom、sms" in shell("template", "preview", "--channel", "fax").err


def test_the_variables_are_listed_for_each_kind(shell):
    found = shell.ok("template", "variables", "--json").json
    assert {"no", "status", "todo"} <= set(found["item"])
    assert {"total", "departments", "matters"} <= set(found["digest_leader"])
