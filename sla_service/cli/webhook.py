"""``sla source webhook``: where a case system wants to be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from sla_service import systime
from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option, say
from sla_service.cli.reading import Span
from sla_service.errors import UsageError
from sla_service.services import audit, webhooks
from sla_service.services.app import App
from sla_service.services.webhooks import Hook
from sla_service.settings_values import masked_url

_STATES = {"active": "正常", "failing": "没有应答，稍后再试", "disabled": "接收方回答 410，已停用"}
_ONCE = "签名密钥只显示这一次，请马上交给业务系统；接收时用它核对签名，写法见 docs/webhooks.md。"


@click.command(
    help="业务系统的 webhook 地址：到期日变动、提醒、超期、办结时，把签名的事件发到这里。"
    "不带选项时显示现在的地址和发送情况。",
    epilog=examples(
        "sla source webhook hall --url https://case.example.gov.cn/sla",
        "sla source webhook hall",
        "sla source webhook hall --rotate --overlap 24h",
        "sla source webhook hall --remove",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--url", metavar="地址", help="设为这个地址；第一次设置时给一个签名密钥。")
@click.option("--rotate", is_flag=True, help="换签名密钥；旧的再用一段时间，其间两个签名都带。")
@click.option("--overlap", type=Span(), default="24h", metavar="时长", help="旧签名密钥还能用多久，默认 24h。")
@click.option("--remove", is_flag=True, help="去掉地址；还没发出的不再发。")
@json_option
def webhook(name: str, url: str | None, rotate: bool, overlap: timedelta, remove: bool, as_json: bool) -> None:
    if sum((url is not None, rotate, remove)) > 1:
        raise UsageError("--url、--rotate、--remove 一次只写一个。")
    with opened() as app:
        if remove:
            gone = webhooks.remove(app, name, who=audit.operator(), now=systime.now())
            if as_json:
                emit({"name": name, "removed": True, "dropped": gone})
            else:
                click.echo(f"{name} 的 webhook 已去掉，{gone} 个没有发出的事件不再发。")
            return
        hook = _changed(app, name, url, rotate=rotate, overlap=overlap)
    if as_json:
        emit(_plain(hook))
        return
    _show(hook)


def _changed(app: App, name: str, url: str | None, *, rotate: bool, overlap: timedelta) -> Hook:
    now, who = systime.now(), audit.operator()
    if url is not None:
        return webhooks.put(app, name, webhooks.check(app.settings, url), who=who, now=now)
    if rotate:
        return webhooks.renew(app, name, overlap=overlap, who=who, now=now)
    return webhooks.get(app, name, now=now)


def _show(hook: Hook) -> None:
    click.echo(f"地址      {masked_url(hook.url)}")
    click.echo(f"状态      {_STATES[hook.state]}")
    click.echo(f"最近收下  {words.moment(hook.answered_at)}")
    click.echo(f"等待发送  {hook.waiting}")
    click.echo(f"已放弃    {hook.dead}")
    for n, secret in enumerate(hook.secrets):
        until = f"，到 {words.moment(secret['expires_at'])} 作废" if secret["expires_at"] else ""
        click.echo(f"{'' if n else '签名密钥':　<4}  {words.moment(secret['created_at'])} 起{until}")
    if hook.secret:
        click.echo(f"新密钥    {hook.secret}")
        say(_ONCE)
    if hook.dead:
        say(f"看原因：sla webhooks list --source {hook.source} --state dead")
        say(f"重发：sla webhooks retry --source {hook.source}")


def _plain(hook: Hook) -> dict[str, Any]:
    made = {"secret": hook.secret} if hook.secret else {}
    times = {name: words.instant(getattr(hook, name)) for name in ("set_at", "disabled_at", "answered_at")}
    return {
        "name": hook.source,
        "url": hook.url,
        "state": hook.state,
        **times,
        "waiting": hook.waiting,
        "dead": hook.dead,
        "secrets": [{k: words.instant(v) if k != "id" else v for k, v in s.items()} for s in hook.secrets],
        **made,
    }
