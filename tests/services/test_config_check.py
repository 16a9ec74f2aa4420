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
        (
            [
                ("{at: breach+2wd, to", "{at: breach+2wd, kinds: [complex], to"),
                ("{at: breach+3wd, to", "{at: breach+3wd, kinds: [complex], to"),
                ("{at: breach+5wd, to", "{at: breach+5wd, kinds: [special], to"),
            ],
            "resolve 的阶梯在超期后对简单事项到不了领导（站长、局长或联合党委），超期可能一直没人督办。",
        ),
        (
            [("due-5wd, kinds: [special], to", "due-5wd, to")],
            "resolve 的 due-5wd 对简单事项（时限 3wd）早于受理，不会发；请用 kinds 限定。",
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
        (
            [("# calendar_watch: {to: [station_chief], via: [wecom]}", "calendar_watch: {to: duty, via: fax}")],
            "calendar_watch 用了 channels.yaml 里没有的渠道 fax。",
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
    wecom = ("resolve 的 due-0wd 14:00（科长）", "resolve 的 breach+5wd（站长）", "resolve 的 pause_end+1wd（科长）")
    either = ("resolve 的 breach（科长）", "resolve 的 breach+2wd（站长）")
    assert check(load_config(folder), variables={"SLA_MAS_SECRET"}) == [
        f"directory.yaml：{'、'.join(wecom)}没有人能收到，李四没有写 wecom（企业微信账号）。",
        f"directory.yaml：{'、'.join(either)}没有人能收到，李四没有写 wecom（企业微信账号）、phone（手机号）。",
        "directory.yaml：张三、李四没有 wecom（企业微信账号），渠道 wecom 发不到。",
        "directory.yaml：李四没有 phone（手机号），渠道 sms 发不到。",
        "channels.yaml：渠道 wecom 用到的环境变量 SLA_WECOM_SECRET 没有设置。",
    ]


def test_a_step_that_finds_nobody_on_any_way_is_named_and_each_halls_own_policy_is_looked_at(folder: Path) -> None:
    text = default_text("directory.yaml").split("# 全厅的岗位")[0]
    halls = "halls:\n  - {id: main}\n  - {id: north, policy: policy-north.yaml}\n"
    (folder / "directory.yaml").write_text(text + halls, "utf-8")
    north = default_text("policy.yaml").replace("due-1wd, to: [handler]", "due-1wd, to: [duty]")
    (folder / "policy-north.yaml").write_text(north.replace("{at: due-5wd, kinds: [special]", "{at: due-5wd"), "utf-8")
    found = check(load_config(folder))
    assert "policy-north.yaml：resolve 的 due-5wd 对简单事项（时限 3wd）早于受理，不会发；请用 kinds 限定。" in found
    assert "directory.yaml：厅 main 的resolve 的 breach+2wd（站长）没有人能收到" not in "".join(
        found
    )  # falls to the leader
    (lost,) = [text for text in found if "没有人能收到" in text]
    assert lost.startswith("directory.yaml：厅 north 的 resolve 的 due-1wd（值班员）、")
    assert lost.endswith("没有人能收到，这个岗位和替补的岗位都没有人。")
