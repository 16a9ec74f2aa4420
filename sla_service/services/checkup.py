"""The doctor's regular visit: made by one worker at a time, its findings left where every process can read them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sla_service.services import doctor
from sla_service.services.app import App
from sla_service.services.doctor import Check
from sla_service.store import facts

VISIT: Final = "doctor_visit"
_TURN: Final = "doctor_turn"


@dataclass(frozen=True, slots=True)
class Visit:
    """The last visit: when it was, how many seconds it took, what was not well as (code, level)."""

    at: datetime
    took: float
    findings: tuple[tuple[str, str], ...]

    @property
    def well(self) -> bool:
        """Nothing but warnings: those ask for somebody in office hours, not for an alarm."""
        return not any(level == "error" for _, level in self.findings)


def make(
    app: App, *, now: datetime, real_now: Callable[[], datetime], broker: Callable[[], str | None]
) -> Visit | None:
    """Makes the visit if it is due; None if it is not, or if another worker makes it."""
    every = timedelta(seconds=app.settings.doctor_seconds)
    if not every:
        return None
    with app.db.write() as conn:
        if not facts.take_turn(conn, _TURN, now=now, every=every):
            return None
    begin = time.monotonic()
    checks = list(doctor.examine(app, now=now, real_now=real_now, broker=broker, regular=True))
    visit = Visit(now, round(time.monotonic() - begin, 3), _findings(checks))
    plain = {"took": visit.took, "findings": visit.findings}
    with app.db.write() as conn:
        facts.put(conn, VISIT, json.dumps(plain), now=now)
    return visit


def last(app: App) -> Visit | None:
    """The last visit that came to its end; None if there was none."""
    with app.db.read() as conn:
        fact = facts.get(conn, VISIT)
    if fact is None:
        return None
    plain = json.loads(fact["value"])
    return Visit(fact["at"], plain["took"], tuple((code, level) for code, level in plain["findings"]))


def _findings(checks: Sequence[Check]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((c.name, c.level) for c in checks if c.level != "ok"))
