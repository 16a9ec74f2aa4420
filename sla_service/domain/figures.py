"""The figures of a period: what was closed in time and what was not, told as they are and never prettier.

On-time rate = met ÷ (met + breached) over rounds closed in the period. Withdrawn cases are left out of it; open
overdue and paused cases stand beside it; what was closed on its due date after close of business is breached by
0 working days and counted apart. A rate over few cases says nothing, so it is shown as a fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Final

#: Below so many a percentage would pretend to an exactness that is not there.
SMALL: Final = 20


@dataclass(frozen=True, slots=True)
class Held:
    """Who held a case, and for how many working days; ``name`` is what people call him."""

    name: str
    handler: str | None
    department: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a case that was closed in the period. ``handler`` and ``department`` answer for it: those who held
    it at the due instant if it was breached, else those who closed it.
    """

    source: str
    no: str
    round: int
    title: str | None
    kind: str | None
    matter: str | None
    handler: str | None
    department: str | None
    outcome: str | None
    due_on: date | None
    closed_at: datetime
    breached: bool
    late_days: int
    held: tuple[Held, ...] = ()


@dataclass(slots=True)
class Figures:
    """Sums of one group."""

    met: int = 0
    breached: int = 0
    same_day: int = 0  # of those: closed on the due date, after close of business
    late_days: int = 0  # of those together
    longest: int = 0  # the longest of those
    withdrawn: int = 0
    accepted: int = 0
    visits: int = 0  # answered on the spot, no cases
    running: int = 0  # open now, whenever they were accepted
    overdue: int = 0  # of those
    paused: int = 0

    def add(self, one: Round) -> None:
        if one.outcome == "withdrawn":
            self.withdrawn += 1
        elif one.breached:
            self.breached += 1
            self.same_day += one.late_days == 0
            self.late_days += one.late_days
            self.longest = max(self.longest, one.late_days)
        else:
            self.met += 1

    def count(self, sums: Mapping[str, int]) -> None:
        for name, n in sums.items():
            setattr(self, name, getattr(self, name) + n)

    @property
    def judged(self) -> int:
        return self.met + self.breached

    @property
    def rate(self) -> float | None:
        """On time, of those judged; None where there are none."""
        return self.met / self.judged if self.judged else None

    @property
    def rate_text(self) -> str:
        """``97.3%``, of few ``3/4``, of none ``—``."""
        if self.rate is None:
            return "—"
        return f"{self.met}/{self.judged}" if self.judged < SMALL else f"{self.rate:.1%}"

    def plain(self) -> dict[str, int | float | None]:
        sums = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**sums, "rate": None if self.rate is None else round(self.rate, 4)}


@dataclass(slots=True)
class Table:
    """Figures by group; a group is a name as people read it."""

    groups: dict[str, Figures] = field(default_factory=dict)

    def of(self, name: str) -> Figures:
        return self.groups.setdefault(name, Figures())

    def sorted(self) -> list[tuple[str, Figures]]:
        """What was breached most and lies overdue at the top."""
        return sorted(self.groups.items(), key=lambda g: (-(g[1].breached + g[1].overdue), -g[1].judged, g[0]))
