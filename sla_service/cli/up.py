"""``sla up``: the whole service here, with nothing to install beside it."""

from __future__ import annotations

import json
import os

import click

from sla_service.bootstrap import prepare
from sla_service.cli.chinese import examples
from sla_service.cli.reading import read_settings
from sla_service.settings import Settings
from sla_service.settings_values import masked_url
from sla_service.supervisor.address import Address, free
from sla_service.supervisor.broker import Broker, embedded
from sla_service.supervisor.parts import all_parts
from sla_service.supervisor.place import held, state_folder
from sla_service.supervisor.service import Plan, hand_over
from sla_service.supervisor.supervisor import say


@click.command(
    help="在本机启动全部服务：消息队列、网页接口、任务进程、定时器。Ctrl-C 停止；被强行结束后再启动，从原处继续。\n\n"
    "不写设置时使用 SQLite 文件 var/sla.db 和内置的 Valkey。",
    epilog=examples(
        "sla up",
        "SLA_HTTP=0.0.0.0:8080 sla up",
        "SLA_DATABASE_URL=postgresql://sla:密码@主机/sla SLA_BROKER_URL=redis://主机/0 sla up",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="就绪时输出一行 JSON（url、pid、database、broker）。")
def up(as_json: bool) -> None:
    settings = read_settings()
    if settings.clock_shift:
        say(f"时钟被 SLA_CLOCK_SHIFT 移动了 {settings.clock_shift:g} 秒，时间和提醒都不是真的")
    state = state_folder(sqlite_path=settings.sqlite_path, database_url=settings.database_url, var_dir=settings.var_dir)
    with held(state, say=say) as locks:
        address = free(Address(settings.http_host, settings.http_port), say=say)
        prepare(settings)
        broker = None if settings.broker_url else embedded(state, port=settings.valkey_port)
        announcement = _announcement(settings, address, broker, as_json=as_json)
        parts = all_parts(address, state, broker)
        hand_over(Plan(parts, address, broker.socket if broker else None, announcement, locks), state)


def _announcement(settings: Settings, address: Address, broker: Broker | None, *, as_json: bool) -> str:
    database = str(settings.sqlite_path or masked_url(settings.database_url))
    port = settings.valkey_port
    own = f"内置 Valkey（127.0.0.1:{port}）" if port else "内置 Valkey"
    queue = masked_url(settings.broker_url) if settings.broker_url else own
    if as_json:
        where = (settings.broker_url and masked_url(settings.broker_url)) or (broker.url if broker else None)
        return json.dumps({"url": address.url, "pid": os.getpid(), "database": database, "broker": where})
    return f"sla up: 就绪 {address.url}  网页、任务进程、定时器都已运行；数据库 {database}，队列 {queue}；Ctrl-C 停止"
