"""The doctor's questions about cases: does each follow from its events, and was everybody told whom its ladder names?

A visit folds a sample anew: the cases that run out first, those with a clock that nobody will look at again, and a
stretch of all others that moves on from visit to visit. ``every`` folds them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.domain.case import State
from sla_service.domain.ladder import Ladder, Planned
from sla_service.services.app import App
from sla_service.services.consequences import ladder_of
from sla_service.services.doctor_check import Check
from sla_service.services.refolding import refolded
from sla_service.store import cases, checks, facts, inbox, sources

Key = tuple[str, str]
Row = Mapping[str, Any]
Advance = Callable[[int, int | None], None]

SAMPLE: Final = 200  # of each kind: soonest, paused, forgotten, and the stretch
BATCH: Final = 500
_PLACE: Final = "doctor_place"


@dataclass(frozen=True, slots=True)
class Untold:
    """A step of a clock's ladder that has passed and of which nobody was told."""

    source: str
    no: str
    target: str
    round: int
    planned: Planned


Compared = tuple[int, Sequence[tuple[Key, str]], Sequence[Untold]]  # how many, what is wrong and why, who missed what


@dataclass(slots=True)
class Found:
    """What the comparison of many cases has brought: how many were seen, and the first of what is wrong."""

    seen: int = 0
    wrong: int = 0
    untold: int = 0
    example: tuple[Key, str] | None = None
    first_untold: Untold | None = None

    def take(self, seen: int, wrong: Sequence[tuple[Key, str]], untold: Sequence[Untold]) -> None:
        self.seen += seen
        self.wrong += len(wrong)
        self.untold += len(untold)
        self.example = self.example or next(iter(wrong), None)
        self.first_untold = self.first_untold or next(iter(untold), None)


def sampled(app: App, *, now: datetime, move_on: bool) -> Iterator[Check]:
    """The sample's two findings. ``move_on``: the next visit shall look at the next stretch."""
    with app.db.read() as conn:
        stretch = checks.next_cases(conn, after=_place(conn), limit=SAMPLE)
        urgent = checks.soonest(conn, limit=SAMPLE)
        forgotten = checks.without_next_look(conn, limit=SAMPLE)
    found = Found()
    found.take(*compared(app, sorted({*stretch, *urgent, *forgotten})))
    if move_on:
        begin = json.dumps(stretch[-1] if len(stretch) == SAMPLE else ("", ""))
        with app.db.write() as conn:
            facts.put(conn, _PLACE, begin, now=now)
    return _told(found, f"抽查 {found.seen} 件")


def _place(conn: Connection) -> Key:
    """Up to which case the last visit has come."""
    fact = facts.get(conn, _PLACE)
    source, no = json.loads(fact["value"]) if fact is not None else ("", "")
    return source, no


def every(app: App, *, advance: Advance) -> Iterator[Check]:
    """All cases, closed ones too; ``advance`` hears how far it is."""
    found = Found()
    with app.db.read() as conn:
        whole = checks.case_count(conn)
    for done, wrong, untold in batches(app):
        found.take(done, wrong, untold)
        advance(found.seen, whole)
    return _told(found, f"全部 {found.seen} 件")


def batches(app: App) -> Iterator[Compared]:
    """Every case compared, batch by batch: the service goes on meanwhile."""
    after: Key = ("", "")
    while True:
        with app.db.read() as conn:
            keys = checks.next_cases(conn, after=after, limit=BATCH)
        if not keys:
            return
        yield compared(app, keys)
        after = keys[-1]


def _told(found: Found, what: str) -> Iterator[Check]:
    if found.example is None:
        yield Check("clocks", "ok", f"{what}，状态、到期日和下一次提醒都与事件一致")
    else:
        (source, no), why = found.example
        text = f"{what}，{found.wrong} 件与事件不一致，例如 {source}/{no}：{why}"
        yield Check("clocks", "error", text, "sla recompute --dry-run 看差异，再 sla recompute")
    one = found.first_untold
    if one is None:
        yield Check("missing", "ok", f"{what}，到了时间的提醒都写下了")
    else:
        text = f"{what}，{found.untold} 个提醒到了时间却没有写下，例如 {one.source}/{one.no} 的 {one.planned.step.key}"
        yield Check("missing", "error", text, "sla recompute --missing 补上（已经告诉过的不会再发）")


