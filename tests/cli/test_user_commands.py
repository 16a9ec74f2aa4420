"""``sla user``: accounts of the pages."""

from __future__ import annotations

import pytest


def test_an_account_is_made_listed_given_a_new_password_and_removed(shell):
    made = shell("user", "add", "zhangsan", "--role", "staff")
    assert made.lines[0] == "已添加账号 zhangsan（承办人：只看自己的办件）。"
    assert "只显示这一次" in made.err
    first = made.lines[1].removeprefix("密码：")
    assert len(first) >= 16
    (row,) = shell("user", "list", "--json").json
    assert (row["name"], row["role"], row["person"], row["locked"], row["gone"]) == (
        "zhangsan", "staff", "zhangsan", False, False)  # fmt: skip
    assert "zhangsan" in shell("user", "list").out
    assert shell("user", "password", "zhangsan", "--json").json["password"] not in (first, None)
    assert shell("user", "remove", "zhangsan").out == "已删除账号 zhangsan。\n"
    assert "网页只在本机能打开" in shell("user", "list").err


def test_a_password_of_ones_own_comes_by_standard_input(shell):
    made = shell("user", "add", "boss", "--role", "admin", "--password-stdin", "--json", stdin="十个以上的字符当密码\n")
    assert made.json == {"name": "boss", "role": "admin", "password": None}


@pytest.mark.parametrize(
    ("args", "stdin", "sentence"),
    [
        (
            ["add", "赵六", "--role", "staff"],
            "",
            "通讯录里没有“赵六”；承办人和领导的账号要对应通讯录里的人，请用 --person 写他的编号或姓名。",
        ),
        (["add", "boss", "--role", "viewer", "--hall", "north"], "", "没有厅 north，通讯录里有 main。"),
        (["add", " boss", "--role", "viewer"], "", "账号名要是 1 到 100 个可见字符，前后没有空格。"),
        (["add", "boss", "--role", "viewer", "--password-stdin"], "short\n", "密码要 10 到 200 个字符。"),
        (["add", "boss", "--role", "viewer", "--password-stdin"], "", "标准输入里没有密码。"),
        (["password", "bos"], "", "没有账号 bos，已有的见 sla user list。"),
        (["remove", "bos"], "", "没有账号 bos，已有的见 sla user list。"),
    ],
)
def test_what_cannot_be_is_one_sentence(shell, args, stdin, sentence):
    said = shell("user", *args, stdin=stdin)
    assert (said.code != 0, said.out) == (True, "")
    assert said.err.strip() == f"sla：{sentence}"


def test_a_name_is_given_once(shell):
    shell("user", "add", "boss", "--role", "admin")
    assert (
        shell("user", "add", "boss", "--role", "viewer").err
        == "sla：账号 boss 已经有了；换密码用 sla user password boss。\n"
    )
    assert shell("user", "remove", "bosss").err == "sla：没有账号 bosss，是不是 boss？\n"


def test_a_calendar_feed_needs_the_public_address(shell):
    assert shell("user", "feed", "张三").err.startswith("sla：SLA_PUBLIC_URL：没有设置")
    shell.env["SLA_PUBLIC_URL"] = "https://sla.example.cn"
    said = shell("user", "feed", "张三")
    assert said.out.startswith("https://sla.example.cn/feeds/")
    assert said.out.endswith(".ics\n")
