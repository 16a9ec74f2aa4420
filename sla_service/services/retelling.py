"""Words that should have been written and were not: their clocks are set back to just before the step.

The next tick then finds the step again. What was written before is not written twice, whatever the tick finds besides:
its dedupe key stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sla_service.services import audit
from sla_service.services.app import App
from sla_service.services.doctor_cases import Key, Untold, batches, compared
from sla_service.store import cases, clocks


def retell(app: App, wanted: Sequence[Key], *, now: datetime, dry_run: bool) -> Iterator[tuple[int, list[Untold]]]:
    """Looks through the ``wanted`` cases, or all; after each batch gives how many it held and what was missing."""
    for seen, _, untold in (compared(app, wanted),) if wanted else batches(app):
        if untold and not dry_run:
            _set_back(app, untold, now)
        yield seen, list(untold)


def _set_back(app: App, untold: Sequence[Untold], now: datetime) -> None:
    first: dict[tuple[str, str, str, int], Untold] = {}
    for one in sorted(untold, key=lambda u: u.planned.at):
        first.setdefault((one.source, one.no, one.target, one.round), one)
    keys = sorted({(u.source, u.no) for u in untold})
    with app.db.write() as conn:
        cases.read(conn, keys, lock=True)  # whoever holds the case holds its clocks
        rows = []
        for held in cases.read_clocks(conn, keys):
            key = {name: held[name] for name in ("source", "no", "target", "round")}
            missed = first.get((held["source"], held["no"], held["target"], held["round"]))
            if missed is not None and held["stopped_at"] is None and missed.planned.at <= held["watermark"]:
                before = missed.planned.at - timedelta(microseconds=1)
                rows.append({**key, "watermark": before, "next_at": min(now, held["next_at"] or now)})
        clocks.reschedule(conn, rows)
        audit.note(conn, now, audit.operator(), "retell", f"{len(keys)} cases", clocks=len(rows))
