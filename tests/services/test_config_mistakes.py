"""policy.yaml: the sentence for each way of getting it wrong, with the line."""

from __future__ import annotations

import pytest

from sla_service.errors import ConfigError
from sla_service.services.config import default_text, parse_policy


def refusal(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse_policy(text, "policy.yaml")
    return str(refused.value).split("\n")


DEFAULT = default_text("policy.yaml")
ROLES = "handler、section_head、station_chief、bureau_leader、joint_committee 或 duty"
TOP = (
    "hours、send_window、targets、non_working_receipt、unclassified_as、reclassify_from、reopen、extension、"
    "pause_days、no_reply、digests、calendar_watch"
)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ('close: "17:30"', "close: 17:30", ['7: hours.close 的 17:30 没有加引号，会被读成一个数；请写成 "17:30"。']),
        ('"17:30"}', '"24:01"}', ['7: hours.close 要写加引号的时间，例如 "17:30"，现在是 "24:01"。']),
        ('"17:30"}', '"08:00"}', ["7: hours 里 open 要早于 close。"]),
        ('"17:30"}', "1730}", ['7: hours.close 要写加引号的时间，例如 "17:30"，现在是 "1730"。']),
        ("    ladder:", "    laddr:", ['30: targets.resolve 里不认识 "laddr"，是不是 ladder？']),
        ("pause_days: 5wd", "x: 5wd", [f'77: 不认识 "x"，可以写的有 {TOP}。']),
        (
            "send_window: working_hours",
            "send_window: workhours",
            ['11: send_window 要写 working_hours 或 always，现在是 "workhours"。'],
        ),
        ("simple: 3wd", "simple: 3", ['19: targets.resolve.limits.simple 要写工作日数，例如 3wd，现在是 "3"。']),
        ("simple: 3wd, ", "", ["19: targets.resolve.limits 里缺少 simple。"]),
        (
            "yellow: {simple: 1wd",
            "yellow: {simple: 3wd",
            ["21: targets.resolve.yellow.simple 要小于时限 3wd，否则一受理就是黄灯。"],
        ),
        (
            "at: due-1wd",
            "at: due-1d",
            [
                (
                    "33: targets.resolve.ladder 第 3 项的 at 要写 due-3wd、due-0wd 14:00、breach、breach+2wd、"
                    'pause_end 或 50% 这样的时刻，现在是 "due-1d"。'
                )
            ],
        ),
        (
            "at: due-1wd",
            "at: due+1wd",
            [
                (
                    "33: targets.resolve.ladder 第 3 项的 at 要写成 breach+1wd：到期日之后用 breach 起算，"
                    '现在是 "due+1wd"。'
                )
            ],
        ),
        (
            "at: breach+2wd",
            "at: breach-2wd",
            [('37: targets.resolve.ladder 第 7 项的 at 要写成 due-2wd：到期日之前用 due 起算，现在是 "breach-2wd"。')],
        ),
        (
            "at: due-1wd",
            "at: 101%",
            ['33: targets.resolve.ladder 第 3 项的 at 要写时限的 1% 到 100%，现在是 "101%"。'],
        ),
        (
            "{at: due-0wd 14:00",
            "{at: due-0wd 24:00",
            ['35: targets.resolve.ladder 第 5 项的 at 的时刻要在 00:00 到 23:59 之间，现在是 "due-0wd 24:00"。'],
        ),
        ("at: due-1wd, ", "", ["33: targets.resolve.ladder 第 3 项 里缺少 at。"]),
        (
            "at: due-1wd, to: [handler]",
            "at: due-1wd, to: [hander]",
            [f'33: targets.resolve.ladder 第 3 项的 to 第 1 项 要写 {ROLES}，现在是 "hander"。'],
        ),
        (
            "at: due-1wd, to: [handler]",
            "at: due-1wd, to: []",
            ["33: targets.resolve.ladder 第 3 项的 to 不能是空的。"],
        ),
        ("repeat: 5wd", "repaet: 5wd", ['39: targets.resolve.ladder 第 9 项 里不认识 "repaet"，是不是 repeat？']),
        (
            "all: true}",
            "all: maybe}",
            ['36: targets.resolve.ladder 第 6 项的 all 要写 true 或 false，现在是 "maybe"。'],
        ),
        (
            "starts: case.accepted",
            "starts: case.acepted",
            ['16: targets.resolve.starts 要写事件类型，是不是 case.accepted，现在是 "case.acepted"。'],
        ),
        ("cap_days: 15,", "cap_days: 15wd,", ['74: extension.cap_days 要写整数，现在是 "15wd"。']),
        ("cap_days: 15,", "cap_days: 0,", ['74: extension.cap_days 不能小于 1，现在是 "0"。']),
        ("pause_days: 5wd", "pause_days: 0wd", ['77: pause_days 要写至少 1 个工作日，例如 3wd，现在是 "0wd"。']),
        (
            "reopen: restart",
            "reopen: restart\nreopen: continue",
            ["72: reopen 写了两次，第一次在第 71 行，请合在一起。"],
        ),
        ("  resolve:", "  sign:", ["13: targets 里缺少 resolve。"]),
        ("  resolve:", "\tresolve:", ["15: 这里有 Tab，缩进请用空格。"]),
        ("  resolve:\n", "  resolve\n", ["16: YAML 写法不对，请检查这一行和上一行的缩进、冒号后的空格、引号和括号。"]),
        ("extension: {", "extension: !!omap {", ['74: 不支持标签 "tag:yaml.org,2002:omap"，请直接写值。']),
        ("pause_days: 5wd", "pause_days: !x 5wd", ['77: 不支持标签 "!x"，请直接写值。']),
        ("pause_days: 5wd", "pause_days: 5wd\n---\nx: 1", ["78: 文件里只能有一份内容，请去掉分隔用的 ---。"]),
    ],
)
def test_a_mistake_is_named_by_line_and_reason(old: str, new: str, lines: list[str]) -> None:
    assert old in DEFAULT
    assert refusal(DEFAULT.replace(old, new, 1)) == [f"policy.yaml:{line}" for line in lines]


def test_all_mistakes_are_listed_at_once_in_order_of_lines() -> None:
    text = DEFAULT.replace("reopen: restart", "reopen: again").replace('close: "17:30"', "close: 17:30")
    text = text.replace("at: due-1wd", "at: soon").replace("simple: 3wd", "simpel: 3wd")
    lines = [int(line.split(":")[1]) for line in refusal(text)]
    assert lines == [7, 19, 19, 33, 71]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "policy.yaml:1: 缺少 targets。"),
        ("# nothing\n", "policy.yaml:1: 缺少 targets。"),
        ("- a\n", "policy.yaml:1: 整个文件要是“名称: 值”的形式。"),
        ("just words", "policy.yaml:1: 整个文件要是“名称: 值”的形式。"),
        ("a: 1\nb: \x07\n", "policy.yaml:2: 这里有不能用的控制字符，请删去。"),
        ("targets: 5", 'policy.yaml:1: targets 要写成“名称: 值”的形式，现在是 "5"。'),
        ("\n# 说明\n".encode("gbk"), "policy.yaml:2: 不是 UTF-8 编码，请用编辑器另存为 UTF-8。"),
        ("[" * 5000, "policy.yaml:1: YAML 写法不对，或嵌套太深。"),
    ],
)
def test_a_file_that_is_no_policy_at_all_is_one_sentence(text: str | bytes, sentence: str) -> None:
    assert refusal(text) == [sentence]
