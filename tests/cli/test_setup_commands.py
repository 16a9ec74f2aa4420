"""``sla init, settings, db, policy, directory, calendar``: setting up and looking at the rules."""

from __future__ import annotations

import json

import pytest
from command_line import CONFIG

from sla_service.cli.wide import width
from sla_service.services.config import default_text


def test_init_writes_the_files_says_what_next_and_overwrites_nothing(bare):
    said = bare.ok("init", "etc")
    assert sorted(p.name for p in (bare.folder / "etc").iterdir()) == ["channels.yaml", "directory.yaml", "policy.yaml"]
    assert said.lines[-3:-1] == ["  2. 检查：sla policy check etc", "  3. 启动：SLA_CONFIG_DIR=etc sla up"]
    (bare.folder / "etc" / "policy.yaml").write_text("# meins\n")
    (bare.folder / "etc" / "channels.yaml").unlink()
    again = bare.ok("init", "etc", "--json").json
    assert again["written"] == ["etc/channels.yaml"]
    assert again["kept"] == ["etc/policy.yaml", "etc/directory.yaml"]
    assert (bare.folder / "etc" / "policy.yaml").read_text() == "# meins\n"


def test_init_without_a_folder_takes_the_usual_one(bare):
    assert bare.ok("init").lines[-2] == "  3. 启动：sla up"
    assert (bare.folder / "config" / "policy.yaml").read_text("utf-8") == default_text("policy.yaml")


def test_init_into_a_file_is_refused(bare):
    bare.write("etc", "x")
    said = bare("init", "etc")
    assert (said.code, said.out, said.err) == (1, "", "sla：etc 是一个文件，请换一个文件夹。\n")


def test_settings_show_what_is_in_force_and_no_secret(bare):
    bare.env |= {
        "SLA_DATABASE_URL": "postgresql://sla:geheim@db/sla",
        "SLA_BROKER_URL": "redis://:geheim@mq/0",
        "SLA_DATA_KEY": "geheim" * 8,
    }
    (bare.folder / ".env").write_text("SLA_HTTP=0.0.0.0:8080\nSLA_TICK_SECOND=3\n")
    said = bare.ok("settings")
    assert "geheim" not in said.out
    rows = {line.split()[0]: line.split()[1:] for line in said.lines[2:]}
    assert rows["SLA_HTTP"] == ["0.0.0.0:8080", ".env"]
    assert rows["SLA_DATABASE_URL"] == ["postgresql+psycopg://sla:***@db/sla", "环境变量"]
    assert "注意：SLA_TICK_SECOND 不是这里的设置" in said.err
    listed = bare.ok("settings", "--json").json
    assert {"name": "SLA_TICK_SECONDS", "value": "5", "source": "默认值"} in listed["settings"]
    assert "geheim" not in json.dumps(listed)
    assert len(listed["warnings"]) == 1


def test_a_new_database_is_made_and_an_old_one_left(bare):
    bare.env["SLA_DATABASE_URL"] = "sqlite:///neu/sla.db"
    first = bare.ok("db", "upgrade", "--json").json
    assert (first["database"], first["from"]) == ("sqlite:///neu/sla.db", None)
    again = bare.ok("db", "upgrade", "--json").json
    assert again["from"] == again["to"] == first["to"]
    assert bare.ok("db", "upgrade").out == f"数据库 sqlite:///neu/sla.db 已经是最新版本 {first['to']}。\n"


# -- policy --------------------------------------------------------------------------------------------------


def test_the_shipped_policy_is_right_and_shown_as_a_ladder(shell):
    assert "没有错误，版本 " in shell.ok("policy", "check", CONFIG / "policy.yaml").out
    assert shell.ok("policy", "check", CONFIG, "--json").json["valid"] is True
    said = shell.ok("policy", "show")
    rows = [line.split() for line in said.lines]
    assert ["办结", "3", "个工作日（1）", "10", "个工作日（3）", "15", "个工作日（5）"] in rows
    assert ["到期当天", "14:00", "科长", "wecom"] in rows
    assert ["超期后", "2", "个工作日", "站长", "wecom，不成再用", "sms"] in rows
    found = shell.ok("policy", "show", "--json").json
    assert (found["hall"], found["targets"][0]["limits"]) == ("main", {"simple": 3, "complex": 10, "special": 15})


