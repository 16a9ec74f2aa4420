"""``sla data``: applicants' data, asked for, erased, sealed under a new key."""

from __future__ import annotations

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option
from sla_service.services import personal, signing


@click.group(help="申请人信息（姓名、电话）：查看、删除、换密钥重新加密。")
def data() -> None:
    """Commands below."""


@data.command(
    help="显示一件的申请人信息原文。谁在何时为何查看，记入审计日志。",
    epilog=examples('sla data show hall BBC-2026-0001 --why "当事人来电核对"'),
)
@click.argument("source", metavar="来源")
@click.argument("no", metavar="编号")
@click.option("--why", required=True, metavar="理由")
@json_option
def show(source: str, no: str, why: str, as_json: bool) -> None:
    with opened() as app:
        found = personal.show(app, source, no, now=systime.now(), why=why)
    if as_json:
        emit({"source": source, "no": no, "applicants": found})
        return
    for one in found:
        click.echo("  ".join(f"{k}={v}" for k, v in one.items()))
    if not found:
        click.echo("没有申请人信息。")


@data.command(
    help="删除一件的申请人信息。到期日、统计数字、审计日志的校验链都不受影响；删除后无法恢复。",
    epilog=examples("sla data erase hall BBC-2026-0001"),
)
@click.argument("source", metavar="来源")
@click.argument("no", metavar="编号")
@json_option
def erase(source: str, no: str, as_json: bool) -> None:
    with opened() as app:
        rows = personal.erase(app, source, no, now=systime.now())
    if as_json:
        emit({"source": source, "no": no, "rows": rows})
    else:
        click.echo(f"{source}/{no}：删除了 {rows} 处申请人信息。")


@data.command(
    help="用现在的 SLA_DATA_KEY 重新加密申请人信息和签名密钥（旧密钥写在 SLA_DATA_KEY_OLD）；完成后旧密钥可以去掉。",
    epilog=examples("sla data reseal"),
)
@json_option
def reseal(as_json: bool) -> None:
    with opened() as app:
        rows = personal.reseal(app, now=systime.now()) + signing.reseal(app)
    if as_json:
        emit({"rows": rows})
    else:
        click.echo(f"重新加密了 {rows} 处。")
