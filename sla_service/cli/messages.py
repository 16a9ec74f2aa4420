"""``sla messages``: who was told what, and what became of it; channels held for maintenance."""

from __future__ import annotations

from datetime import datetime

import click

from sla_service import systime
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option
from sla_service.domain.policy import BEIJING, Role
from sla_service.errors import UsageError
from sla_service.services import holding, messages, receipts, words
from sla_service.services.views import beijing
from sla_service.store.queries import MessageFilter

STATES = tuple(words.MESSAGE_STATES)
ROLES = tuple(str(role) for role in Role)


@click.group(
    name="messages",
    invoke_without_command=True,
    help="发出的提醒：告诉了谁、什么时候、服务商怎么说、回执、有没有知晓，一条一行，新的在前。",
    epilog=examples(
        "sla messages --case BBC-2026-0001",
        "sla messages --case BBC-2026-0001 --role bureau_leader",
        "sla messages --to wangwu --state accepted",
        "sla messages hold --until 18:00 --channel sms",
    ),
)
@click.option("--case", "no", default=None, metavar="编号", help="只看这一件。")
@click.option("--source", default=None, metavar="来源", help="只看这个来源。")
@click.option("--to", "who", multiple=True, metavar="谁", help="接收人在通讯录里的编号，可以写几次。")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([str(role) for role in Role]), help="只看发给这些角色的。"
)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="只看这些状态。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="最多几条。")
@json_option
@click.pass_context
def messages_(
    ctx: click.Context,
    no: str | None,
    source: str | None,
    who: tuple[str, ...],
    roles: tuple[str, ...],
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    if ctx.invoked_subcommand is not None:
        return
    with opened() as app:
        found = messages.listed(app, MessageFilter(source, no, who, states, roles), limit=limit)
        ahead = [] if no is None or who or states else messages.ahead(app, source, no, roles, now=systime.now())
    if as_json:
        emit(found)
        return
    for one in found:
        click.echo(one["text"])
    if not found:
        click.echo("没有这样的消息。")
    for line in ahead:
        click.echo(line)


@messages_.command(
    help="维护：先不发，到时间再发，一条不丢。",
    epilog=examples("sla messages hold --until 18:00", 'sla messages hold --until "2026-11-25 12:00" --channel sms'),
)
@click.option("--until", required=True, metavar="时间", help="到什么时候为止（北京时间）：18:00 或 2026-11-25 12:00。")
@click.option("--channel", default=None, metavar="渠道", help="只停这个渠道；不写是全部。")
@json_option
def hold(until: str, channel: str | None, as_json: bool) -> None:
    now = systime.now()
    end = _moment(until, now)
    with opened() as app:
        holding.pause(app, channel=channel, until=end, now=now)
    if as_json:
        emit({"channel": channel, "until": beijing(end)})
        return
    click.echo(f"{channel or '全部渠道'}暂停到 {end.astimezone(BEIJING):%Y-%m-%d %H:%M}，之后自动发出。")


@messages_.command(help="提前结束维护，等着的现在就发。", epilog=examples("sla messages resume --channel sms"))
@click.option("--channel", default=None, metavar="渠道", help="和 hold 时写的一样。")
@json_option
def resume(channel: str | None, as_json: bool) -> None:
    with opened() as app:
        n = holding.resume(app, channel=channel, now=systime.now())
    if as_json:
        emit({"channel": channel, "released": n})
        return
    click.echo(f"{channel or '全部渠道'}恢复发送，{n} 条等着的可以发了。")


@messages_.command(
    name="receipt-url",
    help="显示短信渠道的回执地址，填到服务商的控制台里。地址里的 token 要保密。",
    epilog=examples("sla messages receipt-url sms"),
)
@click.argument("channel", metavar="渠道")
@json_option
def receipt_url(channel: str, as_json: bool) -> None:
    with opened() as app:
        if channel not in app.config.channels:
            raise UsageError(f"没有渠道 {channel}，有 {'、'.join(app.channels.names())}")
        base = (app.settings.public_url or f"http://{app.settings.http}").rstrip("/")
        url = f"{base}/v1/receipts/{channel}?token={receipts.token(app, channel, now=systime.now())}"
    if as_json:
        emit({"channel": channel, "url": url})
        return
    click.echo(url)


def _moment(text: str, now: datetime) -> datetime:
    """``18:00`` is today's."""
    today = now.astimezone(BEIJING)
    for form in ("%H:%M", "%Y-%m-%d %H:%M"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 (Beijing time, said below)
        except ValueError:
            continue
        day = found if form != "%H:%M" else found.replace(year=today.year, month=today.month, day=today.day)
        return day.replace(tzinfo=BEIJING)
    raise UsageError(f"--until 要写成 18:00 或 2026-11-25 12:00，收到的是 {text}")
