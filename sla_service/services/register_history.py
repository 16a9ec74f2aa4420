"""One export of a register against what is kept of the ones before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sla_service.domain.policy import BEIJING
from sla_service.services.app import App
from sla_service.services.register_changes import Plan, plan
from sla_service.services.registers import RegisterRow
from sla_service.store import registers

Key = tuple[str, str]

#: Rows that said nothing new are noted so many at a time: a commit for each few hundred would be most of the work.
_AT_ONCE = 5_000


class Night:
    """``as_of``: when the file was written. ``outdated`` counts rows that a newer file has overtaken."""

    def __init__(self, app: App, as_of: datetime) -> None:
        self.app, self.as_of, self.outdated = app, as_of, 0
        self._noted: dict[Key, Mapping[str, Any]] = {}  # still to be written

    @property
    def shown(self) -> str:
        return f"{self.as_of.astimezone(BEIJING):%Y-%m-%d %H:%M}"

    def plans(self, rows: Sequence[RegisterRow]) -> list[Plan | None]:
        """What each row says anew; None for one that could not be read. A case may stand in several rows."""
        keys = sorted({_key(row) for row in rows if row.events})
        with self.app.db.read() as conn:
            known = {**registers.read(conn, keys), **{k: self._noted[k] for k in keys if k in self._noted}}
            closed = registers.closed(conn, sorted(known))
        plans: list[Plan | None] = []
        for row in rows:
            if not row.events:
                plans.append(None)
                continue
            key = _key(row)
            made = plan(row.events, known.get(key), self.as_of, closed=key in closed)
            known[key] = made.row
            self.outdated += made.outdated
            plans.append(made)
        return plans

    def keep(self, plans: Sequence[Plan]) -> None:
        """Keeps what the rows said; of several rows of a case the last holds what all of them came to.

        At once where events were sent. What was not yet written when the power went is found unchanged once more.
        """
        kept = [p for p in plans if not p.outdated and p.row["as_of"] == self.as_of]
        self._noted |= {(p.row["source"], p.row["no"]): p.row for p in kept}
        if len(self._noted) >= _AT_ONCE or any(p.events for p in kept):
            self.write()

    def write(self) -> None:
        """Writes what was noted."""
        if self._noted:
            with self.app.db.write() as conn:
                registers.write(conn, list(self._noted.values()))
            self._noted = {}


def _key(row: RegisterRow) -> Key:
    raw = row.events[0].raw
    return str(raw["source"]), str(raw["subject"])
