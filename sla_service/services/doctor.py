"""An independent audit: does what stands in the database agree with what follows from the events, and does it move?

Every check counts for itself and says which command mends what it found. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sla_service.domain.case import State
from sla_service.domain.clock import business_date
from sla_service.services import doctor_place
from sla_service.services.app import App
from sla_service.services.consequences import ladder_of
from sla_service.services.doctor_check import Check, Level, span
from sla_service.services.doctor_flow import STUCK, checks_of_flow
from sla_service.services.refolding import refolded
from sla_service.store import cases, checks, inbox, sources

__all__ = ["Check", "Level", "examine", "span"]

Key = tuple[str, str]

SAMPLE = 300  # cases that are folded anew
_ASK_FROM = (11, 1)  # from this day on administrators are told that next year's calendar is missing


def examine(
    app: App, *, now: datetime, real_now: Callable[[], datetime], broker: Callable[[], str | None]
) -> Iterator[Check]:
    """All checks, as they are made. ``broker`` gives what is wrong with it; ``real_now`` is the clock unshifted."""
    yield doctor_place.config(app)
    yield from doctor_place.channels(app)
    yield _clocks(app)
    yield from checks_of_flow(app, now)
    yield _calendar(app, business_date(now))
    yield _followed(app, now)
    yield doctor_place.clock(app, real_now)
    yield doctor_place.disk(app)
    yield doctor_place.broker(broker())


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
    in_force = app.calendar_of(row) if row["state"] == State.CLOSED else app.calendars.of(row["calendar_version"])
    policy = app.policy(row["policy_version"], row["hall"])
    kept = {(c["target"], c["round"]): c for c in stored}
    events = [inbox.event_of(event) for event in history]
    found = refolded(events, row, kept, policy, kept=app.calendars.of, in_force=lambda _hall, _department: in_force)
    case = found.case
    if row["state"] != case.state.value:
        return f"状态应为 {case.state.value}，库里是 {row['state']}"
    for clock in case.clocks:
        held = kept.get((clock.target, clock.round))
        if held is None:
            return f"缺少 {clock.target} 的计时"
        due = clock.due.on if clock.due else None
        if held["due_on"] != due:
            return f"{clock.target} 的到期日应为 {due or '无'}，库里是 {held['due_on'] or '无'}"
        ladder = ladder_of(case, clock, policy, found.in_force, delay=delay) if clock.running else None
        ahead = ladder.next_after(held["watermark"]) if ladder is not None else None
        if ahead is not None and (held["next_at"] is None or held["next_at"] > ahead):
            return f"{clock.target} 的下一次提醒没有安排上"
    return None


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
    behind = [(hall, dept, n) for hall, dept, version, n in held if version != app.calendar(hall, dept).version]
    if not behind:
        return Check("followed", "ok", "在办的件都按现行日历算过")
    text = f"{sum(n for _, _, n in behind)} 件在办的件还没有按现行日历重算"
    at = max((c.at for c in (app.change(hall, dept) for hall, dept, _ in behind) if c.at is not None), default=None)
    if at is not None and now - at < STUCK:
        return Check("followed", "ok", f"{text}，正在重算")
    return Check("followed", "error", text, "sla up 会接着重算；或 sla recompute")
