"""Open cases folded anew from their history, under today's calendar and today's policy: only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sla_service.errors import NotFoundError
from sla_service.services import audit
from sla_service.services.app import App
from sla_service.services.casework import Casework
from sla_service.store import cases, queries, sources
from sla_service.store.queries import CaseFilter

Key = tuple[str, str]

BATCH = 200  # cases per transaction: the service goes on meanwhile
_COMPARED = ("state", "due_on", "due_earliest", "due_latest", "verdict", "late_days", "kind", "handler")


@dataclass(frozen=True, slots=True)
class Difference:
    """What became another; ``next_look`` says that only the next look at a clock was missing or wrong."""

    source: str
    no: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    next_look: bool


def recompute(
    app: App, wanted: Sequence[Key], *, now: datetime, dry_run: bool
) -> Iterator[tuple[int, list[Difference]]]:
    """Folds the ``wanted`` cases, or all open ones; after each batch gives how many it held and what differs.

    Raises NotFoundError for a case that nobody has heard of.
    """
    keys = iter(wanted) if wanted else _open(app, now)
    while batch := list(islice(keys, BATCH)):
        yield len(batch), _batch(app, batch, now, dry_run=dry_run)


def _open(app: App, now: datetime) -> Iterator[Key]:
    after: Key | None = None
    while True:
        with app.db.read() as conn:
            page = queries.cases(conn, CaseFilter(states=("running", "paused")), now=now, after=after, limit=1000)
        keys = [(r["source"], r["no"]) for r in page]
        yield from keys
        if len(page) < 1000:  # noqa: PLR2004
            return
        after = keys[-1]


def _batch(app: App, keys: Sequence[Key], now: datetime, *, dry_run: bool) -> list[Difference]:
    with app.db.write() as conn:
        known = {(r["source"], r["no"]) for r in cases.read(conn, keys)}
        for source, no in keys:
            if (source, no) not in known:
                raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
        work = Casework(app, conn, sources.by_name(conn, {s for s, _ in keys}), now, silent=False, anew=True)
        work.load(sorted(keys))
        rows = {(r["source"], r["no"]): r for r in cases.read(conn, keys)}
        clocks = _looks(cases.read_clocks(conn, keys))
        work.fold(keys)
        work.write(set())
        looks = _looks(cases.read_clocks(conn, keys))
        found = list(_differences(keys, rows, work.rows, clocks, looks))
        audit.note(conn, now, audit.operator(), "recompute", f"{len(keys)} cases", changed=len(found))
        if dry_run:
            conn.rollback()
    return found


def _looks(clocks: Iterable[Mapping[str, Any]]) -> dict[Key, list[Any]]:
    found: dict[Key, list[Any]] = {}
    for c in clocks:
        found.setdefault((c["source"], c["no"]), []).append((c["target"], c["round"], c["next_at"]))
    return {key: sorted(one, key=str) for key, one in found.items()}


def _differences(
    keys: Iterable[Key],
    rows: Mapping[Key, Mapping[str, Any]],
    anew: Mapping[Key, Mapping[str, Any]],
    clocks: Mapping[Key, list[Any]],
    looks: Mapping[Key, list[Any]],
) -> Iterator[Difference]:
    for key in keys:
        before = {name: rows[key][name] for name in _COMPARED}
        after = {name: anew[key][name] for name in _COMPARED}
        if before != after or clocks.get(key) != looks.get(key):
            yield Difference(*key, before, after, next_look=before == after)