# -- comparing --------------------------------------------------------------------------------------------------------


def compared(app: App, keys: Sequence[Key]) -> Compared:
    """Folds the accepted ones among these cases anew: how many, what disagrees and why, who was not told of what.

    What is found is looked at once more: an event may have come in while the rows of its case were read.
    """
    with app.db.read() as conn:
        seen, wrong, untold = _compare(app, conn, keys)
    if wrong or untold:
        again = sorted({*(key for key, _ in wrong), *((u.source, u.no) for u in untold)})
        with app.db.read() as conn:
            _, wrong, untold = _compare(app, conn, again)
    return seen, wrong, untold


def _compare(app: App, conn: Connection, keys: Sequence[Key]) -> Compared:
    rows = {(r["source"], r["no"]): r for r in cases.read(conn, keys) if r["accepted_at"] is not None}
    keys = sorted(rows)
    events = _by_case(inbox.history(conn, keys))
    clocks = _by_case(cases.read_clocks(conn, keys))
    told = _by_case(checks.steps_told(conn, keys))
    registered = {r["name"]: r for r in sources.everyone(conn)}
    wrong: list[tuple[Key, str]] = []
    untold: list[Untold] = []
    for key, row in rows.items():
        one = _One(app, row, registered[key[0]], events.get(key, []), clocks.get(key, []), told.get(key, []))
        why = one.disagrees()
        if why is not None:
            wrong.append((key, why))
        else:
            untold += one.untold()
    return len(rows), wrong, untold


def _by_case(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault((row["source"], row["no"]), []).append(row)
    return found


@dataclass(slots=True)
class _One:
    """One case as its events have it and as it stands in the database."""

    app: App
    row: Row
    source: Row
    events: Sequence[Row]
    clocks: Sequence[Row]
    told: Sequence[Row]
    _ladders: list[tuple[Ladder, Row]] = field(default_factory=list)  # of what runs, with the clock's row

    def disagrees(self) -> str | None:
        """What the fold of the events says otherwise; None if all agrees.

        Under the calendar of the case's last fold: whether that is the one in force is another question.
        """
        app, row = self.app, self.row
        in_force = app.calendar_of(row) if row["state"] == State.CLOSED else app.calendars.of(row["calendar_version"])
        policy = app.policy(row["policy_version"], row["hall"])
        kept = {(c["target"], c["round"]): c for c in self.clocks}
        history = [inbox.event_of(event) for event in self.events]
        found = refolded(
            history, row, kept, policy, kept=app.calendars.of, in_force=lambda _hall, _department: in_force
        )
        case, delay = found.case, timedelta(seconds=self.source["batch_delay"])
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
            if ladder is None:
                continue
            ahead = ladder.next_after(held["watermark"])
            if ahead is not None and (held["next_at"] is None or held["next_at"] > ahead):
                return f"{clock.target} 的下一次提醒没有安排上"
            self._ladders.append((ladder, held))
        return None

    def untold(self) -> Iterator[Untold]:
        """Steps that have passed since the case was folded last: nothing can have moved them, so a look has met each.

        Of the steps of one role only the last counts: it stands for the earlier ones when a look finds several.
        """
        for ladder, held in self._ladders:
            told = [m for m in self.told if (m["target"], m["round"]) == (held["target"], held["round"])]
            written = {(m["step"], m["occurrence"]) for m in told}
            stood_for = {step for m in told for step in m["detail"].get("missed", ())}
            since = max(self.row["updated_at"], self.source["go_live"])
            due = ladder.clock.due
            overtaken = due is not None and held["watermark"] >= due.latest_at
            last: dict[str, Planned] = {}
            for planned in ladder.planned(since, held["watermark"]):
                last |= dict.fromkeys(planned.step.to, planned)
            for planned in dict.fromkeys(last.values()):
                step = planned.step
                if (step.before_breach and overtaken) or (step.key, planned.n) in written or step.key in stood_for:
                    continue
                yield Untold(self.row["source"], self.row["no"], held["target"], held["round"], planned)
