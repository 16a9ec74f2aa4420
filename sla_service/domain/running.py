"""A clock while it is being added up, and the reading of times inside an event's data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sla_service.domain import clock as clocks
from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Clock, Verdict
from sla_service.domain.clock import Due, Pause, business_date
from sla_service.domain.policy import BEIJING, Policy, Target


def instant(value: object) -> datetime | None:
    """An RFC 3339 time or a plain date (its midnight in Beijing) as the schema lets them in; None if absent."""
    if not isinstance(value, str) or not value:
        return None
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=BEIJING)


def day(value: object) -> date | None:
    """The business date of an RFC 3339 time or a plain date; None if absent."""
    at = instant(value)
    return None if at is None else business_date(at)


def start_day(policy: Policy, calendar: Calendar, at: datetime) -> date:
    """The day that is not counted (民法典 art. 201): the day of receipt, by setting the next working day."""
    start = business_date(at)
    return calendar.on_or_after(start) if policy.non_working_receipt == "next_workday" else start


@dataclass(slots=True)
class Running:
    """A clock that is being added up."""

    policy: Policy
    calendar: Calendar
    target: Target
    round: int
    started_at: datetime
    start_on: date
    limit: int
    pauses: list[Pause] = field(default_factory=list)

    def end_pause(self, at: datetime) -> None:
        if self.pauses and self.pauses[-1].end is None:
            self.pauses[-1] = replace(self.pauses[-1], end=at)

    def due(self) -> Due | None:
        return clocks.due(self.calendar, self.policy.hours, self.start_on, self.limit, tuple(self.pauses))

    def ran_out(self, at: datetime) -> bool:
        due = self.due()
        return due is not None and at > due.latest_at

    def days_until(self, until: date, at: datetime) -> int:
        """Working days from the start to ``until``, an open pause taken to end now.

        A limit that ends on a day off ends on the next working day (民法典 art. 203). Beyond the calendar's last day
        there is nothing to count, so such a date is taken for that last day.
        """
        if until <= self.start_on:
            return 0
        pauses = [p if p.end else replace(p, end=at) for p in self.pauses]
        last = self.calendar.nth_before(self.calendar.last, 1)
        until = self.calendar.on_or_after(min(until, last))
        return clocks.used(self.calendar, self.policy.hours, self.start_on, pauses, until)

    def snapshot(self) -> Clock:
        return self._frozen(self.due())

    def stop(self, at: datetime, *, kept: bool = True) -> Clock:
        """Freezes the verdict. Closing exactly at the due instant is met.

        ``kept`` is False when something else than its own stop event ended the clock (signing is moot once the case
        has gone to somebody else): that is a breach if it had run out by then, and no verdict otherwise.
        """
        self.end_pause(at)
        due = self.due()
        if due is not None and at > due.latest_at:
            days = max(0, self.calendar.between(due.latest, business_date(at)))
            return self._frozen(due, at, Verdict.BREACHED, days)
        return self._frozen(due, at, Verdict.MET, 0) if kept else self._frozen(due, at)

    def _frozen(
        self,
        due: Due | None,
        at: datetime | None = None,
        verdict: Verdict | None = None,
        days: int | None = None,
    ) -> Clock:
        name, pauses = self.target.name, tuple(self.pauses)
        return Clock(name, self.round, self.started_at, self.start_on, self.limit, pauses, at, due, verdict, days)
