"""``sla source`` and ``sla channel``: who may send events in, and how words go out."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from builders import at
from command_line import CONFIG, accepted, event

from sla_service.store import sources
from sla_service.store.engine import Database


def owner(shell, key, time="2026-12-01 10:00"):
    """Whose key it is, as the doors ask."""
    database = Database(shell.env["SLA_DATABASE_URL"])
    try:
        with database.read() as conn:
            return sources.owner(conn, key, now=at(time))
    finally:
        database.dispose()


def test_a_key_is_shown_once_and_works(both):
    added = both.ok("source", "add", "hall", "--json").json
    assert (added["name"], added["hall"], added["test"]) == ("hall", "main", False)
    assert added["go_live"].startswith("2026-12-01T10:00:")
    assert owner(both, added["key"]) == "hall"
    secret = added["key"].rpartition("_")[2]
    assert secret not in both.ok("source", "list").out + both.ok("source", "list", "--json").out


def test_people_get_the_key_on_standard_output_and_the_warning_beside_it(shell):
    said = shell.ok("source", "add", "政务大厅", "--go-live", "2026-12-05")
    assert said.lines[0] == "已登记来源 政务大厅（厅 main），上线时间 2026-12-05 00:00。"
    assert said.lines[1].startswith("密钥：sla_")
    assert "密钥只显示这一次" in said.err


def test_a_new_key_holds_at_once_and_the_old_one_for_a_while(both):
    old = both.ok("source", "add", "hall", "--json").json["key"]
    new = both.ok("source", "rotate", "hall", "--json").json
    assert owner(both, old, "2026-12-02 09:00") == owner(both, new["key"], "2026-12-02 09:00") == "hall"
    assert owner(both, old, "2026-12-02 10:30") is None
    assert owner(both, new["key"], "2026-12-02 10:30") == "hall"
    assert new["old_keys_until"].startswith("2026-12-02T10:00:")
    third = both.ok("source", "rotate", "hall", "--overlap", "0", "--json").json["key"]
    both.clock("2026-12-01 10:05")
    assert owner(both, new["key"], "2026-12-01 10:05") is None
    assert owner(both, third, "2026-12-01 10:05") == "hall"
    assert both.ok("source", "list").out.count("sla_") == 1


def test_a_test_source_can_be_emptied_and_no_other(both):
    both.ok("source", "add", "probe", "--test")
    both.ok("source", "add", "hall")
    rows = [accepted(source="probe"), accepted(source="hall"), {"source": "probe"}]
    both.ok("ingest", both.write("e.jsonl", rows))
    assert both.ok("source", "wipe", "probe").out == "已清空 probe：1 件办件，1 个事件，1 条消息。\n"
    assert [c["source"] for c in both.ok("cases", "--json").json] == ["hall"]
    assert [s["name"] for s in both.ok("source", "list", "--json").json] == ["hall", "probe"]
    refused = both("source", "wipe", "hall")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "sla：hall 不是测试来源，不能清空；测试来源用 sla source add 名称 --test 登记。\n"


def test_a_wiped_source_loses_its_messages_too(both):
    both.ok("source", "add", "probe", "--test", "--go-live", "2026-11-01")
    both.ok(
        "ingest", both.write("e.jsonl", [accepted(source="probe"), event("urged", "2026-11-30 09:00", source="probe")])
    )
    gone = both.ok("source", "wipe", "probe", "--json").json["deleted"]
    assert (gone["messages"], gone["cases"], gone["clocks"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["add", "hall"], 1, "sla：来源 hall 已经登记过；要换密钥请用 sla source rotate hall。"),
        (["add", "neu", "--hall", "north"], 1, "sla：没有厅 north，通讯录里有 main。"),
        (["add", " neu"], 2, "sla：来源名要是 1 到 200 个字符，前后没有空格，没有控制字符。"),
        (["rotate", "hal"], 1, "sla：没有登记来源 hal，是不是 hall？"),
        (["wipe", "xyz"], 1, "sla：没有登记来源 xyz，已登记的见 sla source list。"),
        (
            ["rotate", "hall", "--overlap", "bald"],
            2,
            (
                "sla source rotate：选项 --overlap 要写时长，例如 24h、30m、7d 或 0，现在是 bald"
                "（例子见 sla source rotate --help）。"
            ),
        ),
        (
            ["add", "neu", "--go-live", "2026-12-01T10:00:00"],
            2,
            (
                "sla source add：选项 --go-live 缺时区，北京时间请写 2026-12-01T10:00:00+08:00，"
                "现在是 2026-12-01T10:00:00（例子见 sla source add --help）。"
            ),
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(shell, args, code, sentence):
    shell.ok("source", "add", "hall")
    said = shell("source", *args)
    assert (said.code, said.out, said.err.strip()) == (code, "", sentence)


def test_without_sources_the_list_says_how_to_begin(shell):
    said = shell.ok("source", "list")
    assert (said.out, said.err) == ("", "还没有登记业务系统，用 sla source add 名称 登记。\n")


# -- channels ------------------------------------------------------------------------------------------------


@pytest.fixture
def channels(shell):
    """A config folder of this test's own, with the channels that are handed in."""

    def write(text):
        folder = shell.folder / "conf"
        shutil.copytree(CONFIG, folder, dirs_exist_ok=True)
        (folder / "channels.yaml").write_text(f"channels:\n{text}", "utf-8")
        shell.env["SLA_CONFIG_DIR"] = str(folder)
        return shell

    return write


