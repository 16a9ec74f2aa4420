"""``sla directory import, substitute, handover``: who is told, changed from a list or by a command."""

from __future__ import annotations

import shutil

import pytest
from command_line import CONFIG, accepted

from sla_service.services.config import load_config

HEAD = "序号,姓名,工号,编号,手机号,企业微信账号,部门\n"
BEFORE = (CONFIG / "directory.yaml").read_text("utf-8")


@pytest.fixture
def own(both, tmp_path):
    """A database, and a configuration that may be written."""
    shutil.copytree(CONFIG, tmp_path / "own")
    both.env["SLA_CONFIG_DIR"] = str(tmp_path / "own")
    return both


def text(shell):
    return (shell.folder / "own" / "directory.yaml").read_text("utf-8")


def directory(shell):
    return load_config(shell.folder / "own").directory


# -- import -----------------------------------------------------------------------------------------------------


def test_a_list_is_previewed_and_then_written_with_every_comment_in_its_place(own):
    own.write("人员.csv", (HEAD + "1,赵六,10031,zhaoliu,13800000009,zhaoliu,经济科\n2,张三,,zhangsan,13800000011,,\n"))
    said = own.ok("directory", "import", "人员.csv")
    assert "人员  zhangsan  张三  修改  手机：138****0001 → 138****0011" in said.lines
    assert said.lines[-3:] == [
        "新增 1 人，修改 1 人，0 行没有变化。",
        "",
        "以上是预览，什么都没有改。核对无误后加 --apply 生效。",
    ]
    assert "13800000009" not in said.out
    assert text(own) == BEFORE

    own.ok("directory", "import", "人员.csv", "--apply")
    now = directory(own)
    assert [p.id for p in now.people] == ["zhangsan", "lisi", "wangwu", "zhaoliu"]
    found = now.find("10031")
    assert (found.name, found.phone, found.department) == ("赵六", "13800000009", "经济科")
    assert now.department("经济科") is not None
    kept = now.person("zhangsan")
    assert (kept.phone, kept.aliases, kept.wecom) == (
        "13800000011",
        ("10023",),
        "zhangsan",
    )  # empty cells change nothing
    assert [line for line in BEFORE.splitlines() if line not in text(own).splitlines()] == [
        line for line in BEFORE.splitlines() if "id: zhangsan" in line
    ]
    assert (own.folder / "own" / "directory.yaml.old").read_text("utf-8") == BEFORE
    again = own.ok("directory", "import", "人员.csv", "--apply", "--json").json
    assert (again["applied"], again["changes"], again["same"]) == (False, [], 2)


def test_every_refused_row_is_named_by_number_and_reason_and_the_others_are_taken(own):
    rows = [
        "1,,1,a1,,,",
        "2,钱七,,qianqi,abc,,",
        "3,孙八,10023,sunba,,,",
        "4,周九,,zhoujiu,,,社会事务科",
        "5,周九,,zhoujiu,,,",
    ]
    own.write("人员.csv", (HEAD + "\n".join(rows)).encode("gb18030"))
    said = own.ok("directory", "import", "人员.csv", "--json")
    assert [c["id"] for c in said.json["changes"]] == ["zhoujiu"]
    assert said.json["refused"] == [
        {"row": 2, "reason": "缺少姓名"},
        {"row": 3, "reason": "手机号要写数字，例如 13800000001"},
        {"row": 4, "reason": "编号或别名 10023 已经是张三（zhangsan）的，分不清是谁"},
        {"row": 6, "reason": "编号 zhoujiu 在文件里写了两次"},
    ]
    assert said.err.splitlines()[0] == "第 2 行没有采用：缺少姓名。"


def test_yaml_brings_departments_and_absences_too(own):
    own.write(
        "more.yaml",
        "people:\n  - {id: zhaoliu, name: 赵六, department: 民族科}\n"
        "departments:\n  - {id: 民族科, head: zhaoliu, calendar: guangxi}\n  - {id: 林业科, head: nobody}\n"
        "absences:\n  - {who: zhangsan, by: zhaoliu, from: 2026-12-07, to: 2026-12-08}\n"
        "roles: {duty: [zhaoliu]}\n",
    )
    said = own.ok("directory", "import", "more.yaml", "--apply", "--json").json
    assert said["refused"] == [
        {"row": 5, "reason": "科室 林业科 的 head nobody 不在通讯录里"},
        {"row": 8, "reason": f"roles 请直接写进 {own.folder / 'own' / 'directory.yaml'}"},
    ]
    now = directory(own)
    assert (now.department("民族科").head, now.department("民族科").calendar) == ("zhaoliu", "guangxi")
    assert (now.absences[0].who, now.absences[0].by) == ("zhangsan", "zhaoliu")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", "a,b\n1,2\n", "里没有人员"),
        ("x.csv", "", "是空的"),
        ("x.json", "{}", "不是人员名单"),
        ("x.yaml", "people: 3\n", "x.yaml:1"),
    ],
)
def test_a_file_that_is_no_list_is_refused(own, name, content, reason):
    own.write(name, content or b"")
    said = own("directory", "import", name, "--apply")
    assert said.code == 1
    assert reason in said.err
    assert text(own) == BEFORE


