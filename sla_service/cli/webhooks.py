"""``sla webhooks``: what case systems were told at their own addresses, and what could not be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option
from sla_service.cli.tables import Cell, Column, show
from sla_service.errors import UsageError
from sla_service.services import audit, webhooks

_STATES = {
    "waiting": Cell("等待", "yellow"),
    "sending": Cell("发送中"),
    "sent": Cell("已收下", "green"),
    "dead": Cell("已放弃", "red", bold=True),
}


@click.group(
    name="webhooks",
    help="发给业务系统的事件（webhook）：每个发到了没有、对方怎么回答；放弃了的可以重发。",
    epilog=examples(
        "sla webhooks list --state dead", "sla webhooks show evt_5f0c1d7a9be24c3f8a61d2e4", "sla webhooks retry --all"
    ),
)
def webhooks_() -> None:
    """Commands about the outbox."""


@webhooks_.command(
    name="list",
    help="发给业务系统的事件，新的在前。",
    epilog=examples("sla webhooks list", "sla webhooks list --source hall --state dead"),
)
@click.option("--source", default=None, metavar="来源", help="只看发给这个来源的。")
@click.option("--state", type=click.Choice(tuple(_STATES)), default=None, help="只看这个状态的。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="最多几个。")
@json_option
def list_(source: str | None, state: str | None, limit: int, as_json: bool) -> None:
    with opened() as app:
        found = webhooks.listed(app, source=source, state=state, limit=limit)
    if as_json:
        emit([_plain(one) for one in found])
        return
    if not found:
        click.echo("没有这样的事件。")
        return
    columns = [Column("时间"), Column("来源"), Column("办件"), Column("类型"), Column("状态"), Column("次数")]
    rows = [
        [
            words.moment(one["created_at"]),
            one["source"],
            one["no"],
            one["type"],
            _STATES[one["state"]],
            str(one["attempt"]),
            _last(one),
        ]
        for one in found
    ]
    show([*columns, Column("最近一次回答", flexible=True)], rows)


@webhooks_.command(
    name="show",
    help="看一个事件：发的原文和最近一次回答。",
    epilog=examples("sla webhooks show evt_5f0c1d7a9be24c3f8a61d2e4"),
)
@click.argument("event", metavar="编号")
@json_option
def show_(event: str, as_json: bool) -> None:
    with opened() as app:
        one = webhooks.one(app, event)
    body = json.loads(one["body"])
    if as_json:
        emit({**_plain(one), "event": body})
        return
    click.echo(f"{one['event_id']}  {one['source']}/{one['no']}  {one['type']}")
    click.echo(f"状态  {_STATES[one['state']].text}，试了 {one['attempt']} 次，最近一次：{_last(one) or '—'}")
    if one["state"] == "waiting":
        click.echo(f"下次  {words.moment(one['not_before'])} 之后")
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))


@webhooks_.command(
    help="重发已放弃的事件，编号不变，从头再试。",
    epilog=examples(
        "sla webhooks retry --source hall",
        "sla webhooks retry evt_5f0c1d7a9be24c3f8a61d2e4",
        "sla webhooks retry --all",
    ),
)
@click.argument("event", metavar="编号", required=False)
@click.option("--source", default=None, metavar="来源", help="发给这个来源的全部。")
@click.option("--all", "every", is_flag=True, help="全部来源的全部。")
@json_option
def retry(event: str | None, source: str | None, every: bool, as_json: bool) -> None:
    if sum((event is not None, source is not None, every)) != 1:
        raise UsageError("写一个编号，或 --source 来源，或 --all。")
    with opened() as app:
        if event is not None and webhooks.one(app, event)["state"] != "dead":
            raise UsageError(f"{event} 没有放弃，不用重发；状态见 sla webhooks show {event}。")
        n = webhooks.repeat(app, source=source, event_id=event, who=audit.operator(), now=systime.now())
    if as_json:
        emit({"events": n})
        return
    click.echo(f"{n} 个事件会再发一遍。")


def _last(one: Mapping[str, Any]) -> str:
    status, answer = one["status"], one["answer"] or ""
    return answer if status is None or answer.startswith(f"HTTP {status}") else f"{status} {answer}"


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    times = ("not_before", "created_at", "finished_at", "lease_until")
    plain = {k: words.instant(v) if k in times else v for k, v in one.items() if k not in ("id", "body", "worker")}
    plain["id"] = plain.pop("event_id")
    return plain
