"""The doctor's questions about what moves: ticks, messages, tries, events, the stream, the sealing of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sla_service.services.app import App
from sla_service.services.doctor_check import Check, patience, span
from sla_service.services.streams import noted
from sla_service.services.ticking import NEVER, last_tick
from sla_service.store import checks, unclear

STUCK = timedelta(minutes=15)  # beyond the retries' usual waits and a worker that restarts
_LEASE = timedelta(minutes=5)
_WAITED = timedelta(days=1)
_RECENT = timedelta(days=30)
_LISTED = 1_000  # unclear messages that are told one by one
_TRIES = 5  # the last ones on a channel, all of which came to nothing
_LATELY = timedelta(days=1)
_FAILED = frozenset({"refused", "unavailable", "rate_limited", "unknown", "misconfigured"})


def checks_of_flow(app: App, now: datetime) -> Iterator[Check]:
    yield _overdue(app, now)
    yield _heart(app, now)
    yield from _messages(app, now)
    yield _unclear(app, now)
    yield from _outcomes(app, now)
    yield _waiting(app, now)
    yield from _stream(app, now)
    yield _sealing(app, now)


def _overdue(app: App, now: datetime) -> Check:
    with app.db.read() as conn:
        count, oldest = checks.overdue_looks(conn, before=now - patience(app))
    if not count or oldest is None:
        return Check("overdue", "ok", "没有过了时间还没处理的计时")
    text = f"{count} 个计时过了时间还没处理，最早的晚了 {span(now - oldest)}"
    return Check("overdue", "error", text, "sla up（或启动 celery worker 和 beat）")


def _heart(app: App, now: datetime) -> Check:
    at = last_tick(app)
    if at == NEVER:
        return Check("tick", "error", "服务还没有运行过，提醒不会发出", "sla up")
    if now - at > patience(app):
        return Check("tick", "error", f"服务没有在运行，最后一次检查是 {span(now - at)}前", "sla up")
    return Check("tick", "ok", f"服务在运行，{span(now - at)}前检查过")


def _messages(app: App, now: datetime) -> Iterator[Check]:
    with app.db.read() as conn:
        late = checks.late_messages(conn, before=now - STUCK)
        lost = checks.lost_leases(conn, before=now - _LEASE)
        troubled = checks.troubled(conn, since=now - _RECENT)
    if late:
        told = "、".join(f"{name} {n} 条" for name, n in sorted(late.items()))
        yield Check("queued", "error", f"消息积压超过 {span(STUCK)}：{told}", "sla up；sla channel test 渠道 --to 谁")
    if lost:
        yield Check("leases", "error", f"{lost} 个发送中断后没有人接手", "sla up")
    for row in troubled:
        yield _trouble(row)
    if not (late or lost or troubled):
        yield Check("messages", "ok", "没有积压、失败或结果不明的消息")


def _trouble(row: Mapping[str, Any]) -> Check:
    where = f"，例如 {row['source']}/{row['no']}"
    see = f"sla show {row['source']} {row['no']}"
    if row["reason"] == "no_recipient":
        return Check(
            "no_recipient", "error", f"{row['n']} 条消息没有人可发{where}", "补全 directory.yaml 后重启；" + see
        )
    if row["state"] == "unknown":
        return Check("unknown", "error", f"{row['n']} 条消息不清楚有没有发出（{row['channel']}）{where}", see)
    fix = f"sla channel test {row['channel']} --to 谁；{see}"
    return Check("failed", "error", f"{row['n']} 条消息没有发出（{row['reason'] or row['channel']}）{where}", fix)


def _unclear(app: App, now: datetime) -> Check:
    """Each message that may have been shown twice, or not at all, because a try had no clear outcome."""
    with app.db.read() as conn:
        found = unclear.listed(conn, since=now - _RECENT, limit=_LISTED + 1)
    if not found:
        return Check("unclear", "ok", "每次发送的结果都清楚")
    listed = [f"{r['source']}/{r['no']} {r['channel']} {r['recipient']}（试 {r['tries']} 次）" for r in found[:_LISTED]]
    count = f"{len(found)} 条" if len(found) <= _LISTED else f"超过 {_LISTED} 条"
    text = f"{count}消息有一次发送没有等到回答，可能重复：{'；'.join(listed)}"
    return Check("unclear", "warning", text, "sla show 来源 编号")


def _outcomes(app: App, now: datetime) -> Iterator[Check]:
    """A channel whose last tries all came to nothing is down, however well the messages' own retries hide it."""
    wrong = False
    for channel in app.channels.names():
        with app.db.read() as conn:
            tries = checks.last_tries(conn, channel, since=now - _LATELY, limit=_TRIES)
        if not tries or tries[0]["outcome"] == "accepted":
            continue
        if len(tries) == _TRIES and all(t["outcome"] in _FAILED for t in tries):
            wrong = True
            last = tries[0]
            what = f"{last['outcome']} {last['code'] or ''}".strip()
            ago = span(now - last["started_at"])
            text = f"渠道 {channel} 最近 {_TRIES} 次发送都没有成功，最后一次是 {ago}前（{what}）"
            yield Check("outcomes", "error", text, f"sla channel test {channel} --to 谁")
    if not wrong:
        yield Check("outcomes", "ok", "各渠道最近的发送有成功的，或没有发送过")


def _waiting(app: App, now: datetime) -> Check:
    with app.db.read() as conn:
        count, oldest = checks.waiting_events(conn, before=now - _WAITED)
    if not count or oldest is None:
        return Check("waiting", "ok", "没有等了一天以上的事件")
    where = f"{oldest['source']}/{oldest['no']}"
    text = f"{count} 个事件等受理等了一天以上，例如 {where} 的 {oldest['type']}"
    fix = "sla inbox list --status waiting；请业务系统补发 case.accepted，或用 sla ingest 补录"
    return Check("waiting", "error", text, fix)


def _stream(app: App, now: datetime) -> Iterator[Check]:
    """The door ``sla:events``, as its readers noted it: nothing to say where nobody writes to it."""
    state = noted(app)
    if state is None or not (state.length or state.dead):
        return
    if state.dead:
        text = f"{state.dead} 条事件流里的内容不成事件，放在 sla:events:dead"
        yield Check("stream", "warning", text, "sla inbox dead")
    if state.oldest_at is not None and now - state.oldest_at > STUCK:
        text = f"事件流里有 {state.lag} 条没有人取，最早的等了 {span(now - state.oldest_at)}"
        yield Check("stream", "error", text, "sla up（或启动 celery worker）")
    elif not state.dead:
        yield Check("stream", "ok", f"事件流 sla:events 取到了最新（{state.lag} 条在路上）")


def _sealing(app: App, now: datetime) -> Check:
    with app.db.read() as conn:
        count, oldest = checks.unsealed(conn, before=now - STUCK)
    if not count or oldest is None:
        return Check("audit", "ok", "审计日志都已连成校验链")
    text = f"{count} 行审计日志还没有连进校验链，最早的等了 {span(now - oldest)}"
    return Check("audit", "error", text, "sla up；再 sla audit verify")
