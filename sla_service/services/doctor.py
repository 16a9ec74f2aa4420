"""An independent audit: does what stands in the database agree with what follows from the events, and does it move?

Every check counts for itself and says which command mends what it found. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sla_service.domain.clock import business_date
from sla_service.domain.fold import fold
from sla_service.errors import ChannelError
from sla_service.services import config_check
from sla_service.services.app import App
from sla_service.services.consequences import ladder_of
from sla_service.services.ticking import NEVER, last_tick
from sla_service.store import cases, checks, inbox, sources, unclear

Level = Literal["ok", "warning", "error"]
Key = tuple[str, str]

SAMPLE = 300  # cases that are folded anew
_STUCK = timedelta(minutes=15)  # beyond the retries' usual waits and a worker that restarts
_LEASE = timedelta(minutes=5)
_WAITED = timedelta(days=1)
_RECENT = timedelta(days=30)
_SKEW = timedelta(seconds=5)
_BEATS = 6  # missed ticks until the heart is called silent
_LEAST = timedelta(seconds=60)
_ASK_FROM = (11, 1)  # from this day on administrators are told that next year's calendar is missing


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and what was found; ``fix`` is what to do about it."""

    name: str
    level: Level
    text: str
    fix: str = ""


def examine(
    app: App, *, now: datetime, real_now: Callable[[], datetime], broker: Callable[[], str | None]
) -> Iterator[Check]:
    """All checks, as they are made. ``broker`` gives what is wrong with it; ``real_now`` is the clock unshifted."""
    yield _config(app)
    yield from _channels(app)
    yield _clocks(app)
    yield _overdue(app, now)
    yield _heart(app, now)
    yield from _messages(app, now)
    yield _unclear(app, now)
    yield _waiting(app, now)
    yield _calendar(app, business_date(now))
    yield _followed(app, now)
    yield _time(app, real_now)
    problem = broker()
    if problem is None:
        yield Check("broker", "ok", "消息队列有回应")
    else:
        yield Check("broker", "error", problem, "sla up（或检查 SLA_BROKER_URL）")


def _config(app: App) -> Check:
    warnings = config_check.check(app.config, app.settings.variables)
    if not warnings:
        return Check("config", "ok", f"配置没有问题，规则版本 {app.config.policy.version}")
    return Check(
        "config", "warning", f"配置有 {len(warnings)} 处注意：{warnings[0]}", f"sla policy check {app.config.folder}"
    )


def _channels(app: App) -> Iterator[Check]:
    used = {c for p in _policies(app) for t in p.targets for s in t.ladder for c in s.via}
    broken = False
    for name in sorted(used | set(app.channels.names())):
        try:
            app.channels.open(name)
        except ChannelError as e:
            broken = True
            yield Check("channels", "error" if name in used else "warning", str(e), "sla channel list")
    if not broken:
        yield Check("channels", "ok", f"渠道都能打开：{'、'.join(app.channels.names())}")


def _policies(app: App) -> Sequence[Any]:
    return [app.config.policy, *app.config.policies.values()]


def _clocks(app: App) -> Check:
    """Folds a sample anew: those that run out first, and all with a clock that nobody will look at again."""
    with app.db.read() as conn:
        keys = sorted({*checks.soonest(conn, limit=SAMPLE), *checks.without_next_look(conn, limit=SAMPLE)})
        rows = {(r["source"], r["no"]): r for r in cases.read(conn, keys)}
        history: dict[Key, list[Mapping[str, Any]]] = {}
        for event in inbox.history(conn, keys):
            history.setdefault((event["source"], event["no"]), []).append(event)
        delays = {r["name"]: timedelta(seconds=r["batch_delay"]) for r in sources.everyone(conn)}
        stored: dict[Key, list[Mapping[str, Any]]] = {}
        for clock in cases.read_clocks(conn, keys):
            stored.setdefault((clock["source"], clock["no"]), []).append(clock)
    wrong = [
        (key, why)
        for key, row in rows.items()
        if row["accepted_at"] is not None
        and (why := _disagrees(app, row, history.get(key, []), stored.get(key, []), delays[key[0]])) is not None
    ]
    if not wrong:
        return Check("clocks", "ok", f"抽查 {len(rows)} 件，计时与事件一致，没有漏掉的提醒")
    (source, no), why = wrong[0]
    text = f"抽查 {len(rows)} 件，{len(wrong)} 件与事件不一致，例如 {source}/{no}：{why}"
    return Check("clocks", "error", text, "sla recompute --dry-run 看差异，再 sla recompute")


def _disagrees(
    app: App,
    row: Mapping[str, Any],
    history: list[Mapping[str, Any]],
    stored: list[Mapping[str, Any]],
    delay: timedelta,
) -> str | None:
    """What the fold of the events says otherwise; None if all agrees.

    Under the calendar of the case's last fold: whether that is the one in force is another question.
    """
    policy = app.policy(row["policy_version"], row["hall"])
    calendar = app.calendars.of(row["calendar_version"])
    case = fold(map(inbox.event_of, history), policy, calendar, source=row["source"], no=row["no"])
    if row["state"] != case.state.value:
        return f"状态应为 {case.state.value}，库里是 {row['state']}"
    kept = {(c["target"], c["round"]): c for c in stored}
    for clock in case.clocks:
        held = kept.get((clock.target, clock.round))
        if held is None:
            return f"缺少 {clock.target} 的计时"
        due = clock.due.on if clock.due else None
        if held["due_on"] != due:
            return f"{clock.target} 的到期日应为 {due or '无'}，库里是 {held['due_on'] or '无'}"
        ladder = ladder_of(case, clock, policy, calendar, delay=delay) if clock.running else None
        ahead = ladder.next_after(held["watermark"]) if ladder is not None else None
        if ahead is not None and (held["next_at"] is None or held["next_at"] > ahead):
            return f"{clock.target} 的下一次提醒没有安排上"
    return None


