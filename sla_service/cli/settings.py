"""``sla settings``: what is in force, and where each setting comes from."""

from __future__ import annotations

import click

from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.cli.tables import Column, show
from sla_service.settings import effective


@click.command(
    help="列出生效的设置和它们的来处；密码、密钥打码。设置来自环境变量，其次是当前文件夹的 .env。",
    epilog=examples("sla settings", "SLA_HTTP=0.0.0.0:8000 sla settings --json"),
)
@json_option
def settings(as_json: bool) -> None:
    found = read_settings()
    rows = effective(found)
    if as_json:
        listed = [{"name": name, "value": value, "source": source} for name, value, source in rows]
        emit({"settings": listed, "warnings": list(found.warnings)})
        return
    show([Column("设置"), Column("值", flexible=True), Column("来处", flexible=True)], rows)