def test_what_is_wrong_is_named_with_line_and_reason_and_exit_code_1(bare):
    text = default_text("policy.yaml").replace("simple: 3wd", "simple: 3d").replace('close: "17:30"', "close: 17:30")
    path = bare.write("p.yaml", text.replace("reopen: restart", "reopen: nie"))
    said = bare("policy", "check", path)
    assert (said.code, said.err) == (1, "")
    assert said.lines[-1] == f"{path}：3 处错误。"
    assert said.lines[0] == f'{path}:7: hours.close 的 17:30 没有加引号，会被读成一个数；请写成 "17:30"。'
    assert all(line.startswith(f"{path}:") for line in said.lines[:-1])
    found = bare("policy", "check", path, "--json")
    assert (found.code, found.json["valid"], len(found.json["problems"])) == (1, False, 3)
    assert {"file", "line", "text"} == set(found.json["problems"][0])


def test_a_folder_is_checked_as_a_whole(bare):
    bare.ok("init", "etc")
    path = bare.folder / "etc" / "policy.yaml"
    path.write_text(path.read_text("utf-8").replace("[wecom, sms], all: true", "[wecom, post], all: true"), "utf-8")
    said = bare.ok("policy", "check", "etc")
    assert "注意：policy.yaml：resolve 的 breach 用了 channels.yaml 里没有的渠道 post。" in said.lines
    (bare.folder / "etc" / "directory.yaml").write_text("people: []\nrollen: {}\n", "utf-8")
    wrong = bare("policy", "check", "etc", "--json")
    assert wrong.code == 1
    assert wrong.json["problems"][0]["file"] == "etc/directory.yaml"
    assert wrong.json["problems"][0]["line"] == 2


def test_a_file_that_is_not_there_or_not_utf8_is_said(bare):
    said = bare("policy", "check", "p.yaml")
    assert (said.code, said.err) == (1, "sla：p.yaml：没有这个文件。\n")
    wrong = bare("policy", "check", bare.write("p.yaml", "# 规则\n".encode("gbk")))
    assert wrong.code == 1
    assert "p.yaml:1: 不是 UTF-8 编码，请用编辑器另存为 UTF-8。" in wrong.out


def test_a_hall_that_is_not_there_is_named(shell):
    said = shell("policy", "show", "--hall", "north")
    assert (said.code, said.out, said.err) == (1, "", "sla：没有厅 north，通讯录里有 main。\n")


# -- directory and calendar ----------------------------------------------------------------------------------


def test_the_directory_shows_who_is_who_with_telephones_masked(shell):
    said = shell.ok("directory", "show")
    rows = [line.split() for line in said.lines]
    assert ["zhangsan", "张三", "社会事务科", "10023", "138****0001", "zhangsan"] in rows
    assert ["社会事务科", "李四（lisi）", "王五（wangwu）"] in rows
    assert ["站长", "李四（lisi）"] in rows
    found = shell.ok("directory", "show", "--json").json
    assert found["people"][0]["phone"] == "138****0001"
    assert {"hall": "main", "role": "station_chief", "people": ["lisi"]} in found["roles"]


def test_a_year_is_drawn_within_eighty_columns(shell):
    said = shell.ok("calendar", "show", 2026)
    assert "2026 年 已公布，共 248 个工作日" in said.lines[0]
    assert "20班" in said.out
    assert all(width(line) <= 80 for line in said.lines)
    found = shell.ok("calendar", "show", 2026, "--json").json
    assert (found["year"], found["status"], found["working_days"]) == (2026, "published", 248)
    assert {"date": "2026-10-10", "kind": "makeup", "name": "国庆节"}.items() <= next(
        d for d in found["days"] if d["date"] == "2026-10-10"
    ).items()


def test_a_day_says_whether_it_is_worked_and_who_says_so(shell):
    assert shell.ok("calendar", "day", "2026-10-10").lines[0] == "2026-10-10 周六：调休上班（国庆节），要上班。"
    found = shell.ok("calendar", "day", "2026-10-01", "--json").json
    assert (found["working"], found["next_working_day"], found["projected"]) == (False, "2026-10-08", False)