def _overdue(app: App, now: datetime) -> Check:
    with app.db.read() as conn:
        count, oldest = checks.overdue_looks(conn, before=now - _patience(app))
    if not count or oldest is None:
        return Check("overdue", "ok", "没有过了时间还没处理的计时")
    text = f"{count} 个计时过了时间还没处理，最早的晚了 {span(now - oldest)}"
    return Check("overdue", "error", text, "sla up（或启动 celery worker 和 beat）")


def _patience(app: App) -> timedelta:
    return max(_LEAST, timedelta(seconds=app.settings.tick_seconds * _BEATS))


def _heart(app: App, now: datetime) -> Check:
    at = last_tick(app)
    if at == NEVER:
        return Check("tick", "error", "服务还没有运行过，提醒不会发出", "sla up")
    if now - at > _patience(app):
        return Check("tick", "error", f"服务没有在运行，最后一次检查是 {span(now - at)}前", "sla up")
    return Check("tick", "ok", f"服务在运行，{span(now - at)}前检查过")


def _messages(app: App, now: datetime) -> Iterator[Check]:
    with app.db.read() as conn:
        late = checks.late_messages(conn, before=now - _STUCK)
        lost = checks.lost_leases(conn, before=now - _LEASE)
        troubled = checks.troubled(conn, since=now - _RECENT)
    if late:
        told = "、".join(f"{name} {n} 条" for name, n in sorted(late.items()))
        yield Check("queued", "error", f"消息积压超过 {span(_STUCK)}：{told}", "sla up；sla channel test 渠道 --to 谁")
    if lost:
        yield Check("leases", "error", f"{lost} 个发送中断后没有人接手", "sla up")
    for row in troubled:
        yield _trouble(row)
    if not (late or lost or troubled):
        yield Check("messages", "ok", "没有积压、失败或结果不明的消息")


def _unclear(app: App, now: datetime) -> Check:
    """Each message that may have been shown twice, or not at all, because a try had no clear outcome."""
    with app.db.read() as conn:
        found = unclear.listed(conn, since=now - _RECENT)
    if not found:
        return Check("unclear", "ok", "每次发送的结果都清楚")
    told = "；".join(f"{r['source']}/{r['no']} {r['channel']} {r['recipient']}（试 {r['tries']} 次）" for r in found)
    return Check(
        "unclear", "warning", f"{len(found)} 条消息有一次发送没有等到回答，可能重复：{told}", "sla show 来源 编号"
    )


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


def _waiting(app: App, now: datetime) -> Check:
    with app.db.read() as conn:
        count, oldest = checks.waiting_events(conn, before=now - _WAITED)
    if not count or oldest is None:
        return Check("waiting", "ok", "没有等了一天以上的事件")
    text = f"{count} 个事件等受理等了一天以上，例如 {oldest['source']}/{oldest['no']} 的 {oldest['type']}"
    return Check("waiting", "error", text, "请业务系统补发这些办件的 case.accepted")


def _calendar(app: App, today: date) -> Check:
    calendar = app.calendar()
    if not calendar.status(today.year).settled:
        text = f"{today.year} 年的放假安排没有导入，到期日都是暂定的"
        return Check("calendar", "error", text, "sla calendar import 通知文件 --apply")
    if (today.month, today.day) >= _ASK_FROM and not calendar.status(today.year + 1).settled:
        text = f"{today.year + 1} 年的放假安排还没有导入，落在明年的到期日是暂定的"
        return Check("calendar", "warning", text, "通知公布后 sla calendar import 通知文件 --apply")
    last = max(y for y, info in calendar.years().items() if info.status.settled)
    return Check("calendar", "ok", f"放假安排已知到 {last} 年底")


def _followed(app: App, now: datetime) -> Check:
    """A new calendar reaches running cases in batches; what is left after a while was forgotten."""
    with app.db.read() as conn:
        held = checks.open_by_calendar(conn)
    behind = [(hall, n) for hall, version, n in held if version != app.calendar(hall).version]
    if not behind:
        return Check("followed", "ok", "在办的件都按现行日历算过")
    text = f"{sum(n for _, n in behind)} 件在办的件还没有按现行日历重算"
    at = max((c.at for c in (app.change(hall) for hall, _ in behind) if c.at is not None), default=None)
    if at is not None and now - at < _STUCK:
        return Check("followed", "ok", f"{text}，正在重算")
    return Check("followed", "error", text, "sla up 会接着重算；或 sla recompute")


def _time(app: App, real_now: Callable[[], datetime]) -> Check:
    if app.settings.clock_shift:
        text = f"时钟被 SLA_CLOCK_SHIFT 移动了 {app.settings.clock_shift:g} 秒，时间和提醒都不是真的"
        return Check("clock", "warning", text, "去掉 SLA_CLOCK_SHIFT")
    with app.db.read() as conn:
        before = real_now()
        there = checks.clock(conn)
        after = real_now()
    if there is None:
        return Check("clock", "ok", "数据库就在本机，时钟相同")
    skew = there - (before + (after - before) / 2)
    if abs(skew) > _SKEW + (after - before):
        fast = "快" if skew > timedelta() else "慢"
        return Check("clock", "error", f"数据库的时钟比本机{fast} {span(abs(skew))}", "在两台机器上启用 NTP 对时")
    return Check("clock", "ok", f"与数据库的时钟相差不到 {_SKEW.seconds} 秒")


def span(length: timedelta) -> str:
    """``3 天``, ``2 小时``, ``5 分钟``, ``8 秒``: the largest unit says enough."""
    seconds = int(length.total_seconds())
    for size, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} 秒"
