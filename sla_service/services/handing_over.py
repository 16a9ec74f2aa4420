"""Handing over: all open cases of one person become another's, by events like any other reassignment.

And who has left: names that stand in open cases and that the directory does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sla_service.domain.directory import Directory, Person, same_name
from sla_service.domain.policy import BEIJING
from sla_service.errors import NotFoundError, UsageError
from sla_service.services import audit, intake
from sla_service.services.app import App
from sla_service.services.directory_admin import person
from sla_service.services.incoming import read
from sla_service.store import holders
from sla_service.store.holders import Holder

#: One transaction up to here, so that what the heir is told is one bundle.
BATCH = 5_000
DOOR = "handover"


@dataclass(frozen=True, slots=True)
class HandOver:
    """What would change hands: from ``who`` (as the cases call him) to ``to``. ``elsewhere``: cases of other halls."""

    who: str
    to: Person
    held: tuple[Holder, ...]
    elsewhere: int = 0

    @property
    def cases(self) -> int:
        return sum(one.n for one in self.held)


def plan(app: App, who: str, to: str) -> HandOver:
    """The open cases of ``who`` (id, alias or name; also of one who is no longer in the directory).

    Only those of the hall of ``to``. Raises NotFoundError for somebody who has none, or if ``to`` is nobody.
    """
    directory = app.config.directory
    heir = person(directory, to)
    with app.db.read() as conn:
        everyone = holders.holders(conn)
    theirs = _theirs(directory, who, everyone)
    if not theirs:
        raise NotFoundError(f"“{who}”没有在办件。")
    mine = tuple(one for one in theirs if one.hall == heir.hall)
    if any(_person_of(directory, one) == heir for one in mine):
        raise UsageError(f"“{who}”就是{heir.name}，不用移交。")
    if not mine:
        raise UsageError(
            f"“{who}”的在办件在厅 {theirs[0].hall}，{heir.name}是厅 {heir.hall} 的人，请交给同一个厅的人。"
        )
    return HandOver(who, heir, mine, sum(one.n for one in theirs) - sum(one.n for one in mine))


def carry_out(
    app: App, found: HandOver, *, now: datetime, advance: Callable[[int, int | None], None] | None = None
) -> int:
    """Assigns each case to the heir, as of now; gives how many changed hands.

    A case that was closed meanwhile refuses the event, which is kept like any other refused one.
    """
    with app.db.read() as conn:
        keys = holders.held_by(conn, found.held)
    at, done = now.astimezone(BEIJING), 0
    for first in range(0, len(keys), BATCH):
        batch = enumerate(keys[first : first + BATCH], first)
        events = [_assigned(n, source, no, found.to, at) for n, (source, no) in batch]
        results = intake.receive(app, [read(e, now=now) for e in events], now=now, door=DOOR)
        done += sum(r.status == "applied" for r in results)
        if advance is not None:
            advance(first + len(events), len(keys))
    with app.db.write() as conn:
        audit.note(conn, now, audit.operator(), "handover", f"{found.who} → {found.to.id}", cases=done)
    return done


def gone(app: App) -> list[Holder]:
    """Names in open cases that nobody in the directory answers to, or several do."""
    with app.db.read() as conn:
        everyone = holders.holders(conn)
    return [one for one in everyone if _person_of(app.config.directory, one) is None]


def _theirs(directory: Directory, who: str, everyone: Sequence[Holder]) -> list[Holder]:
    """The cases whose handler ``who`` is: by the directory where it knows him, by the name itself where it does not."""
    known = next((p for p in directory.people if p.id == who), None)
    if known is None:
        try:
            known = person(directory, who)
        except NotFoundError:
            if any(directory.matches(who, hall=h.id) for h in directory.halls):
                raise  # several of that name
    if known is None:
        return [one for one in everyone if same_name(one.handler) == same_name(who)]
    return [one for one in everyone if _person_of(directory, one) == known]


def _person_of(directory: Directory, held: Holder) -> Person | None:
    return directory.find(held.handler, held.department, held.hall)


def _assigned(n: int, source: str, no: str, to: Person, at: datetime) -> dict[str, object]:
    moment = at.isoformat()
    head = {"specversion": "1.0", "id": f"handover/{moment}/{n}", "source": source, "subject": no}
    return {**head, "type": "case.assigned", "time": moment, "data": {"handler": to.id}}
