"""``sla source``: case systems and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import Span, When
from sla_service.cli.tables import Cell, Column, show
from sla_service.cli.webhook import webhook
from sla_service.domain.policy import at_minute
from sla_service.services import sources

_ONCE = "密钥只显示这一次，请马上交给业务系统保存；丢了就用 sla source rotate 换一个。"


@click.group(
    help="业务系统（来源）和它们的密钥。",
    epilog=examples("sla source add hall", "sla source add 演练 --test", "sla source list", "sla source rotate hall"),
)
def source() -> None:
    """Commands about sources."""


@source.command(
    help="登记一个业务系统，给它一个密钥。密钥只显示一次，库里只存它的散列值。",
    epilog=examples(
        "sla source add hall",
        "sla source add 北厅系统 --hall north",
        "sla source add 演练 --test",
        "sla source add hall --go-live 2026-12-01",
        "sla source add 台账 --batch-delay 18h",
        "sla source add hall --signing",
        "sla source add hall --json",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--hall", default="main", metavar="厅", help="属于哪个厅，默认 main。")
@click.option("--test", is_flag=True, help="测试来源：它的消息只进沙箱，可以用 sla source wipe 清空。")
@click.option("--go-live", type=When(), metavar="日期", help="上线日：此前该发的提醒不补发。默认现在。")
@click.option(
    "--batch-delay",
    type=Span(),
    default="0",
    metavar="时长",
    help="事件由每晚的文件送来：到期后再过这么久才通报超期，免得办结还在路上。例如 18h，默认 0。",
)
@click.option("--signing", is_flag=True, help="再给一个签名密钥：能签名的系统（Standard Webhooks）用它代替密钥。")
@json_option
def add(
    name: str,
    hall: str,
    test: bool,
    go_live: date | datetime | None,
    batch_delay: timedelta,
    signing: bool,
    as_json: bool,
) -> None:
    now = systime.now()
    live = now if go_live is None else go_live if isinstance(go_live, datetime) else at_minute(go_live, 0)
    with opened() as app:
        key = sources.add(app, name, hall=hall, test=test, go_live=live, now=now, batch_delay=batch_delay)
        secret = sources.rotate_signing(app, name, overlap=timedelta(), now=now)[0] if signing else None
    if as_json:
        seconds = int(batch_delay.total_seconds())
        made = {"name": name, "key": key, "hall": hall, "test": test, "go_live": words.instant(live)}
        emit({**made, "batch_delay_seconds": seconds, **({"signing_secret": secret} if secret else {})})
        return
    click.echo(f"已登记{'测试' if test else ''}来源 {name}（厅 {hall}），上线时间 {words.moment(live)}。")
    if batch_delay:
        click.echo(_delayed(batch_delay))
    click.echo(f"密钥：{key}")
    if secret:
        click.echo(f"签名密钥：{secret}")
    say(_ONCE)


@source.command(
    help="换密钥。旧密钥再用一段时间（默认 24 小时），好让业务系统从容更换；--overlap 0 立即作废。"
    "--signing 换的是签名密钥，还没有的就给一个。",
    epilog=examples(
        "sla source rotate hall",
        "sla source rotate hall --overlap 0",
        "sla source rotate hall --signing",
        "sla source rotate hall --json",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--overlap", type=Span(), default="24h", metavar="时长", help="旧密钥还能用多久，默认 24h。")
@click.option("--signing", is_flag=True, help="换签名密钥（Standard Webhooks），密钥不变。")
@json_option
def rotate(name: str, overlap: timedelta, signing: bool, as_json: bool) -> None:
    now = systime.now()
    with opened() as app:
        change = sources.rotate_signing if signing else sources.rotate
        key, old = change(app, name, overlap=overlap, now=now)
    if as_json:
        until = words.instant(now + overlap) if old else None
        made = {"signing_secret": key, "old_secrets_until": until} if signing else {"key": key, "old_keys_until": until}
        emit({"name": name, **made})
        return
    click.echo(f"{'签名密钥' if signing else '密钥'}：{key}")
    say(_ONCE)
    if old:
        say(f"旧密钥到 {words.moment(now + overlap)} 作废。" if overlap else "旧密钥已作废。")


@source.command(
    help="改每晚送文件的来源的通报延迟：到期后再过这么久才通报超期；0 表示立即通报。已通报的不收回。",
    epilog=examples("sla source delay hall 18h", "sla source delay hall 0"),
)
@click.argument("name", metavar="NAME")
@click.argument("by", type=Span(), metavar="时长")
@json_option
def delay(name: str, by: timedelta, as_json: bool) -> None:
    with opened() as app:
        moved = sources.delay(app, name, by, now=systime.now())
    if as_json:
        emit({"name": name, "batch_delay_seconds": int(by.total_seconds()), "clocks": moved})
        return
    click.echo(f"{name}：{_delayed(by) if by else '超期后立即通报。'}{moved} 个计时已重新安排。")


@source.command(name="list", help="列出业务系统和密钥的使用情况。", epilog=examples("sla source list"))
@json_option
def list_(as_json: bool) -> None:
    now = systime.now()
    with opened() as app:
        found = sources.listed(app)
    if as_json:
        emit([_plain(one) for one in found])
        return
    if not found:
        say("还没有登记业务系统，用 sla source add 名称 登记。")
        return
    columns = [Column("来源", flexible=True), Column("厅"), Column("上线"), Column("密钥"), Column("最近使用")]
    show(columns, [row for one in found for row in _rows(one, now)])


@source.command(
    help="清空一个测试来源：它的事件、办件、消息全部删除。正式来源不能清空。",
    epilog=examples("sla source wipe 演练", "sla source wipe 演练 --json"),
)
@click.argument("name", metavar="NAME")
@json_option
def wipe(name: str, as_json: bool) -> None:
    with opened() as app:
        gone = sources.wipe(app, name)
    if as_json:
        emit({"name": name, "deleted": gone})
        return
    click.echo(f"已清空 {name}：{gone['cases']} 件办件，{gone['inbox']} 个事件，{gone['messages']} 条消息。")


source.add_command(webhook)


def _delayed(by: timedelta) -> str:
    hours = by.total_seconds() / 3600
    return f"到期后再过 {hours:g} 小时才通报超期（事件由每晚的文件送来）。"


def _rows(one: dict[str, Any], now: datetime) -> list[list[str | Cell]]:
    """One line per key that still holds; the source itself stands in the first."""
    late = f"（晚 {one['batch_delay'] / 3600:g} 小时通报）" if one["batch_delay"] else ""
    name = Cell(f"{one['name']}（测试）{late}", "cyan") if one["test"] else one["name"] + late
    held = [(f"sla_{k['id']}_…", k) for k in one["keys"]] + [(f"签名 {k['id']}", k) for k in one["signing"]]
    held = [(shown, k) for shown, k in held if k["expires_at"] is None or k["expires_at"] > now]
    if not held:
        return [[name, one["hall"], words.moment(one["go_live"]), "没有（只收文件）", "—"]]
    rows: list[list[str | Cell]] = []
    for shown, key in held:
        until = f"（到 {words.moment(key['expires_at'])}）" if key["expires_at"] else ""
        head = ["", "", ""] if rows else [name, one["hall"], words.moment(one["go_live"])]
        rows.append([*head, f"{shown}{until}", words.moment(key["last_used_at"])])
    return rows


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    times = {k: words.instant(one[k]) for k in ("go_live", "created_at")}
    return {
        "name": one["name"],
        "hall": one["hall"],
        "test": one["test"],
        **times,
        "batch_delay_seconds": one["batch_delay"],
        "keys": [_key(key) for key in one["keys"]],
        "signing": [_key(key) for key in one["signing"]],
        "webhook": one["webhook"],
    }


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    return {k: words.instant(v) if k != "id" else v for k, v in key.items()}
