"""``sla openapi``, ``asyncapi`` and ``schemas``: the contracts as files, and whether the checked-in ones still hold."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from schemas import asyncapi as asyncapi_document
from schemas import json_schemas
from schemas.version import CONTRACT, MAJOR
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option, say
from sla_service.services.register_map import RegisterMap

_output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="文件", help="写进文件，而不是标准输出。"
)
_already_json = click.option("--json", "_as_json", is_flag=True, help="本来就是 JSON。")
_REGISTER = "files/register-map.schema.json"


@click.command(
    help="输出 HTTP 接口的 OpenAPI 3.1 文档（JSON）。",
    epilog=examples("sla openapi > openapi.json", "sla openapi -o openapi.json"),
)
@_output
@_already_json
def openapi(output: Path | None, _as_json: bool) -> None:
    _put(_openapi(), output)


@click.command(
    help="输出 Redis 流、Celery 任务和 webhook 的 AsyncAPI 3 文档（JSON）。",
    epilog=examples("sla asyncapi > asyncapi.json", "sla asyncapi -o asyncapi.json"),
)
@_output
@_already_json
def asyncapi(output: Path | None, _as_json: bool) -> None:
    _put(asyncapi_document.document(), output)


@click.command(
    name="schemas",
    help="把全部契约写进一个文件夹：openapi.json、asyncapi.json，和事件、回答、配置文件的 JSON Schema。\n\n"
    "每次写出来都一样。--check 只比较不写，不一致时退出码为 1。",
    epilog=examples("sla schemas 契约", "sla schemas docs/contracts --check"),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--check", is_flag=True, help="只比较：文件夹里的是不是现在的。")
@json_option
def schemas_(folder: Path, check: bool, as_json: bool) -> None:
    wanted = dict(_files())
    stale = sorted(_stale(folder, wanted))
    if not check:
        _write(folder, wanted)
    if as_json:
        emit({"folder": str(folder), "contract": CONTRACT, "files": sorted(wanted), "changed": stale})
    elif not check:
        click.echo(f"{folder}：{len(wanted)} 个文件，契约版本 {CONTRACT}，有变化的 {len(stale)} 个。")
    elif not stale:
        click.echo(f"{folder} 与代码一致，契约版本 {CONTRACT}。")
    if check and stale:
        say(f"{folder} 与代码不一致：{'、'.join(stale)}。请运行 ./sla schemas {folder} 后一起提交。")
        raise click.exceptions.Exit(1)


def _openapi() -> dict[str, Any]:
    # The two rooms do not know each other; this is the one command that is about the other's door.
    document: dict[str, Any] = importlib.import_module("sla_service.web.app").contract()
    return document


def _files() -> Iterator[tuple[str, str]]:
    """Path below the folder -> what stands in it."""
    found = json_schemas.documents()
    register = json_schemas.file_schema(RegisterMap, "台账的列对应（sla ingest --map）")
    dialect = found["event.schema.json"]["$schema"]
    found[_REGISTER] = {"$schema": dialect, "$id": f"urn:sla-service:{MAJOR}:{_REGISTER}", **register}
    for path, document in {"openapi.json": _openapi(), "asyncapi.json": asyncapi_document.document(), **found}.items():
        yield path, _text(document)


def _stale(folder: Path, wanted: dict[str, str]) -> Iterator[str]:
    """Files that are missing, other, or no longer any contract."""
    held = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*.json")}
    for path, text in wanted.items():
        if path not in held or held[path].read_text("utf-8") != text:
            yield path
    yield from held.keys() - wanted.keys()


def _write(folder: Path, wanted: dict[str, str]) -> None:
    """What is no contract any more stays where it is outside our own names: the folder is somebody else's."""
    for path, text in wanted.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    for old in folder.rglob("*.schema.json"):
        if old.relative_to(folder).as_posix() not in wanted:
            old.unlink()


def _put(document: dict[str, Any], output: Path | None) -> None:
    if output is None:
        emit(document)
    else:
        output.write_text(_text(document), "utf-8")


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
