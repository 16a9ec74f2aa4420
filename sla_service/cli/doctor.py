"""``sla doctor``: the audit, told as a list with what mends each finding."""

from __future__ import annotations

from collections.abc import Iterator

import click

from sla_service import bootstrap, systime
from sla_service.cli.chinese import examples
from sla_service.cli.database import problem as database_problem
from sla_service.cli.output import emit, json_option
from sla_service.cli.progress import Advance, progress
from sla_service.cli.reading import read_settings
from sla_service.cli.tables import Cell, Column, Row, lines, terminal_width
from sla_service.errors import ConfigError, SlaError, StoreError
from sla_service.services import broker_look
from sla_service.services.doctor import Check, examine
from sla_service.settings import Settings
from sla_service.settings_values import masked_url
from sla_service.supervisor.broker import answers, socket_folder
from sla_service.supervisor.place import state_folder

_LEVELS = {
    "ok": Cell("正常", "green"),
    "warning": Cell("注意", "yellow", bold=True),
    "error": Cell("异常", "red", bold=True),
}
_NAMES = {
    "config": "配置",
    "database": "数据库",
    "channels": "渠道",
    "clocks": "计时",
    "overdue": "到点处理",
    "tick": "服务运行",
    "missing": "漏写的提醒",
    "messages": "消息",
    "queued": "消息积压",
    "leases": "发送中断",
    "no_recipient": "无人可发",
    "unknown": "结果不明",
    "unclear": "可能重复",
    "failed": "发送失败",
    "outcomes": "渠道近况",
    "waiting": "等待的事件",
    "stream": "事件流",
    "webhooks": "webhook",
    "audit": "审计日志",
    "calendar": "工作日历",
    "followed": "日历重算",
    "people": "承办人",
    "clock": "时钟",
    "disk": "磁盘",
    "broker": "消息队列",
}


@click.command(
    help="独立体检：把抽查的办件按事件重算一遍，看计时、消息、日历、时钟、磁盘、消息队列有没有不对的地方。\n\n"
    "只看不改；每条都写明怎么办。有异常时退出码为 1，注意不算异常。",
    epilog=examples("sla doctor", "sla doctor --all", "sla doctor --json"),
)
@click.option("--all", "everything", is_flag=True, help="重算全部办件，不只抽查（一百万件要十几分钟）。")
@json_option
def doctor(everything: bool, as_json: bool) -> None:
    settings = read_settings()
    found: list[Check] = []
    try:
        with progress("核对办件", "件") as advance:
            found.extend(_found(settings, advance if everything else None))
    except SlaError as e:
        found.append(_refused(e))
    except Exception as e:
        text = database_problem(e)
        if text is None:
            raise
        found.append(Check("database", "error", text, "检查数据库服务和 SLA_DATABASE_URL"))
    wrong = sum(c.level == "error" for c in found)
    if as_json:
        listed = [{"check": c.name, "level": c.level, "text": c.text, "fix": c.fix or None} for c in found]
        emit({"ok": not wrong, "checks": listed})
    else:
        columns = [Column("结果"), Column("检查"), Column("说明", flexible=True), Column("怎么办", flexible=True)]
        for line in lines(columns, map(_row, found), room=terminal_width()):
            click.echo(line)
        click.echo(f"\n{f'{wrong} 处异常。' if wrong else '没有异常。'}")
    if wrong:
        raise click.exceptions.Exit(1)


def _found(settings: Settings, every: Advance | None) -> Iterator[Check]:
    app = bootstrap.build(settings)
    try:
        yield Check("database", "ok", f"{masked_url(settings.database_url)} 可用，表结构是最新的")
        now = systime.now()
        yield from examine(
            app,
            now=now,
            real_now=lambda: systime.now() - systime.shift(),
            broker=lambda: _broker_problem(settings),
            every=every,
        )
    finally:
        app.channels.close()
        app.db.dispose()


def _refused(error: SlaError) -> Check:
    if isinstance(error, ConfigError):
        return Check("config", "error", str(error).splitlines()[0], "sla policy check 配置文件夹")
    if isinstance(error, StoreError):
        return Check("database", "error", str(error), "sla db upgrade")
    return Check("config", "error", str(error), "sla settings")


def _broker_problem(settings: Settings) -> str | None:
    """What is wrong with the broker: one of the settings, or the one that ``sla up`` brings."""
    if settings.broker_url is None:
        where = state_folder(
            sqlite_path=settings.sqlite_path, database_url=settings.database_url, var_dir=settings.var_dir
        )
        return None if answers(socket_folder(where) / "broker.sock") else "内置的消息队列没有运行"
    return broker_look.problem(settings.broker_url)


def _row(check: Check) -> Row:
    return [_LEVELS[check.level], _NAMES.get(check.name, check.name), check.text, check.fix]
