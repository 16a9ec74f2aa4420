"""``sla db``: the schema of the database."""

from __future__ import annotations

import click

from sla_service.bootstrap import upgrade as migrate
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.errors import StoreError
from sla_service.store.engine import HEAD, Database


@click.group(help="数据库：建表、升级。", epilog=examples("sla db upgrade"))
def db() -> None:
    """Commands about the database itself."""


@db.command(
    help="把数据库升级到本程序需要的版本。可以重复运行；多处同时运行时互相等待。",
    epilog=examples("sla db upgrade", "SLA_DATABASE_URL=postgresql://sla:密码@主机/sla sla db upgrade"),
)
@json_option
def upgrade(as_json: bool) -> None:
    database = Database(read_settings().database_url)
    try:
        before = database.revision()
        if before is not None and before > HEAD:
            raise StoreError(f"数据库 {database.shown()} 的版本（{before}）比本程序新，请升级程序。")
        if before != HEAD:
            migrate(database)
    finally:
        database.dispose()
    if as_json:
        emit({"database": database.shown(), "from": before, "to": HEAD})
    elif before == HEAD:
        click.echo(f"数据库 {database.shown()} 已经是最新版本 {HEAD}。")
    else:
        click.echo(f"数据库 {database.shown()} {'已建表' if before is None else f'已从 {before} 升级'}，版本 {HEAD}。")