def test_a_test_message_shows_the_providers_own_answer(shell):
    said = shell.ok("channel", "test", "wecom", "--to", "张三")
    assert said.err == "正在通过 wecom（sandbox://）发给 张三（zhangsan）……\n"
    assert said.lines[0] == "结果          已受理（服务商收下了，不代表已读）"
    found = shell.ok("channel", "test", "sms", "--to", "10023", "--json")
    assert (found.json["outcome"], found.json["to"], found.err) == ("accepted", "zhangsan", "")


def test_a_refused_test_message_is_exit_code_1_with_the_providers_code(channels):
    shell = channels(
        '  wecom: {url: "wecomapp://CORP:geheim@1000002/?base=http://127.0.0.1:9/"}\n  sms: {url: "sandbox://"}\n'
    )
    said = shell("channel", "test", "wecom", "--to", "zhangsan", "--json")
    assert said.code == 1
    assert said.json["outcome"] == "unavailable"
    assert "geheim" not in said.out + said.err


def test_a_list_of_channels_says_which_can_be_used_and_hides_secrets(channels):
    shell = channels('  wecom: {url: "wecomapp://CORP:${SLA_WECOM_SECRET}@1000002/"}\n  sms: {url: "sandbox://"}\n')
    first, second = shell.ok("channel", "list", "--json").json
    assert first == {"name": "sms", "url": "sandbox://", "usable": True, "problem": None}
    assert (second["url"], second["usable"]) == ("wecomapp://CORP:****@1000002/", False)
    assert "SLA_WECOM_SECRET" in second["problem"]
    assert [line.split()[0] for line in shell.ok("channel", "list").lines[2:]] == ["sms", "wecom"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("wecomapp//x", "channels.wecom.url 要写成 种类://…，例如 sandbox://。"),
        ("wecomap://a:b@1/", "渠道 wecom 的地址不能用："),
        ("wecomapp://C@1/", "写法例如 wecomapp://"),
    ],
)
def test_a_channel_that_does_not_parse_is_one_sentence_with_an_example(channels, url, words):
    shell = channels(f'  wecom: {{url: "{url}"}}\n  sms: {{url: "sandbox://"}}\n')
    said = shell("channel", "test", "wecom", "--to", "zhangsan")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert words in said.err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["wecom", "--to", "赵六"], "sla：通讯录里没有“赵六”，人员见 sla directory show。"),
        (["post", "--to", "张三"], "sla：channels.yaml 里没有渠道 post，有 sms、wecom。"),
    ],
)
def test_whom_or_how_that_is_not_there_is_named(shell, args, sentence):
    said = shell("channel", "test", *args)
    assert (said.code, said.out, said.err.strip()) == (1, "", sentence)


def test_of_two_people_with_one_name_the_ids_are_asked_for(shell):
    folder = shell.folder / "conf"
    shutil.copytree(CONFIG, folder)
    path = folder / "directory.yaml"
    path.write_text(path.read_text("utf-8").replace("name: 李四", "name: 张三"), "utf-8")
    shell.env["SLA_CONFIG_DIR"] = str(folder)
    said = shell("channel", "test", "wecom", "--to", "张三")
    assert (said.code, said.err) == (1, "sla：通讯录里有 2 个“张三”，请写编号：zhangsan、lisi。\n")


def test_overlaps_are_read_in_minutes_hours_and_days():
    from sla_service.cli.source import Span

    spans = {"0": 0, "30m": 30, "24h": 1440, "7d": 10080}
    assert {text: Span().convert(text, None, None) for text in spans} == {
        t: timedelta(minutes=m) for t, m in spans.items()
    }


def test_a_source_of_nightly_files_announces_its_breaches_later(shell):
    assert "到期后再过 18 小时才通报超期" in shell("source", "add", "台账", "--batch-delay", "18h").out
    (row,) = [r for r in shell("source", "list", "--json").json if r["name"] == "台账"]
    assert row["batch_delay_seconds"] == 18 * 3600
    assert "台账（晚 18 小时通报）" in shell("source", "list").out
    assert shell("source", "delay", "台账", "0").out.startswith("台账：超期后立即通报。")
    assert shell("source", "delay", "台帐", "2h").err == "sla：没有登记来源 台帐，已登记的见 sla source list。\n"
