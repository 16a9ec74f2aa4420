"""directory.yaml: every name in it leads somewhere, halls keep apart."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sla_service.domain.directory import Absence
from sla_service.domain.policy import Hours
from sla_service.errors import ConfigError
from sla_service.services.config import default_text, load_config, write_defaults

PEOPLE = """\
people:
  - {id: zhangsan, name: 张三, aliases: ["10023"], department: 社会事务科}
  - {id: lisi, name: 李四}
departments:
  - {id: 社会事务科, head: lisi}
"""


def away(*entries: str) -> str:
    return PEOPLE + "absences:\n" + "".join(f"  - {{who: lisi, by: {entry}}}\n" for entry in entries)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_defaults(tmp_path / "config")
    return tmp_path / "config"


def refusal(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_config(folder)
    return str(refused.value).replace(f"{folder}/", "").split("\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (PEOPLE.replace('"10023"', "10023"), ['2: people 第 1 项的 aliases 第 1 项 要加引号，写成 "10023"。']),
        (
            PEOPLE.replace("name: 李四", "name: 李四, phone: 13800000002"),
            ['3: people 第 2 项的 phone 要加引号，写成 "13800000002"。'],
        ),
        (
            PEOPLE.replace("name: 李四", "nmae: 李四"),
            ['3: people 第 2 项 里不认识 "nmae"，是不是 name？', "3: people 第 2 项 里缺少 name。"],
        ),
        (PEOPLE.replace("name: 李四", "name: ''"), ['3: people 第 2 项的 name 不能是空的，现在是 ""。']),
        (PEOPLE.replace("department: 社会", "department: 社会服"), ["2: 没有科室 社会服事务科，是不是 社会事务科？"]),
        (PEOPLE.replace("head: lisi", "head: 李四"), ["5: 没有人员编号 李四，是不是 lisi？"]),
        (PEOPLE.replace("head: lisi", "head: nobody"), ["5: 没有人员编号 nobody，请先把它写进来。"]),
        (
            PEOPLE.replace("id: lisi", "id: zhangsan"),
            ["3: 人员编号 zhangsan 写了两次。", "5: 没有人员编号 lisi，请先把它写进来。"],
        ),
        (
            PEOPLE.replace("name: 李四", 'name: 李四, aliases: ["１００２３"]'),
            ["3: 李四的编号或别名 １００２３ 和 zhangsan 的重复，分不清是谁。"],
        ),
        (PEOPLE + "  - {id: 社会事务科}\n", ["6: 科室 社会事务科 写了两次。"]),
        (PEOPLE + "roles: {station_chief: [lis]}\n", ["6: 没有人员编号 lis，是不是 lisi？"]),
        (PEOPLE + "roles: {chief: [lisi]}\n", ['6: roles 里不认识 "chief"，是不是 station_chief？']),
        (PEOPLE + "roles: {station_chief: []}\n", ["6: roles.station_chief 不能是空的。"]),
        (away("zhangsan, from: 2026-11-01"), ["7: absences 第 1 项 里缺少 to。"]),
        (
            away("zhangsan, from: 2026-11-31, to: 2026-12-01"),
            ['7: absences 第 1 项的 from 要写日期，例如 2026-11-01，现在是 "2026-11-31"。'],
        ),
        (
            away("zhangsan, from: 2026-11-02, to: 2026-11-01"),
            ["7: to 要不早于 from，现在是 2026-11-02 到 2026-11-01。"],
        ),
        (away("lisi, from: 2026-11-01, to: 2026-11-01"), ["7: lisi 不能自己代自己。"]),
        (
            away("zhangsan, from: 2026-11-01, to: 2026-11-05", "zhangsan, from: 2026-11-05, to: 2026-11-06"),
            ["8: lisi 在 2026-11-01 到 2026-11-05 已有人代班，日期不能重叠。"],
        ),
        (PEOPLE + "halls: [{id: main}, {id: main}]\n", ["6: 厅 main 写了两次。"]),
        (
            PEOPLE.replace("name: 李四", "name: 李四, hall: north"),
            ["3: 没有厅 north，请先把它写进来。", "5: lisi 是厅 north 的人，不能用在厅 main。"],
        ),
        ("halls: [{id: a}, {id: b}]\npeople: [{id: x, name: y}]\n", ["2: 有多个厅，要写明 hall（a、b 等）。"]),
        (
            "halls: [{id: main, policy: ../x.yaml}]\n",
            ["厅 main 的 policy 要写同一文件夹里的文件名，例如 policy-main.yaml。"],
        ),
        ("halls: [{id: main, policy: north.yaml}]\n", ["north.yaml：没有这个文件"]),
        (
            'halls: [{id: main, hours: {open: "9:00", close: 17:00}}]\n',
            ['1: halls 第 1 项的 hours.close 的 17:00 没有加引号，会被读成一个数；请写成 "17:00"。'],
        ),
    ],
)
def test_a_name_that_leads_nowhere_in_the_directory_is_shown_by_line(folder: Path, text: str, lines: list[str]) -> None:
    (folder / "directory.yaml").write_text(text, "utf-8")
    found = refusal(folder)
    assert len(found) == len(lines)
    for line, expected in zip(found, lines, strict=True):
        assert line in (f"directory.yaml:{expected}", f"directory.yaml：{expected}") or line.startswith(expected), line


def test_absences_are_read_quoted_or_not(folder: Path) -> None:
    text = PEOPLE + 'absences:\n  - {who: lisi, by: zhangsan, from: 2026-11-01, to: "2026-11-07"}\n'
    (folder / "directory.yaml").write_text(text, "utf-8")
    assert load_config(folder).directory.absences == (
        Absence("lisi", "zhangsan", date(2026, 11, 1), date(2026, 11, 7)),
    )


def test_halls_have_their_own_people_hours_and_policy(folder: Path) -> None:
    (folder / "directory.yaml").write_text(
        """\
halls:
  - {id: north, name: 城北, hours: {open: "09:00", close: "17:00"}}
  - {id: main, name: 县中心}
  - {id: south, policy: policy-south.yaml}
people:
  - {id: a, name: 甲, hall: north, department: 综合科}
  - {id: b, name: 乙, department: 综合科}
departments:
  - {id: 综合科, head: a, hall: north}
  - {id: 综合科, head: b}
roles:
  - {hall: north, station_chief: a}
  - {station_chief: b, duty: [b]}
""",
        "utf-8",
    )
    south = default_text("policy.yaml").replace("simple: 3wd", "simple: 5wd")
    (folder / "policy-south.yaml").write_text(south, "utf-8")
    config = load_config(folder)
    assert [h.id for h in config.directory.halls] == ["main", "north", "south"]
    assert config.policy_of("north").hours == Hours(540, 1020)
    assert config.policy_of("north").targets == config.policy.targets
    assert config.policy_of("south").targets[0].limits["simple"] == 5
    assert config.policy_of("main") is config.policy
    assert len({config.policy_of(h).version for h in ("main", "north", "south")}) == 3
    directory = config.directory
    assert [directory.roles[h, "station_chief"] for h in ("north", "main")] == [("a",), ("b",)]
    north, main = (directory.department("综合科", h) for h in ("north", "main"))
    assert north is not None
    assert main is not None
    assert (north.head, main.head) == ("a", "b")
