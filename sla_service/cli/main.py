"""``sla``: which command lives where, and the one border at which errors become sentences and exit codes.

A command's module is imported when the command is called, not before: ``sla due`` should not wait for SQLAlchemy.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from sla_service.cli.chinese import dress, examples, sentence
from sla_service.errors import SlaError

INTERRUPTED = 130  # 128 + SIGINT: what a shell reports for other programs

#: Section of the help page -> command -> where it lives ("" is this module's package) and what it does.
COMMANDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "运行": {
        "up": ("up:up", "在本机启动全部服务，Ctrl-C 停止"),
        "init": ("init:init", "写出带注释的配置文件"),
        "settings": ("settings:settings", "列出生效的设置，密码打码"),
        "db": ("db:db", "数据库：建表、升级"),
        "audit": ("audit:audit", "审计日志：核对校验链、导出"),
        "data": ("data:data", "申请人信息：查看、删除、换密钥"),
        "doctor": ("doctor:doctor", "独立体检：漏掉的计时、积压的消息、日历、时钟、消息队列"),
    },
    "办件": {
        "due": ("due:due", "算到期日，逐日列明怎么算出来的"),
        "ingest": ("ingest:ingest", "导入事件文件（JSON）或台账（CSV、XLSX）"),
        "cases": ("cases:cases", "列出办件，可筛选、可导出"),
        "show": ("show:show", "看一件：计时、逐日账、经过、提醒、消息"),
        "report": ("report:report_", "一个月的数字：按科室、分类、事项、承办人，超期的件"),
        "simulate": ("simulate:simulate", "用虚拟时间重放历史，看谁会在何时收到什么"),
        "recompute": ("recompute:recompute", "按现行日历重算在办的件，先列出差异"),
    },
    "规则": {
        "calendar": ("calendar:calendar", "工作日历：各年状态、导入放假通知、地方假日、某一天"),
        "policy": ("policy:policy", "时限和升级规则：检查、查看"),
        "directory": ("directory:directory", "通讯录：人员、科室、角色、代班"),
    },
    "接入": {
        "source": ("source:source", "业务系统及其密钥"),
        "webhooks": ("webhooks:webhooks_", "发给业务系统的事件：查看、重发"),
        "inbox": ("inbox:inbox", "收到的事件：没有生效的、为什么、原文，再试一次"),
        "channel": ("channel:channel", "发送渠道：列表、试发"),
        "messages": ("messages:messages_", "发出的提醒：告诉了谁、结果如何；维护时暂停发送"),
        "template": ("template:template", "消息模板：预览、可用的变量"),
        "user": ("user:user", "网页账号：谁能登录，能看哪些办件"),
        "openapi": ("openapi:openapi", "输出 HTTP 接口的 OpenAPI 文档"),
        "asyncapi": ("openapi:asyncapi", "输出 Redis 流、Celery 任务和 webhook 的 AsyncAPI 文档"),
        "schemas": ("openapi:schemas_", "把全部契约写进一个文件夹，或核对写出来的是不是现在的"),
    },
}
_PLACES = {name: place for section in COMMANDS.values() for name, (place, _) in section.items()}


class Sla(click.Group):
    """The root command: finds the others by name and catches what they raise."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = _PLACES.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(f"sla_service.cli.{module}"), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{place} is no command")
        return dress(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as e:  # Click knows nothing of commands that are not loaded
            raise click.NoSuchCommand(e.command_name, possibilities=_PLACES, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """From the table above: asking every command for its line would import them all."""
        first = max(map(len, _PLACES))
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(first), text) for name, (_, text) in commands.items()])

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Runs a command and leaves with its exit code; people read one sentence, not a traceback."""
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
            sys.stdout.flush()
        except click.Abort:
            code = _complain("已中断。", INTERRUPTED)
        except click.exceptions.NoArgsIsHelpError as e:
            code = _complain(e.format_message(), e.exit_code)
        except click.ClickException as e:
            code = _complain(sentence(e), e.exit_code)
        except SlaError as e:
            code = _complain(f"sla：{e}", e.exit_code)
        except BrokenPipeError:  # whoever read our output has had enough (``sla cases | head``)
            code = _let_go()
        except OSError as e:
            code = _complain(f"sla：{_file_problem(e)}", _let_go())
        except Exception as e:
            text = _database_problem(e)
            if text is None:
                raise  # a fault of ours: the traceback is what helps
            code = _complain(f"sla：{text}", 1)
        sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str, code: int) -> int:
    click.echo(text, err=True)
    return code


def _let_go() -> int:
    """What standard output still holds and cannot take is dropped, else Python complains about it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _file_problem(error: OSError) -> str:
    reason = {FileNotFoundError: "没有这个文件", PermissionError: "没有权限", IsADirectoryError: "这是文件夹"}
    words = next((w for kind, w in reason.items() if isinstance(error, kind)), error.strerror or str(error))
    return f"{error.filename}：{words}。" if error.filename else f"读写失败：{words}。"


def _database_problem(error: Exception) -> str | None:
    """The sentence for a database that is away; None for anything else. Never loads SQLAlchemy to find that out."""
    if "sqlalchemy" not in sys.modules:
        return None
    border = importlib.import_module("sla_service.cli.database")
    text: str | None = border.problem(error)
    return text


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The entry point ``sla``. Chinese comes out as UTF-8 whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    cli.main(args=args, prog_name="sla")


@click.group(
    cls=Sla,
    help="办事时限管家：按工作日计时，临期提醒，超期逐级上报。",
    epilog=examples(
        "sla up",
        "sla due 2026-11-20 --kind simple",
        "sla cases --light red",
        "sla ingest 事件.jsonl",
        "sla 命令 --help",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="sla-service", message="sla %(version)s")
def cli() -> None:
    """The group itself does nothing."""


dress(cli)
