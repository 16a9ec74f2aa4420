"""``sla audit``: is the log of who changed what still whole, and what does it say?"""

from __future__ import annotations

import json
from datetime import datetime

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, plain
from sla_service.domain.policy import BEIJING
from sla_service.services import audit as service
from sla_service.store import audit as rows


@click.group(help="审计日志：谁、何时、做了什么、结果如何。行一经封存就连成校验链，改动、缺少、插入一行都查得出来。")
def audit() -> None:
    """Commands below."""


@audit.command(
    help="沿着校验链核对全部审计日志；有不符时退出码为 1。\n\n"
    "输出里的 head 是整条链的校验值。定期抄到别处，核对时用 --expect 带上：连同数据库一起被重写的链也查得出来。",
    epilog=examples("sla audit verify", "sla audit verify --expect 3f0c…", "sla audit verify --json"),
)
@click.option("--expect", metavar="校验值", help="以前某次的 head，应当仍在链上。")
@json_option
def verify(expect: str | None, as_json: bool) -> None:
    with opened() as app:
        service.seal(app, now=systime.now())
        found = service.verify(app, expect=expect)
    wrong = [{"block": f.block, "seq": f.seq, "text": f.text} for f in found.findings]
    if as_json:
        counts = {"blocks": found.blocks, "rows": found.rows, "unsealed": found.unsealed, "pruned": found.pruned}
        emit({"ok": not wrong, "head": found.head, **counts, "findings": wrong})
    else:
        for one in found.findings:
            where = f"第 {one.block} 块" + (f"，第 {one.seq} 行" if one.seq is not None else "")
            click.echo(f"{where}：{one.text}")
        click.echo(f"{found.rows} 行，{found.blocks} 块（{found.pruned} 块已过保存期），未封存 {found.unsealed} 行")
        click.echo(f"head {found.head or '（空）'}")
        click.echo(f"{len(wrong)} 处不符。" if wrong else "核对无误。")
    if wrong:
        raise click.exceptions.Exit(1)


@audit.command(
    help="输出审计日志，一行一个 JSON（JSON Lines），带序号、块号和校验值。",
    epilog=examples("sla audit export > 审计.jsonl", "sla audit export --from 2026-11-01 --to 2026-12-01"),
)
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="从这天（含）起。")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="到这天（不含）止。")
@click.option("--json", "as_json", is_flag=True, help="输出本来就是 JSON，写不写都一样。")
def export(since: datetime | None, until: datetime | None, as_json: bool) -> None:  # noqa: ARG001
    with opened() as app, app.db.read() as conn:
        for row in rows.listed(conn, since=_midnight(since), until=_midnight(until)):
            click.echo(json.dumps(row, ensure_ascii=False, default=plain))


@audit.command(
    help="删除早于若干天的审计日志，至少保留 180 天；校验链照样能核对。",
    epilog=examples("sla audit prune --days 365"),
)
@click.option("--days", type=int, required=True, metavar="天数")
@json_option
def prune(days: int, as_json: bool) -> None:
    with opened() as app:
        gone = service.prune(app, days=days, now=systime.now())
    if as_json:
        emit({"deleted": gone})
    else:
        click.echo(f"删除了 {gone} 行。")


def _midnight(day: datetime | None) -> datetime | None:
    """The day's beginning in Beijing."""
    return None if day is None else day.replace(tzinfo=BEIJING)
