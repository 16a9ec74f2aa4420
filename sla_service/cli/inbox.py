"""``sla inbox``: what came in, what became of it, and trying again what was not taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click
from redis.exceptions import RedisError

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import When
from sla_service.cli.tables import Cell, Column, show
from sla_service.domain.policy import at_minute
from sla_service.errors import BrokerError
from sla_service.services import arrivals, streams
from sla_service.services.app import App
from sla_service.services.arrivals import Again, Arrival
from sla_service.store.arrivals import Wanted
from sla_service.supervisor.broker import socket_folder
from sla_service.supervisor.place import state_folder

_STATUS = {
    "waiting": Cell("等待受理", "yellow"),
    "rejected": Cell("不适用", "red"),
    "invalid": Cell("无效", "red"),
    "conflict": Cell("冲突", "red"),
    "applied": Cell("生效", "green"),
    "duplicate": Cell("重复"),
    "voided": Cell("已撤销"),
    "replaced": Cell("已更正"),
    "retried": Cell("已重试"),
}
_DOORS = {"http": "HTTP", "stream": "Redis 流", "celery": "Celery", "file": "文件", "retry": "重试", "handover": "移交"}


@click.group(
    help="收到的事件：没有生效的有哪些、为什么、原文是什么；规则或登记改好之后再试一次。",
    epilog=examples("sla inbox list", "sla inbox show hall BBC-2026-0001/closed/1", "sla inbox retry --source hall"),
)
def inbox() -> None:
    """Commands below."""


def _filters(command: Any) -> Any:
    """The options that choose among what came in."""
    for option in (
        click.option("--since", type=When(), metavar="时间", help="只看这之后收到的。"),
        click.option("--case", "no", metavar="编号", help="只看这一件。"),
        click.option("--source", metavar="来源", help="只看这个来源。"),
    ):
        command = option(command)
    return command


@inbox.command(
    name="list",
    help="列出收到的事件，新的在前。不写 --status 时只列需要有人管的：等待受理、不适用、无效、冲突。",
    epilog=examples(
        "sla inbox list",
        "sla inbox list --status waiting --source hall",
        "sla inbox list --case BBC-2026-0001 --status applied --status voided",
        "sla inbox list --since 2026-11-20 --json",
    ),
)
@click.option("--status", "statuses", multiple=True, type=click.Choice(arrivals.STATUSES), help="可以写几次。")
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="最多几条。")
@json_option
def list_(
    statuses: tuple[str, ...],
    source: str | None,
    no: str | None,
    since: date | datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    now = systime.now()
    with opened() as app:
        found = arrivals.listed(app, Wanted(statuses, source, no, (), _instant(since)), limit=limit)
    if as_json:
        emit([{**_plain(one), "long_waiting": one.long_waiting(now)} for one in found])
        return
    if not found:
        say("没有这样的事件。" if statuses or source or no or since else "没有需要处理的：收到的事件都生效了。")
        return
    columns = [Column("收到"), Column("来源"), Column("办件"), Column("事件", flexible=True), Column("结果")]
    show([*columns, Column("原因", flexible=True)], [_row(one, now) for one in found])
    late = sum(one.long_waiting(now) for one in found)
    if late:
        say(f"{late} 个事件等受理等了一天以上：请业务系统补发这些办件的 case.accepted。")


@inbox.command(
    name="show",
    help="显示一个事件收到过的全部原文：从哪个门、什么时候、结果如何。\n\n"
    "当事人打码；要看没打码的，用 --why 写明理由，记入审计日志。",
    epilog=examples("sla inbox show hall e-1", 'sla inbox show hall e-1 --why "与业务系统核对"'),
)
@click.argument("source", metavar="来源")
@click.argument("event_id", metavar="事件ID")
@click.option("--why", metavar="理由", help="不打码，理由记入审计日志。")
@json_option
def show_(source: str, event_id: str, why: str | None, as_json: bool) -> None:
    with opened() as app:
        found = arrivals.shown(app, source, event_id, now=systime.now(), why=why)
    if as_json:
        emit([{**_plain(one["arrival"]), "body": one["body"]} for one in found])
        return
    for one in found:
        arrival: Arrival = one["arrival"]
        result = f"{_STATUS[arrival.status].text}{f'：{arrival.problem}' if arrival.problem else ''}"
        click.echo(f"{words.moment(arrival.received_at)}  从{_DOORS.get(arrival.door, arrival.door)}收到，{result}")
        click.echo(one["body"] + "\n")


@inbox.command(
    help="把无效、冲突的原文按现在的规则再试一次（例如来源已经登记、字段已经放宽）。默认只试算，加 --apply 才生效。\n\n"
    "等待受理和不适用的不用重试：它们在同一办件的每个新事件到来时都会重新判断。",
    epilog=examples(
        "sla inbox retry --source hall", "sla inbox retry --source hall --apply", "sla inbox retry e-1 e-2 --apply"
    ),
)
@click.argument("ids", metavar="[事件ID]...", nargs=-1)
@click.option("--status", "statuses", multiple=True, type=click.Choice(arrivals.AGAIN), help="只试这一种。")
@_filters
@click.option("--apply", is_flag=True, help="生效；不写只试算。")
@json_option
def retry(
    ids: tuple[str, ...],
    statuses: tuple[str, ...],
    source: str | None,
    no: str | None,
    since: date | datetime | None,
    apply: bool,
    as_json: bool,
) -> None:
    wanted = Wanted(statuses, source, no, ids, _instant(since))
    with opened() as app:
        done = arrivals.retry(app, wanted, now=systime.now(), apply=apply)
    if as_json:
        tried = [{**_plain(one.arrival), "now": one.status, "now_problem": one.problem or None} for one in done]
        emit({"applied": apply, "counts": Counter(one.status for one in done), "events": tried})
        return
    if not done:
        say("没有可以重试的：没有留存的无效或冲突的原文。")
        return
    columns = [Column("收到"), Column("来源"), Column("办件"), Column("事件", flexible=True), Column("结果")]
    show([*columns, Column("原因", flexible=True)], [_again(one) for one in done])
    taken = sum(one.status not in arrivals.AGAIN for one in done)
    if not apply:
        say(f"以上是试算，什么都没有改；{taken} 个会被收下，加 --apply 生效。")


@inbox.command(
    help="Redis 流里放到一边的条目（sla:events:dead），新的在前；--retry 把它们放回流里再读一次。",
    epilog=examples("sla inbox dead", "sla inbox dead --retry", "sla inbox dead --retry 1732264961000-0"),
)
@click.argument("ids", metavar="[条目号]...", nargs=-1)
@click.option("--retry", "again", is_flag=True, help="放回流里；不写条目号就是全部列出的。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="最多几条。")
@json_option
def dead(ids: Sequence[str], again: bool, limit: int, as_json: bool) -> None:
    with opened() as app:
        url = _broker(app)
    try:
        client = streams.connect(url)
        found = [one for one in streams.dead(client, limit=limit) if not ids or one.id in ids]
        back = {one.id for one in reversed(found) if again and streams.repeat(client, one)}
    except RedisError as e:
        raise BrokerError(f"连不上消息队列：{e}") from None
    if as_json:
        plain = [{"id": one.id, "at": words.instant(one.at), "entry": one.entry, "reason": one.reason} for one in found]
        emit([{**one, "repeated": one["id"] in back} for one in plain])
        return
    if not found:
        say("没有放到一边的条目。")
        return
    columns = [Column("条目"), Column("时间"), Column("原因", flexible=True)]
    show([*columns, Column("")], [_entry(one, back, again=again) for one in found])
    if again:
        say(f"{len(back)} 个放回了流里，结果见 sla inbox list 和 sla inbox dead。")


def _entry(one: streams.DeadEntry, back: set[str], *, again: bool) -> list[str | Cell]:
    done = "已放回" if one.id in back else "没有 event 字段，放不回去" if again else ""
    return [one.id, words.moment(one.at), one.reason, done]


def _broker(app: App) -> str:
    """The URL of the broker: one of the settings, or the one that ``sla up`` brings."""
    settings = app.settings
    if settings.broker_url is not None:
        return settings.broker_url
    where = state_folder(sqlite_path=settings.sqlite_path, database_url=settings.database_url, var_dir=settings.var_dir)
    path = socket_folder(where) / "broker.sock"
    if not path.exists():
        raise BrokerError("内置的消息队列没有运行，请先 sla up。")
    return f"redis+socket://{path}"


def _row(one: Arrival, now: datetime) -> list[str | Cell]:
    status = _STATUS[one.status]
    if one.long_waiting(now):
        status = Cell(f"等了 {(now - one.received_at).days} 天", "red", bold=True)
    return [*_head(one), status, one.problem]


def _again(one: Again) -> list[str | Cell]:
    return [*_head(one.arrival), _STATUS[one.status], one.problem]


def _head(one: Arrival) -> list[str | Cell]:
    what = f"{one.id or '（没有 id）'}\n{one.type}" if one.type else one.id or "（没有 id）"
    return [words.moment(one.received_at), one.source or "—", one.no or "—", what.replace("\n", " ")]


def _plain(one: Arrival) -> dict[str, Any]:
    told = {"source": one.source, "id": one.id or None, "case": one.no, "type": one.type, "status": one.status}
    times = {"time": words.instant(one.time) if one.time else None, "received_at": words.instant(one.received_at)}
    return {**told, "problem": one.problem or None, "door": one.door, **times}


def _instant(when: date | datetime | None) -> datetime | None:
    return when if when is None or isinstance(when, datetime) else at_minute(when, 0)
