"""An independent audit: does what stands in the database agree with what follows from the events, and does it move?

Every check counts for itself and says which command mends what it found. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from sla_service.domain.clock import business_date
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.services import doctor_cases, doctor_people, doctor_place, webhooks
from sla_service.services.app import App
from sla_service.services.doctor_cases import Advance
from sla_service.services.doctor_check import Check, Level, span
from sla_service.services.doctor_flow import STUCK, checks_of_flow
from sla_service.store import checks, layers

__all__ = ["Check", "Level", "examine", "span"]

_ASK_FROM = (11, 1)  # from this day on administrators are told that next year's calendar is missing


def examine(
    app: App,
    *,
    now: datetime,
    real_now: Callable[[], datetime],
    broker: Callable[[], str | None],
    every: Advance | None = None,
    regular: bool = False,
) -> Iterator[Check]:
    """All checks, as they are made. ``broker`` gives what is wrong with it; ``real_now`` is the clock unshifted.

    ``every``: all cases are folded anew instead of a sample, and it hears how far that is. ``regular``: the next
    visit's sample goes on where this one's ended.
    """
    yield doctor_place.config(app)
    yield from doctor_place.channels(app)
    if every is not None:
        yield from doctor_cases.every(app, advance=every)
    else:
        yield from doctor_cases.sampled(app, now=now, move_on=regular)
    yield from checks_of_flow(app, now)
    yield from (Check("webhooks", *trouble) for trouble in webhooks.troubles(app, now=now))
    yield _calendar(app, business_date(now))
    yield from _unfilled(app)
    yield _followed(app, now)
    yield doctor_people.leavers(app)
    yield doctor_place.clock(app, real_now)
    yield doctor_place.disk(app)
    yield doctor_place.broker(broker())


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


def _unfilled(app: App) -> Iterator[Check]:
    """A calendar that nobody has given any days is the country's: more likely a name that was mistyped."""
    with app.db.read() as conn:
        filled = layers.names(conn)
    for name in app.calendar_names():
        if name not in filled and name != MAIN_CALENDAR:
            text = f"日历 {name} 里没有自己的假日，与全国的一样"
            yield Check("calendar", "warning", text, f"sla calendar local add 文件 --calendar {name} --apply")


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
