"""``sla user``: accounts of the pages."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain.scope import Access
from sla_service.errors import UsageError
from sla_service.services import accounts, feeds

_ROLES: Final = {
    Access.VIEWER: "查看：看得到本厅全部办件",
    Access.STAFF: "承办人：只看自己的办件",
    Access.LEADER: "领导：看自己分管科室的办件",
    Access.ADMIN: "管理员：看全部，包括沙箱收件箱",
}
_ONCE: Final = "密码只显示这一次，请交给本人，登录后在“账号”页改掉。"
_stdin = click.option("--password-stdin", is_flag=True, help="密码从标准输入读一行，不写则随机生成。")


@click.group(
    help="网页账号。没有账号时网页只在本机能打开；加了第一个账号之后，谁都要登录。",
    epilog=examples("sla user add admin --role admin", "sla user add zhangsan --role staff", "sla user list"),
)
def user() -> None:
    """Commands about accounts."""


@user.command(
    help="添加一个账号，密码随机生成，只显示一次。\n\n角色："
    + "；".join(f"{r.value} {t}" for r, t in _ROLES.items())
    + "。",
    epilog=examples(
        "sla user add admin --role admin",
        "sla user add zhangsan --role staff",
        "sla user add wang --role leader --person wangwu",
        "sla user add 大厅 --role viewer --hall main",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--role", type=click.Choice([r.value for r in Access]), required=True, help="角色，见上。")
@click.option("--hall", metavar="厅", help="只看这个厅，默认全部；承办人和领导随通讯录。")
@click.option("--person", metavar="谁", help="承办人、领导是通讯录里的谁（编号、别名或姓名），默认同账号名。")
@_stdin
@json_option
def add(name: str, role: str, hall: str | None, person: str | None, password_stdin: bool, as_json: bool) -> None:
    password = _read() if password_stdin else None
    with opened() as app:
        made = accounts.add(app, name, role=role, hall=hall, person=person, password=password, now=systime.now())
    if as_json:
        emit({"name": name, "role": role, "password": made})
        return
    click.echo(f"已添加账号 {name}（{_ROLES[Access(role)]}）。")
    _tell(made)


@user.command(
    help="换密码，并解锁；这个账号在别处的登录都退出。",
    epilog=examples(
        "sla user password zhangsan", "printf %s 新的密码不少于十个字 | sla user password zhangsan --password-stdin"
    ),
)
@click.argument("name", metavar="NAME")
@_stdin
@json_option
def password(name: str, password_stdin: bool, as_json: bool) -> None:
    given = _read() if password_stdin else None
    with opened() as app:
        made = accounts.set_password(app, name, given, now=systime.now())
    if as_json:
        emit({"name": name, "password": made})
        return
    click.echo(f"{name} 的密码已更改。")
    _tell(made)


@user.command(help="删除一个账号，它的登录马上失效。", epilog=examples("sla user remove zhangsan"))
@click.argument("name", metavar="NAME")
@json_option
def remove(name: str, as_json: bool) -> None:
    with opened() as app:
        accounts.remove(app, name, now=systime.now())
    if as_json:
        emit({"name": name, "removed": True})
        return
    click.echo(f"已删除账号 {name}。")


@user.command(name="list", help="列出账号。", epilog=examples("sla user list", "sla user list --json"))
@json_option
def list_(as_json: bool) -> None:
    now = systime.now()
    with opened() as app:
        found = accounts.listed(app, now=now)
    if as_json:
        times = ("created_at", "last_login_at")
        emit([{**one, **{k: words.instant(one[k]) for k in times}} for one in found])
        return
    if not found:
        say("还没有账号，网页只在本机能打开；用 sla user add 名字 --role viewer 添加。")
        return
    show(
        [Column("账号", flexible=True), Column("角色"), Column("厅"), Column("最近登录"), Column("")],
        [_row(o) for o in found],
    )


@user.command(
    help="给出一个人的日历订阅地址：他名下在办的件，到期日各是一个全天事件。拿到地址的人都能看，400 天后失效。",
    epilog=examples("sla user feed zhangsan", "sla user feed 张三 --json"),
)
@click.argument("who", metavar="谁")
@json_option
def feed(who: str, as_json: bool) -> None:
    with opened() as app:
        person = accounts.in_directory(app, who, None)
        url = feeds.url(app, person, now=systime.now())
    if as_json:
        emit({"person": person.id, "url": url})
        return
    click.echo(url)
    say(f"这是{person.name}的到期日，请只交给本人；在手机或电脑的日历里“添加订阅”。")


def _row(one: dict[str, Any]) -> list[str | Cell]:
    note: str | Cell = Cell("已锁定", "red") if one["locked"] else ""
    if one["gone"]:
        note = Cell(f"通讯录里没有 {one['person']} 了，看不到办件", "yellow")
    return [
        one["name"],
        _ROLES[Access(one["role"])].partition("：")[0],
        one["hall"] or "全部",
        words.moment(one["last_login_at"]),
        note,
    ]


def _read() -> str:
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise UsageError("标准输入里没有密码。")
    return given


def _tell(made: str | None) -> None:
    if made is not None:
        click.echo(f"密码：{made}")
        say(_ONCE)
