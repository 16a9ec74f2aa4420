"""``sla channel``: the ways to reach people, and a message to try one."""

from __future__ import annotations

import uuid
from typing import Any

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.tables import Cell, Column, pairs, show, terminal_width
from sla_service.delivery.message import Message, Recipient
from sla_service.delivery.outcome import Outcome
from sla_service.delivery.registry import masked
from sla_service.domain.directory import Directory, Person
from sla_service.domain.policy import BEIJING
from sla_service.errors import ChannelError, NotFoundError
from sla_service.services import audit
from sla_service.services.app import App

OUTCOMES = {
    "accepted": Cell("已受理（服务商收下了，不代表已读）", "green"),
    "partial": Cell("部分受理", "yellow"),
    "rate_limited": Cell("太频繁，被限速", "yellow"),
    "refused": Cell("被拒绝", "red"),
    "unavailable": Cell("没有发出（服务商暂时不可用）", "red"),
    "unknown": Cell("不清楚有没有发出", "red"),
}


@click.group(
    help="发送渠道：企业微信、短信、沙箱等。",
    epilog=examples("sla channel list", "sla channel test wecom --to zhangsan"),
)
def channel() -> None:
    """Commands about channels."""


@channel.command(
    name="list", help="列出渠道，地址里的密钥打码；能不能用也看一下。", epilog=examples("sla channel list")
)
@json_option
def list_(as_json: bool) -> None:
    with opened() as app:
        rows = [_looked(app, name) for name in app.channels.names()]
    if as_json:
        emit(rows)
        return
    columns = [Column("渠道"), Column("地址", flexible=True), Column("状态", flexible=True)]
    show(columns, [[r["name"], r["url"], Cell(r["problem"], "red") if r["problem"] else "可用"] for r in rows])


def _looked(app: App, name: str) -> dict[str, Any]:
    url = masked(app.config.channels[name].url)
    try:
        app.channels.open(name)
    except ChannelError as e:
        return {"name": name, "url": url, "usable": False, "problem": str(e)}
    return {"name": name, "url": url, "usable": True, "problem": None}


@channel.command(
    help="给通讯录里的一个人试发一条，显示服务商自己的回答。发不出去时退出码为 1。",
    epilog=examples("sla channel test wecom --to zhangsan", "sla channel test sms --to 张三 --json"),
)
@click.argument("name", metavar="NAME")
@click.option("--to", "who", required=True, metavar="谁", help="通讯录里的编号、别名或姓名。")
@json_option
def test(name: str, who: str, as_json: bool) -> None:
    with opened() as app:
        if name not in app.config.channels:
            raise ChannelError(f"channels.yaml 里没有渠道 {name}，有 {'、'.join(app.channels.names())}。")
        person = _person(app.config.directory, who)
        opened_channel = app.channels.open(name)
        if not as_json:
            say(f"正在通过 {name}（{opened_channel.masked}）发给 {person.name}（{person.id}）……")
        outcome = opened_channel.deliver(_message(app, name, person))
        audit.noted(app, systime.now(), "channel.test", f"{name}:{person.id}", outcome.kind.value, code=outcome.code)
    if as_json:
        emit({"channel": name, "to": person.id, **_plain(outcome)})
    else:
        for line in pairs(_told(outcome), room=terminal_width()):
            click.echo(line)
    if not outcome.ok:
        raise click.exceptions.Exit(1)


def _person(directory: Directory, who: str) -> Person:
    found = directory.person(who)
    if found is not None:
        return found
    several = {p.id: p for hall in directory.halls for p in directory.matches(who, None, hall.id)}
    if len(several) > 1:
        raise NotFoundError(f"通讯录里有 {len(several)} 个“{who}”，请写编号：{'、'.join(several)}。")
    if not several:
        raise NotFoundError(f"通讯录里没有“{who}”，人员见 sla directory show。")
    return next(iter(several.values()))


def _message(app: App, name: str, person: Person) -> Message:
    """A harmless text; where the channel only takes templates, the one for reminders with harmless values."""
    at = f"{systime.now().astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"  # WeCom drops what it has seen before
    template = app.config.channels[name].templates.get("reminder")
    known = {"case": "测试", "due": at[5:10], "title": "测试消息", "name": person.name}
    return Message(
        id=f"test-{uuid.uuid4().hex[:12]}",
        title="【测试】办事时限管家",
        body=f"这是一条测试消息，{at} 由管理员发出。收到说明渠道 {name} 可以用，无需处理。",
        to=(Recipient(person.id, person.name, person.phone, person.wecom),),
        template=template.id if template else None,
        values=tuple(known.get(v, "0") for v in template.values) if template else (),
        names=template.names if template else (),
    )


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "text": outcome.text,
        "provider_id": outcome.provider_id,
        "refused": list(outcome.refused),
        "hint": outcome.hint,
    }


def _told(outcome: Outcome) -> list[tuple[str, str | Cell]]:
    rows: list[tuple[str, str | Cell]] = [
        ("结果", OUTCOMES[outcome.kind.value]),
        ("服务商的回答", " ".join(w for w in (outcome.code, outcome.text) if w) or "（空）"),
    ]
    if outcome.provider_id:
        rows.append(("服务商的编号", outcome.provider_id))
    if outcome.refused:
        rows.append(("没有收下的人", "、".join(outcome.refused)))
    if outcome.hint:
        rows.append(("怎么办", outcome.hint))
    return rows
