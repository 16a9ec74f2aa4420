"""``sla template``: the words of messages, tried on sample cases before anybody is told anything."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import click

from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.delivery.wording import ATTRIBUTES, DIGEST_VARIABLES, VARIABLES
from sla_service.services import previews
from sla_service.services.config import configuration


@click.group(help="消息模板。", epilog=examples("sla template preview", "sla template preview --step breach --many"))
def template() -> None:
    """Commands about templates."""


@template.command(
    help="用样例办件填好模板给您看，连同在每个渠道上的字节数（企业微信最多 2048）和短信条数。\n\n"
    "改模板：在配置文件夹的 templates/ 里放 one.j2（一件）、many.j2（几件）、"
    "digest_staff.j2 或 digest_leader.j2（汇总），前面可以加步骤和渠道，"
    "例如 breach.one.j2、sms.breach.one.j2。第一行是标题。",
    epilog=examples(
        "sla template preview --step due-1wd",
        "sla template preview --step breach --many --channel sms",
        "sla template preview --digest leader",
        "sla template preview --lang en --json",
    ),
)
@click.option("--channel", default=None, metavar="渠道", help="channels.yaml 里的名称，不写是全部渠道。")
@click.option("--step", default="due-1wd", metavar="步骤", help="阶梯里的 at，例如 due-1wd、breach+2wd，或 urged 等。")
@click.option("--many", is_flag=True, help="几件合成一条的样子。")
@click.option(
    "--digest", type=click.Choice(previews.DIGESTS), default=None, help="汇总：承办人、领导、每周、联合党委。"
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="默认按 SLA_LANG。")
@json_option
def preview(
    channel: str | None, step: str, many: bool, digest: previews.Digest | None, lang: str | None, as_json: bool
) -> None:
    settings = read_settings()
    spoken = lang or settings.lang
    wanted = previews.Wanted(step, many, digest, channel, "en" if spoken == "en" else "zh")
    found = previews.previews(configuration(settings), wanted)
    if as_json:
        emit(found)
        return
    same = sorted(found, key=lambda one: (one["title"], one["body"]))
    for (title, body), group in groupby(same, key=lambda one: (one["title"], one["body"])):
        click.echo(f"{title}\n{body}\n")
        for one in group:
            click.echo(_measured(one))


def _measured(one: dict[str, Any]) -> str:
    """``wecom（sandbox）：模板 one.j2，252 字节；按短信发是 2 条``"""
    limit = f"，超过 {one['limit']} 字节，会被截短" if one["too_long"] else ""
    said = f"{one['channel']}（{one['kind']}）：模板 {one['template']}，{one['bytes']} 字节{limit}"
    if one["sms"] is None:
        return f"{said}；按短信发是 {one['sms_parts']} 条。"
    filled = "，".join(f"{name}={value}" for name, value in one["sms"]["values"].items())
    return f"{said}；短信用服务商模板 {one['sms']['id']}，填 {filled}（共 {one['sms']['characters']} 个字）。"


@template.command(help="列出模板里可以用的变量。", epilog=examples("sla template variables"))
@json_option
def variables(as_json: bool) -> None:
    found = {"message": list(VARIABLES), "item": sorted(ATTRIBUTES)}
    found |= {kind: [name for name in names if name not in VARIABLES] for kind, names in DIGEST_VARIABLES.items()}
    if as_json:
        emit(found)
        return
    click.echo(f"整条消息：{'、'.join(VARIABLES)}")
    click.echo(f"一件（item.…，或 items 里的每一件）：{'、'.join(sorted(ATTRIBUTES))}")
    for kind in DIGEST_VARIABLES:
        click.echo(f"{kind}.j2 另有：{'、'.join(found[kind])}")