# -- substitutes ------------------------------------------------------------------------------------------------


def test_a_substitute_is_written_and_stands_in(own):
    said = own.ok("directory", "substitute", "李四", "--by", "10023", "--from", "2026-12-01", "--to", "2026-12-03")
    assert said.lines[0] == "李四（lisi）2026-12-01 周二 到 2026-12-03 周四 由张三（zhangsan）代班。"
    assert "- {who: lisi, by: zhangsan, from: 2026-12-01, to: 2026-12-03}" in text(own)
    assert "李四（lisi）  张三（zhangsan）  2026-12-01  2026-12-03" in own.ok("directory", "show").out


def test_who_stands_in_two_deep_and_in_a_circle_is_said(own):
    def substitute(who, by, day):
        return own.ok("directory", "substitute", who, "--by", by, "--from", day, "--to", "2026-12-04", "--json").json

    assert substitute("lisi", "zhangsan", "2026-12-01")["remarks"] == []
    deep = substitute("wangwu", "lisi", "2026-12-01")["remarks"]
    assert deep == ["2026-12-01 到 2026-12-04 李四也请假，由张三代。"]
    (circle,) = substitute("zhangsan", "wangwu", "2026-12-03")["remarks"]
    assert circle == "2026-12-03 到 2026-12-04 王五也请假，代班的人转了一圈又回到张三，这几天的消息仍发给张三。"
    checked = own("policy", "check", str(own.folder / "own"))
    assert "互相代班" in checked.out


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("lisi", "--by", "lisi", "--from", "2026-12-01", "--to", "2026-12-03"), "李四不能自己代自己"),
        (("lisi", "--by", "wangwu", "--from", "2026-12-03", "--to", "2026-12-01"), "晚于"),
        (("lisi", "--by", "nobody", "--from", "2026-12-01", "--to", "2026-12-03"), "通讯录里没有“nobody”"),
    ],
)
def test_a_substitute_that_cannot_be_is_refused(own, args, reason):
    said = own("directory", "substitute", *args)
    assert said.code != 0
    assert reason in said.err
    assert text(own) == BEFORE


def test_days_that_somebody_stands_in_for_already_are_refused(own):
    args = ("directory", "substitute", "lisi", "--by", "zhangsan", "--from", "2026-12-01")
    own.ok(*args, "--to", "2026-12-03")
    assert "日期不能重叠" in own(*args, "--to", "2026-12-01").err


# -- handing over -----------------------------------------------------------------------------------------------


@pytest.fixture
def busy(own):
    """Three cases of 张三, by id, by name and by staff number, one of 李四, one of somebody who has left."""
    own.ok("source", "add", "hall", "--go-live", "2026-11-01")
    people = ("zhangsan", "张三", "10023", "lisi", "老刘")
    events = [accepted("2026-11-30 09:00", no=f"C-{n}", handler=who) for n, who in enumerate(people)]
    own.write("events.json", events)
    own.ok("ingest", "events.json")
    return own


def handlers(shell):
    return {c["no"]: c["handler"] for c in shell.ok("cases", "--json").json}


def test_all_of_a_persons_cases_become_anothers_after_a_preview(busy):
    said = busy.ok("directory", "handover", "张三", "--to", "王五")
    assert "共 3 件，交给王五（wangwu）。" in said.lines
    assert handlers(busy)["C-0"] == "zhangsan"
    done = busy.ok("directory", "handover", "张三", "--to", "王五", "--apply", "--json").json
    assert (done["cases"], done["done"]) == (3, 3)
    assert handlers(busy) == {"C-0": "wangwu", "C-1": "wangwu", "C-2": "wangwu", "C-3": "lisi", "C-4": "老刘"}
    history = busy.ok("show", "hall", "C-0", "--json").json["events"]
    assert (history[-1]["type"], history[-1]["door"]) == ("case.assigned", "handover")
    assert busy("directory", "handover", "张三", "--to", "王五").err == "sla：“张三”没有在办件。\n"


def test_who_has_left_with_open_cases_is_found_and_can_hand_over(busy):
    assert busy.ok("directory", "show", "--json").json["gone"] == [
        {"hall": "main", "department": "社会事务科", "handler": "老刘", "n": 1}
    ]
    assert "老刘" in busy.ok("directory", "show").out
    found = {c["check"]: c for c in busy("doctor", "--json").json["checks"]}["people"]
    assert (found["level"], "老刘 1 件" in found["text"]) == ("warning", True)
    busy.ok("directory", "handover", "老刘", "--to", "lisi", "--apply")
    assert busy.ok("directory", "show", "--json").json["gone"] == []
    found = {c["check"]: c for c in busy("doctor", "--json").json["checks"]}["people"]
    assert found["level"] == "ok"


def test_nothing_is_handed_over_to_oneself_or_to_nobody(busy):
    assert "不用移交" in busy("directory", "handover", "zhangsan", "--to", "张三").err
    assert "通讯录里没有“老王”" in busy("directory", "handover", "zhangsan", "--to", "老王").err
