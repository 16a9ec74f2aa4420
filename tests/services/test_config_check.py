"""What is allowed in the config but hardly meant: the warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla_service.services.config import default_text, load_config, write_defaults
from sla_service.services.config_check import check


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_defaults(tmp_path)
    return tmp_path


def change(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    text = default_text(name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, "utf-8")


def test_what_is_shipped_gives_no_warning(folder: Path) -> None:
    assert check(load_config(folder), variables=()) == []


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            [
                (
                    "at: breach+2wd, to: [station_chief], via: [wecom, sms]",
                    "at: breach+2wd, to: [station_chief], via: [mail]",
                )
            ],
            "resolve 的 breach+2wd 用了 channels.yaml 里没有的渠道 mail。",
        ),
        ([("no_reply: {via: [wecom]}", "no_reply: {via: [mail]}")], "no_reply 用了 channels.yaml 里没有的渠道 mail。"),
        (
            [("      - {at: due-0wd, to", "      - {at: due-1wd, kinds: [simple], to")],
            "resolve 的 due-1wd 给承办人写了两次，会收到重复的提醒。",
        ),
        (
            [
                ("[station_chief]", "[section_head]"),
                ("[bureau_leader]", "[duty]"),
                ("[station_chief, bureau_leader]", "[duty]"),
            ],
            "resolve 的阶梯在超期后到不了领导（站长、局长或联合党委），超期可能一直没人督办。",
        ),
        ([("at: due-", "at: pause_end-")], "resolve 的阶梯在到期前没有任何提醒。"),
        ([("cap_days: 15", "cap_days: 12")], "special 的时限 15wd 超过延期上限 extension.cap_days 12。"),
        (
            [
                (
                    '# digests:\n#   - {at: "08:30", to: [handler], via: [wecom]}',
                    'digests: [{at: "08:30", to: [handler], via: [fax]}]',
                )
            ],
            "digests 用了 channels.yaml 里没有的渠道 fax。",
        ),
    ],
)
def test_a_policy_that_hardly_does_what_was_meant(folder: Path, changes: list[tuple[str, str]], warning: str) -> None:
    change(folder, "policy.yaml", *changes)
    assert f"policy.yaml：{warning}" in check(load_config(folder))


def test_the_same_moment_for_different_cases_or_people_is_no_repetition(folder: Path) -> None:
    change(
        folder,
        "policy.yaml",
        ("{at: due-3wd, kinds: [complex, special], to", "{at: due-5wd, kinds: [complex], to"),
        ("{at: due-0wd, to: [handler]", "{at: due-1wd, to: [section_head]"),
    )
    assert check(load_config(folder)) == []


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ([("head: lisi, ", "")], "社会事务科没有 head（科长），发给科长的提醒会改发给别人。"),
        ([("  station_chief: [lisi]", "  #")], "roles 里没有 station_chief（站长），发给他的提醒会改发给上一级。"),
        (
            [(", leader: wangwu", "")],
            "社会事务科没有 leader（局长），roles 里也没有 bureau_leader，提醒会改发给上一级。",
        ),
        (
            [
                (
                    "  # - {who: lisi, by: zhangsan, from: 2026-11-01, to: 2026-11-07}",
                    (
                        "  - {who: lisi, by: zhangsan, from: 2026-11-01, to: 2026-11-07}\n"
                        "  - {who: zhangsan, by: lisi, from: 2026-11-03, to: 2026-11-04}"
                    ),
                )
            ],
            "lisi 的代班人在 2026-11-03 互相代班，提醒仍发给本人。",
        ),
    ],
)
def test_a_directory_in_which_alerts_would_fall(folder: Path, changes: list[tuple[str, str]], warning: str) -> None:
    change(folder, "directory.yaml", *changes)
    assert f"directory.yaml：{warning}" in check(load_config(folder))


def test_a_department_that_only_the_ladder_knows(folder: Path) -> None:
    change(folder, "policy.yaml", ("{at: due-1wd, ", "{at: due-1wd, departments: [撤销的科], "))
    assert check(load_config(folder)) == ["directory.yaml：阶梯里写的科室 撤销的科 不在通讯录里。"]


def test_people_whom_a_real_channel_cannot_reach(folder: Path) -> None:
    channels = (
        ('wecom: {url: "sandbox://"}\n', 'wecom: {url: "wecomapp://C:${SLA_WECOM_SECRET}@1/"}\n'),
        ('sms: {url: "sandbox://"}\n', 'sms: {url: "yunmas://A:${SLA_MAS_SECRET}@E/?sign=S"}\n'),
    )
    change(folder, "channels.yaml", *channels)
    change(folder, "directory.yaml", (', phone: "13800000002", wecom: lisi', ""), (", wecom: zhangsan", ""))
    assert check(load_config(folder), variables={"SLA_MAS_SECRET"}) == [
        "directory.yaml：张三、李四没有 wecom（企业微信账号），渠道 wecom 发不到。",
        "directory.yaml：李四没有 phone（手机号），渠道 sms 发不到。",
        "channels.yaml：渠道 wecom 用到的环境变量 SLA_WECOM_SECRET 没有设置。",
    ]
