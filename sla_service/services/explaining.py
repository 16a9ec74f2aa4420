"""One case folded again, and told day by day: what counted, what did not, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from schemas.replies import ClockOut, ExplainOut
from sla_service.domain.case import REPLY_TARGET, Clock, Verdict
from sla_service.domain.clock import business_date
from sla_service.domain.policy import BEIJING, Hours
from sla_service.errors import NotFoundError
from sla_service.services.app import App
from sla_service.services.due import DayOut, close_text, date_text, line
from sla_service.services.refolding import Refolded, refolded
from sla_service.store import cases, inbox, queries

Row = Mapping[str, Any]

TARGET_WORDS: Mapping[str, str] = {"resolve": "办结", "sign": "签收", "follow_up": "回访", REPLY_TARGET: "答复"}


class ClockAccountOut(ClockOut):
    """One clock with its account; ``text`` sums it up for people."""

    text: str
    account: tuple[DayOut, ...] = ()


class CaseAccountOut(ExplainOut):
    """The account of one case: one entry per clock (target and round), the newest round of ``resolve`` first."""

    clocks: tuple[ClockAccountOut, ...]


def explain(app: App, source: str, no: str, *, now: datetime) -> CaseAccountOut:
    """The account of one case. Raises NotFoundError if it was never accepted."""
    with app.db.read() as conn:
        row = accepted(conn, source, no)
        history = inbox.history(conn, [(source, no)])
        stored = cases.read_clocks(conn, [(source, no)])
    found = refold(app, row, history, stored)
    clocks = [
        c for c in found.case.clocks if c.target != REPLY_TARGET
    ]  # it has no due date, so there is nothing to count
    clocks.sort(key=lambda c: (c.target != "resolve", -c.round))
    return CaseAccountOut(source=source, no=no, clocks=tuple(_clock(c, found, now) for c in clocks))


def accepted(conn: Connection, source: str, no: str) -> Row:
    """The row of an accepted case. Raises NotFoundError, which says if there are events that wait for it."""
    row = queries.case(conn, source, no)
    if row is not None and row["accepted_at"] is not None:
        return row
    waiting = inbox.history(conn, [(source, no)]) if row is not None else []
    since = min((r["received_at"] for r in waiting), default=None)
    more = "请核对来源和办件编号"
    if since is not None:
        first = f"{since.astimezone(BEIJING):%Y-%m-%d %H:%M}"
        more = f"已有 {len(waiting)} 个事件在等它的受理事件（case.accepted），最早的 {first} 收到，请补发"
    raise NotFoundError(f"没有办件 {source}/{no}：{more}。")


def refold(app: App, row: Row, history: Iterable[Row], clocks: Iterable[Row]) -> Refolded:
    """The case as intake folded it: under its own policy, each clock under its calendar. ``clocks`` are its rows."""
    policy = app.policy(row["policy_version"], row["hall"])
    events = [inbox.event_of(r) for r in history]
    stored = {(c["target"], c["round"]): c for c in clocks}
    return refolded(events, row, stored, policy, kept=app.calendars.of, in_force=app.calendar)


def _clock(clock: Clock, found: Refolded, now: datetime) -> ClockAccountOut:
    due, policy, calendar = clock.due, found.policy, found.counted_by(clock)
    provisional = due is not None and due.provisional
    days = clock.account(calendar, policy.hours, today=business_date(now))
    return ClockAccountOut(
        target=clock.target,
        round=clock.round,
        started_at=clock.started_at.astimezone(BEIJING),
        start_on=clock.start_on,
        limit=clock.limit,
        stopped_at=clock.stopped_at.astimezone(BEIJING) if clock.stopped_at else None,
        due_on=due.on if due else None,
        due_at=due.at if due else None,
        provisional=provisional,
        due_earliest=due.earliest if due and provisional else None,
        due_latest=due.latest if due and provisional else None,
        verdict=clock.verdict.value if clock.verdict else None,
        late_days=clock.late_days if clock.verdict is Verdict.BREACHED else None,
        account=tuple(DayOut(**line(day, policy.hours)) for day in days),
        text=_text(clock, policy.hours, paused=sum(d.state == "paused" for d in days)),
    )


def _text(clock: Clock, hours: Hours, *, paused: int) -> str:
    """``办结：11月20日（周五）起算，时限 3 个工作日，11月25日（周三）17:30 到期``"""
    again = f"（第 {clock.round} 轮）" if clock.round > 1 else ""
    parts = [f"{TARGET_WORDS.get(clock.target, clock.target)}{again}：{date_text(clock.start_on)}起算"]
    parts.append(f"时限 {clock.limit} 个工作日")
    if paused:
        parts.append(f"挂起 {paused} 个工作日不计")
    if clock.due is None:
        parts.append("挂起中，恢复后再算到期日" if clock.running else "没有到期日")
    else:
        held = "，放假安排未发布，暂定" if clock.due.provisional else ""
        parts.append(f"{date_text(clock.due.on)}{close_text(hours)} 到期{held}")
    if clock.stopped_at is not None:
        parts.append(f"{date_text(business_date(clock.stopped_at))}停止{_verdict(clock)}")
    return "，".join(parts) + "。"


def _verdict(clock: Clock) -> str:
    if clock.verdict is Verdict.MET:
        return "，按时"
    if clock.verdict is Verdict.BREACHED:
        return f"，超期 {clock.late_days} 个工作日" if clock.late_days else "，到期日下班后才停，超期"
    return ""
