"""``sla openapi``: the contract of the HTTP interface as a file."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_text


@click.command(
    help="输出 HTTP 接口的 OpenAPI 3.1 文档（JSON）。",
    epilog=examples("sla openapi > openapi.json", "sla openapi -o openapi.json"),
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="文件", help="写进文件，而不是标准输出。")
@click.option("--json", "_as_json", is_flag=True, help="本来就是 JSON。")
def openapi(output: Path | None, _as_json: bool) -> None:
    # The two rooms do not know each other; this is the one command that is about the other's door.
    web = importlib.import_module("sla_service.web.app")
    with opened() as app:
        api = web.create_app(app)
        document = api.openapi()
        api.state.web.close()
    if output is None:
        emit(document)
    else:
        output.write_text(json_text(document) + "\n", "utf-8")