def test_the_status_says_how_far_the_notices_reach(shell):
    found = shell.ok("calendar", "status", "--json").json
    assert found["settled_until"] >= 2026
    assert [y["year"] for y in found["years"]] == [2025, 2026, 2027, 2028]
    assert len(shell.ok("calendar", "status", "--all", "--json").json["years"]) > 20
    assert any(line.split()[:2] == ["2026", "已公布"] for line in shell.ok("calendar", "status").lines)


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["calendar", "show", "1950"], 1, "sla：日历只有 2000 年到 2050 年，没有 1950 年。"),
        (
            ["calendar", "day", "2026-02-30"],
            2,
            (
                "sla calendar day：参数 DATE 要写日期，例如 2026-11-20，现在是 2026-02-30"
                "（例子见 sla calendar day --help）。"
            ),
        ),
    ],
)
def test_days_that_are_none_are_refused(shell, args, code, sentence):
    said = shell(*args)
    assert (said.code, said.out, said.err.strip()) == (code, "", sentence)


def test_the_timeline_draws_when_whom_for_each_kind_on_eighty_columns(bare):
    said = bare.ok("policy", "show", "--timeline")
    assert max(map(width, said.lines)) <= 80
    heads = [line for line in said.lines if line.startswith("办结 · ")]
    assert heads[0] == "办结 · 简单事项：3 个工作日，还剩 1 个工作日起亮黄灯"
    assert len(heads) == 3
    first = [line.split() for line in said.lines[said.lines.index(heads[0]) + 3 : said.lines.index(heads[1]) - 1]]
    assert [cells for cells in first if cells != ["│"]] == [
        ["受理", "┬", "当天不算"],
        ["第", "2", "天", "◇", "亮黄灯"],
        ["○", "08:30", "承办人", "wecom"],
        ["第", "3", "天", "○", "08:30", "承办人", "wecom"],
        ["○", "14:00", "科长", "wecom"],
        ["◆", "17:30", "到期"],
        ["●", "次日", "08:30", "承办人、科长", "wecom、sms"],
        ["超期", "2", "天", "●", "08:30", "站长", "wecom，不成用", "sms"],
        ["超期", "3", "天", "●", "08:30", "局长", "wecom，不成用", "sms"],
        ["超期", "5", "天", "●", "08:30", "站长、局长", "wecom；每", "5", "天一次到办结"],
        ["挂起该结束时", "○", "承办人", "wecom"],
        ["挂起该结束后", "1", "天", "○", "科长", "wecom"],
    ]


def test_the_timeline_as_json_has_every_step_with_its_day(bare):
    found = bare.ok("policy", "show", "--timeline", "--json").json
    special = next(t for t in found["timeline"] if t["kind"] == "special")
    assert [(s["step"], s["day"], s["after_due"], s["time"]) for s in special["steps"]] == [
        ("due-5wd", 10, -5, "08:30"),
        ("due-3wd", 12, -3, "08:30"),
        ("due-1wd", 14, -1, "08:30"),
        ("due-0wd", 15, 0, "08:30"),
        ("due-0wd 14:00", 15, 0, "14:00"),
        ("breach", 15, 0, "17:30"),
        ("breach+2wd", 17, 2, "08:30"),
        ("breach+3wd", 18, 3, "08:30"),
        ("breach+5wd", 20, 5, "08:30"),
    ]
    assert special["steps"][5]["goes_out"] == {"day": 16, "time": "08:30"}
    assert [s["step"] for s in special["on_pause"]] == ["pause_end", "pause_end+1wd"]


def test_kinds_that_are_told_alike_are_drawn_once_and_steps_that_never_come_are_named(bare):
    folder = bare.folder / "config"
    bare.ok("init")
    text = default_text("policy.yaml").replace("due-5wd, kinds: [special]", "due-5wd")
    step = "{at: 50%, to: [handler], via: [wecom]}"
    sign = f"\n  sign: {{starts: case.assigned, stops: case.signed, limits: 1wd, ladder: [{step}]}}\n"
    (folder / "policy.yaml").write_text(text.replace("\n  # 签收", sign + "\n  # 签收", 1), "utf-8")
    said = bare.ok("policy", "show", "--timeline")
    assert "签收 · 简单事项、复杂问题、特殊问题：1 个工作日" in said.lines
    assert "不会发：due-5wd（早于受理）" in said.lines
