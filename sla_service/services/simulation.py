"""What would have happened: a history replayed in virtual time, with nothing sent and no database.

Case by case, since cases do not touch each other: its events, the looks at its clocks and the messages that wait for
their hour are taken in order of time. State is the fold of the events so far, decisions are the ladder's, people come
from the directory, all by the same functions as in the running service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.case import Case, State, Status, Verdict
from sla_service.domain.directory import MAIN_HALL, Directory
from sla_service.domain.events import VISIT, Event
from sla_service.domain.policy import BEIJING, MAIN_TARGET, Policy
from sla_service.services.simulation_case import CaseRun, World
from sla_service.services.simulation_sent import Sent


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What came out: the cases as they stood at ``end``, and everything that would have been sent, in order."""

    cases: tuple[Case, ...]
    messages: tuple[Sent, ...]
    statuses: Mapping[str, int]  # applied, rejected, waiting, voided -> events
    visits: int  # answered on the spot, no cases
    start: datetime | None
    end: datetime

    @property
    def events(self) -> int:
        return sum(self.statuses.values())

    def figures(self) -> dict[str, Any]:
        """The sums. ``met`` and ``breached`` are the closed cases' verdicts (those of withdrawn ones too, which
        ``withdrawn`` counts once more), so met + breached + open = cases. The rate is that of the rounds that were
        closed, withdrawn ones left out; None if there are none.
        """
        shut = [c for c in self.cases if c.state is State.CLOSED]
        verdicts = Counter(c.main.verdict for c in shut if c.main is not None)
        rounds = self._rounds()
        met, judged = rounds[Verdict.MET], rounds.total()
        return {
            "cases": len(self.cases),
            "events": self.events,
            "met": verdicts[Verdict.MET],
            "breached": verdicts[Verdict.BREACHED],
            "open": len(self.cases) - len(shut),
            "withdrawn": sum(c.outcome == "withdrawn" for c in shut),
            "breached_same_day": sum(_same_day(c) for c in shut),
            "overdue_open": sum(_overdue(c, self.end) for c in self.cases),
            "paused_open": sum(c.state is State.PAUSED for c in self.cases),
            "rounds": {"met": met, "breached": rounds[Verdict.BREACHED]},
            "on_time_rate": round(met / judged, 4) if judged else None,
            "visits": self.visits,
            "messages": {"total": len(self.messages), "nobody": self._nobody(), "by_step_role": self.by_step_role()},
            "findings": dict(sorted(Counter(f.code for c in self.cases for f in c.findings).items())),
            **{status.value: self.statuses.get(status, 0) for status in Status},
            "start": None if self.start is None else self.start.isoformat(),
            "end": self.end.isoformat(),
        }

    def by_step_role(self) -> list[dict[str, Any]]:
        """Messages by step and by the role that the step names, in the order in which they first occurred."""
        counts = Counter((m.target, m.step, m.role) for m in self.messages)
        return [{"target": t, "step": s, "role": r, "count": n} for (t, s, r), n in counts.items()]

    def _nobody(self) -> int:
        return sum(m.to is None for m in self.messages)

    def _rounds(self) -> Counter[Verdict | None]:
        """Verdicts of the rounds closed since ``start``; of a withdrawn case the last round is left out."""
        return Counter(
            clock.verdict
            for case in self.cases
            for clock in case.clocks
            if clock.target == MAIN_TARGET
            and clock.stopped_at is not None
            and (self.start is None or clock.stopped_at >= self.start)
            and not (case.outcome == "withdrawn" and clock.round == case.round)
        )


def simulate(
    events: Iterable[Event],
    policy: Policy,
    directory: Directory,
    calendar: Calendar | Callable[[str | None], Calendar],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    hall: str = MAIN_HALL,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Replays ``events`` up to ``end`` (included; by default the last event's time).

    What happens after ``end`` is not known yet. With ``start``, earlier events are history: they make the cases what
    they are, but messages from before it and cases that were closed before it are left out. Of several events with
    one source and id the first stands. ``calendar`` may be a function that gives each department's. ``progress`` is
    told the number of events done.
    """
    histories = _by_case(events)
    last = max((e.time for history in histories.values() for e in history), default=_BEGINNING)
    end = (end or last).astimezone(BEIJING)
    world = World(policy, directory, calendar if callable(calendar) else lambda _department: calendar, hall, end)
    cases: list[Case] = []
    sent: list[Sent] = []
    statuses: Counter[str] = Counter()
    visits = 0
    for history in histories.values():
        known = [e for e in history if e.time <= end]
        run = CaseRun(known, world)
        sent += (m for m in run.play() if start is None or m.at >= start)
        if run.case is not None:
            statuses.update(_counted(run.case, known, start))
            visits += _visits(run.case, known)
            if run.case.accepted and not _closed_before(run.case, start):
                cases.append(run.case)
        if progress is not None:
            progress(len(history))
    sent.sort(key=lambda m: (m.at, m.planned_at, m.source, m.case))
    since = start.astimezone(BEIJING) if start else None
    return SimulationResult(tuple(cases), tuple(sent), dict(statuses), visits, since, end)


_BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00+08:00")


def _by_case(events: Iterable[Event]) -> Mapping[tuple[str, str], list[Event]]:
    found: dict[tuple[str, str], list[Event]] = {}
    seen: set[tuple[str, str]] = set()
    for event in events:
        if (event.source, event.id) not in seen:
            seen.add((event.source, event.id))
            found.setdefault((event.source, event.subject), []).append(event)
    for history in found.values():
        history.sort(key=lambda e: e.order)
    return found


def _counted(case: Case, events: Sequence[Event], start: datetime | None) -> Iterable[str]:
    return (case.statuses[e.id][0].value for e in events if start is None or e.time >= start)


def _visits(case: Case, events: Sequence[Event]) -> int:
    good = (e for e in events if e.type == VISIT and case.statuses[e.id][0] is Status.APPLIED)
    return sum(1 if e.data.get("count") is None else int(e.data["count"]) for e in good)


def _closed_before(case: Case, start: datetime | None) -> bool:
    return start is not None and case.closed_at is not None and case.closed_at < start


def _same_day(case: Case) -> bool:
    """Closed on the due date, but after close of business: breached by 0 working days."""
    main = case.main
    return main is not None and main.verdict is Verdict.BREACHED and main.late_days == 0


def _overdue(case: Case, at: datetime) -> bool:
    return case.main is not None and case.main.running and case.main.ran_out(at)
