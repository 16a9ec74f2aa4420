"""When is it due, and why: one calculation with its account, for the command line and for HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from schemas.event_data import read_when
from schemas.replies import AccountDayOut, DueOut
from sla_service.domain import clock as clocks
from sla_service.domain.calendar import Calendar, DayKind
from sla_service.domain.clock import AccountDay, Pause, business_date
from sla_service.domain.policy import BEIJING, MAIN_TARGET, Hours, Policy, at_minute
from sla_service.domain.running import start_day
from sla_service.errors import UsageError

MAX_DAYS = 1000

#: 挂起理由 as people read them (行政许可法 art. 45).
PAUSE_WORDS: Mapping[str, str] = {
    "hearing": "听证",
    "tender": "招标",
    "auction": "拍卖",
    "inspection": "检验",
    "test": "检测",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
    "supplement": "补正材料",
    "other": "其他",
}
_WEEKDAYS = "一二三四五六日"
#: An offset's plus sign that a URL's query has turned into a blank.
_LOST_PLUS = re.compile(r"(T[0-9:.]+) ([0-9]{2}:[0-9]{2})$")


class DayOut(AccountDayOut):
    """A line of the account with the sentence that people read."""

    text: str


class DueAccountOut(DueOut):
    """A due date with how it was counted, day by day."""

    account: tuple[DayOut, ...] = ()


def due(
    start: datetime | date,
    *,
    days: int | None = None,
    kind: str | None = None,
    pauses: Iterable[Pause] = (),
    policy: Policy,
    calendar: Calendar,
) -> DueAccountOut:
    """The due date for a case received at ``start`` (a plain date: on that day) with its day-by-day account.

    Exactly one of ``days`` (working days) and ``kind``. ``due_on`` is None while the last pause has no end; the
    account then goes up to its first day. Raises UsageError, and CalendarError for days that no calendar holds.
    """
    limit = _limit(policy, days, kind)
    received = start if isinstance(start, datetime) else at_minute(start, 0)
    calendar.day(business_date(received))  # refused by name before anything is counted from it
    start_on = start_day(policy, calendar, received)
    ordered = tuple(sorted(pauses, key=lambda p: p.begin))
    found = clocks.due(calendar, policy.hours, start_on, limit, ordered)
    upto = found.on if found else max(start_on, _paused_on(calendar, ordered))
    account = clocks.account(calendar, policy.hours, start_on, limit, ordered, upto)
    provisional = found is not None and found.provisional
    return DueAccountOut(
        start=start.astimezone(BEIJING) if isinstance(start, datetime) else start,
        kind=kind,
        days=limit,
        due_on=found.on if found else None,
        due_at=found.at if found else None,
        provisional=provisional,
        due_earliest=found.earliest if found and provisional else None,
        due_latest=found.latest if found and provisional else None,
        account=tuple(DayOut(**line(day, policy.hours)) for day in account),
    )


def line(day: AccountDay, hours: Hours) -> dict[str, Any]:
    """One line of an account as the answers show it."""
    return {
        "date": day.on,
        "kind": day.kind.value,
        "name": day.name,
        "state": day.state,
        "n": day.n,
        "reason": day.reason,
        "projected": day.projected,
        "text": day_text(day, hours),
    }


def day_text(day: AccountDay, hours: Hours) -> str:
    """``11月23日（周一）第 1 个工作日``, with what is special about the day."""
    name = f"{day.name}，" if day.name and day.kind is not DayKind.MAKEUP else ""
    if day.state == "start":
        what = f"{name}起算日，当天不计入"
    elif day.state == "off":
        what = f"{day.name}放假，不计入" if day.kind is DayKind.HOLIDAY else f"{name}周末，不计入"
    elif day.state == "paused":
        reason = PAUSE_WORDS.get(day.reason, day.reason)
        what = f"挂起{f'（{reason}）' if reason else ''}，不计入"
    else:
        makeup = f"{day.name}调休上班，" if day.kind is DayKind.MAKEUP else ""
        ends = f"，到期（{close_text(hours)}）" if day.state == "due" else ""
        what = f"{makeup}{name}第 {day.n} 个工作日{ends}"
    held = "（放假安排未发布，暂定）" if day.projected else ""
    return f"{date_text(day.on)}{what}{held}"


def date_text(on: date) -> str:
    """``11月23日（周一）``"""
    return f"{on.month}月{on.day}日（周{_WEEKDAYS[on.weekday()]}）"


def read_start(text: str) -> datetime | date:
    """An RFC 3339 time with offset, or a plain date. Raises UsageError."""
    found = read_when(_LOST_PLUS.sub(r"\1+\2", text.strip()))
    if found is None:
        raise UsageError(
            f"start 要写日期（2026-11-20）或带时区的时间（2026-11-20T10:12:00+08:00），收到的是“{text[:60]}”"
        )
    return found


def read_pause(text: str) -> Pause:
    """``A/B``: paused from A on until B, times or dates (their midnight); without B it lasts. Raises UsageError."""
    begin, slash, end = text.partition("/")
    first, last = (read_when(_LOST_PLUS.sub(r"\1+\2", part.strip())) for part in (begin, end))
    if first is None or not slash or (end.strip() and last is None):
        raise UsageError(
            f"pause 要写成 开始/结束，例如 2026-11-03T10:00:00+08:00/2026-11-04T10:00:00+08:00，收到的是“{text[:80]}”"
        )
    pause = Pause(_instant(first), _instant(last) if last is not None else None)
    if pause.end is not None and pause.end < pause.begin:
        raise UsageError(f"pause 的结束早于开始，收到的是“{text[:80]}”")
    return pause


def _limit(policy: Policy, days: int | None, kind: str | None) -> int:
    if (days is None) == (kind is None):
        raise UsageError("kind 和 days 要写一个，也只能写一个")
    if days is not None:
        if not 1 <= days <= MAX_DAYS:
            raise UsageError(f"days 要在 1 到 {MAX_DAYS} 之间，收到的是 {days}")
        return days
    target = policy.target(MAIN_TARGET)
    limits = target.limits if target else {}
    if kind not in limits:
        raise UsageError(f"kind 要写 {'、'.join(limits)} 之一，收到的是“{str(kind)[:60]}”")
    return limits[str(kind)]


def _paused_on(calendar: Calendar, pauses: tuple[Pause, ...]) -> date:
    """The first working day that the open pause costs for sure."""
    begin = next(p.begin for p in pauses if p.end is None)
    return calendar.nth_after(business_date(begin), 1)


def _instant(when: datetime | date) -> datetime:
    return when if isinstance(when, datetime) else at_minute(when, 0)


def close_text(hours: Hours) -> str:
    """``17:30``; a hall that closes at midnight closes at 24:00 of the same day."""
    return f"{hours.close // 60:02}:{hours.close % 60:02}"
