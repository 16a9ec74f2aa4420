"""``sla template``: the words of messages, tried on sample cases before anybody is told anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from sla_service.bootstrap import configuration
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.delivery.render import Item
from sla_service.delivery.text import byte_length, sms_parts
from sla_service.delivery.wording import ATTRIBUTES, VARIABLES, samples
from sla_service.errors import NotFoundError
from sla_service.services.config import Config
from sla_service.services.envelopes import template_values

WECOM_BYTES = 2048


@click.group(help="消息模板。", epilog=examples("sla template preview", "sla template preview --step breach --many"))
def template() -> None:
    """Commands about templates."""


@template.command(
    help="用样例办件填好模板给您看，连同字节数（企业微信最多 2048）和短信条数。\n\n"
    "改模板：在配置文件夹的 templates/ 里放 one.j2（一件）或 many.j2（几件），"
    "前面可以加步骤和渠道，例如 breach.one.j2、sms.breach.one.j2。第一行是标题。",
    epilog=examples(
        "sla template preview --channel wecom --step due-1wd",
        "sla template preview --step breach --many",
        "sla template preview --lang en --json",
    ),
)
@click.option("--channel", default="wecom", metavar="渠道", help="channels.yaml 里的名称，默认 wecom。")
@click.option("--step", default="due-1wd", metavar="步骤", help="阶梯里的 at，例如 due-1wd、breach+2wd、urged。")
@click.option("--many", is_flag=True, help="几件合成一条的样子。")
@click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="默认按 SLA_LANG。")
@json_option
def preview(channel: str, step: str, many: bool, lang: str | None, as_json: bool) -> None:
    settings = read_settings()
    config = configuration(settings)
    if channel not in config.channels:
        raise NotFoundError(f"没有渠道 {channel}，有 {'、'.join(config.channels)}。")
    found = _filled(config, channel, _samples(step, many=many), lang or settings.lang)
    if as_json:
        emit(found)
        return
    click.echo(f"{found['title']}\n{found['body']}\n")
    limit = "，超过企业微信的 2048 字节，会被截短" if found["bytes"] > WECOM_BYTES else ""
    click.echo(f"模板：{found['template']}；{found['bytes']} 字节{limit}。")
    sms = found["sms"]
    if sms is not None:
        filled = "，".join(f"{name}={value}" for name, value in zip(sms["names"], sms["values"], strict=True))
        click.echo(f"短信：服务商模板 {sms['id']}，{filled}；变量共 {sms['characters']} 个字。")
    else:
        click.echo(f"按短信发（不用服务商模板时）：{found['sms_parts']} 条。")


@template.command(help="列出模板里可以用的变量。", epilog=examples("sla template variables"))
@json_option
def variables(as_json: bool) -> None:
    found = {"message": list(VARIABLES), "item": sorted(ATTRIBUTES)}
    if as_json:
        emit(found)
        return
    click.echo(f"整条消息：{'、'.join(VARIABLES)}")
    click.echo(f"一件（item.…，或 items 里的每一件）：{'、'.join(sorted(ATTRIBUTES))}")


def _samples(step: str, *, many: bool) -> list[Item]:
    """Sample cases in the state in which that step finds them."""
    late = step.startswith("breach")
    days = step[4:].split("wd", maxsplit=1)[0]
    left = -2 if late else int(days) if step.startswith("due-") and days.isdecimal() else 1
    first, second = (replace(item, step=step, left=left, overdue=late) for item in samples(many=True)[0])
    return [first, second, replace(second, no="BBC-2026-0003", title="食品经营许可")] if many else [first]


def _filled(config: Config, channel: str, items: list[Item], lang: str) -> dict[str, Any]:
    made = config.wording.words(items, channel=channel, lang="en" if lang == "en" else "zh")
    text = f"{made.title}\n{made.body}"
    kind = "many" if len(items) > 1 else "one"
    provider = template_values(config, channel, items)
    sms = None
    if provider:
        names = provider["names"] or [str(n) for n in range(1, len(provider["values"]) + 1)]
        length = sum(map(len, provider["values"]))
        sms = {"id": provider["template"], "names": names, "values": provider["values"], "characters": length}
    return {
        "template": config.wording.name(kind, channel, {i.step for i in items}) or f"{kind}.j2（自带）",
        "title": made.title,
        "body": made.body,
        "bytes": byte_length(text),
        "sms_parts": sms_parts(text),
        "sms": sms,
    }
