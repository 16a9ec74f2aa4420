"""``sla due``: the date, and the account that explains it."""

from __future__ import annotations

import shutil

import pytest
from command_line import CONFIG

from sla_service.services.config import default_text

SEE = "（例子见 sla due --help）。"


def test_the_account_shows_what_counted_and_what_did_not(bare):
    said = bare.ok("due", "2026-09-18T16:20:00+08:00", "--days", 10)
    assert said.lines[:2] == ["受理 2026-09-18 周五 16:20，10 个工作日", "到期 2026-10-09 周五 17:30"]
    rows = [line.split() for line in said.lines[5:]]
    assert rows[0] == ["2026-09-18", "周五", "起算", "受理当天不计"]
    assert rows[2] == ["2026-09-20", "周日", "计入", "1", "调休上班（国庆节）"]
    assert ["2026-09-26", "周六", "休息", "中秋节"] in rows
    assert rows[-1] == ["2026-10-09", "周五", "到期", "10"]


def test_json_holds_the_same(bare):
    found = bare.ok("due", "2026-11-20", "--kind", "simple", "--json").json
    assert (found["start"], found["kind"], found["days"]) == ("2026-11-20", "simple", 3)
    assert (found["due_on"], found["due_at"]) == ("2026-11-25", "2026-11-25T17:30:00+08:00")
    assert (found["provisional"], found["due_earliest"], found["due_latest"]) == (False, None, None)
    assert [d["state"] for d in found["account"]] == ["start", "off", "off", "counted", "counted", "due"]


def test_a_pause_is_in_the_account(bare):
    args = ("due", "2026-11-02T09:00:00+08:00", "--days", 3)
    said = bare.ok(*args, "--pause", "2026-11-03T10:00:00+08:00/2026-11-04T10:00:00+08:00")
    assert "到期 2026-11-06 周五 17:30" in said.out
    assert any(line.split()[:3] == ["2026-11-03", "周二", "挂起"] for line in said.lines)


def test_an_open_pause_leaves_no_due_date(bare):
    args = ("due", "2026-11-02", "--days", 3, "--pause", "2026-11-03/")
    assert "到期 没有：还在挂起" in bare.ok(*args).out
    found = bare.ok(*args, "--json").json
    assert (found["due_on"], found["due_at"], found["provisional"]) == (None, None, False)


def test_a_date_that_waits_for_a_notice_is_provisional_with_its_bounds(bare):
    found = bare.ok("due", "2049-12-20", "--days", 15, "--json").json
    assert found["provisional"] is True
    assert found["due_earliest"] <= found["due_on"] <= found["due_latest"]
    assert "\n暂定：放假安排还没有公布，最早" in bare.ok("due", "2049-12-20", "--days", 15).out


def test_the_config_folder_decides_if_there_is_one(bare):
    folder = bare.folder / "config"
    folder.mkdir()
    text = default_text("policy.yaml").replace("simple: 3wd", "simple: 5wd").replace("17:30", "24:00")
    (folder / "policy.yaml").write_text(text, "utf-8")
    assert "到期 2026-11-27 周五 24:00" in bare.ok("due", "2026-11-20", "--kind", "simple").out
    bare.env["SLA_CONFIG_DIR"] = str(CONFIG)
    assert "到期 2026-11-25 周三 17:30" in bare.ok("due", "2026-11-20", "--kind", "simple").out


def test_no_database_is_made(bare):
    bare.ok("due", "2026-11-20", "--days", 3)
    assert list(bare.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            ["2026-11-20T10:00:00", "--days", "3"],
            "sla due：参数 START 缺时区，北京时间请写 2026-11-20T10:00:00+08:00，现在是 2026-11-20T10:00:00" + SEE,
        ),
        (
            ["2026-11-31", "--days", "3"],
            "sla due：参数 START 要写日期（2026-11-20）或带时区的时间（2026-11-20T10:12:00+08:00），现在是 2026-11-31"
            + SEE,
        ),
        (["2026-11-20"], "sla due：--kind 和 --days 要写一个，也只能写一个（例子见 sla due --help）。"),
        (
            ["2026-11-20", "--days", "3", "--kind", "simple"],
            "sla due：--kind 和 --days 要写一个，也只能写一个（例子见 sla due --help）。",
        ),
        (
            ["2026-11-20", "--days", "3", "--pause", "x"],
            "sla：pause 要写成 开始/结束，例如 2026-11-03T10:00:00+08:00/2026-11-04T10:00:00+08:00，收到的是“x”",
        ),
        (
            ["2026-11-20", "--kind", "x"],
            "sla due：选项 --kind 要写 simple、complex 或 special（例子见 sla due --help）。",
        ),
    ],
)
def test_what_cannot_be_read_says_what_to_write(bare, args, sentence):
    said = bare("due", *args)
    assert (said.code, said.out, said.err.strip()) == (2, "", sentence)


def test_a_day_that_no_calendar_holds_is_named(bare):
    said = bare("due", "2190-01-01", "--days", 3)
    assert said.code == 1
    assert said.err.startswith("sla：2190-01-01 不在工作日历的范围内")


def test_a_wrong_key_in_the_policy_is_named_with_its_line(bare):
    folder = bare.folder / "config"
    folder.mkdir()
    (folder / "policy.yaml").write_text(default_text("policy.yaml").replace("hours:", "hour:"), "utf-8")
    said = bare("due", "2026-11-20", "--kind", "simple")
    assert said.code == 1
    assert 'config/policy.yaml:7: 不认识 "hour"，是不是 hours？' in said.err


def test_a_department_with_a_calendar_of_its_own_counts_by_it(shell, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(CONFIG, folder)
    text = (folder / "directory.yaml").read_text("utf-8")
    head = "departments:\n"
    more = "  - {id: 民族科, head: lisi, calendar: guangxi}\n"
    (folder / "directory.yaml").write_text(text.replace(head, head + more), "utf-8")
    shell.env["SLA_CONFIG_DIR"] = str(folder)
    shell.ok("calendar", "day", "2026-04-20", "off", "--name", "三月三", "--calendar", "guangxi", "--apply")
    args = ("due", "2026-04-13", "--kind", "complex")
    assert "到期 2026-04-27 周一" in shell.ok(*args).out
    assert "到期 2026-04-28 周二" in shell.ok(*args, "--department", "民族科").out
    assert "到期 2026-04-27 周一" in shell.ok(*args, "--department", "社会事务科").out
    refused = shell("due", "2026-04-13", "--days", 3, "--department", "林业科")
    assert (refused.code, "没有科室 林业科，通讯录里有 民族科、社会事务科" in refused.err) == (1, True)
