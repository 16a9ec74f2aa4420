"""A dry run of a whole file: in a scratch database, which knows of the real one what the file touches.

Rolling back each batch would not do: a case closed in the second batch would be found missing, since its acceptance
stood in the first. One transaction for the whole file would lock the service out. So every batch first copies the
cases that it speaks of, and then everything goes on as in earnest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import Connection

from schemas.events import ParsedEvent
from sla_service.domain.events import VOIDED
from sla_service.services.app import App
from sla_service.store import bulk, cases, inbox, registers, sources, tables, tables_registers, versions
from sla_service.store.engine import Database

Key = tuple[str, str]


@contextmanager
def scratch(app: App) -> Iterator[Rehearsal]:
    """A rehearsal that leaves nothing behind."""
    with TemporaryDirectory(prefix="sla-dry-run-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'dry-run.db'}")
        tables.metadata.create_all(database.engine)
        try:
            yield Rehearsal(app, replace(app, db=database))
        finally:
            database.dispose()


class Rehearsal:
    """``app`` is the stage on which everything may be tried."""

    def __init__(self, real: App, app: App) -> None:
        self.real, self.app = real, app

    def bring(self, events: Sequence[ParsedEvent]) -> None:
        """Copies what the real database knows of these events' sources and cases, unless it was copied before."""
        keys = {(e.source, e.subject) for e in events}
        ids = {(e.source, e.id) for e in events}
        ids |= {(e.source, str(e.data["event_id"])) for e in events if e.type == VOIDED}
        self.bring_cases(keys)
        with self.real.db.read() as real, self.app.db.write() as stage:
            self._events(stage, inbox.by_id(real, sorted(ids)))

    def bring_cases(self, keys: Iterable[Key]) -> None:
        """The cases alone, with what registers said of them."""
        wanted = sorted(set(keys))
        with self.app.db.read() as conn:
            held = {(r["source"], r["no"]) for r in cases.read(conn, wanted)}
        missing = [key for key in wanted if key not in held]
        with self.real.db.read() as real, self.app.db.write() as stage:
            self._sources(real, stage, {source for source, _ in wanted})
            self._cases(real, stage, missing)

    def _sources(self, real: Connection, stage: Connection, names: Iterable[str]) -> None:
        for name, row in sources.by_name(real, names).items():
            kept = {k: row[k] for k in ("hall", "test", "go_live", "batch_delay")}
            sources.add(stage, name, **kept, now=row["created_at"])

    def _cases(self, real: Connection, stage: Connection, keys: Sequence[Key]) -> None:
        rows = cases.read(real, keys)
        bulk.insert(stage, tables.cases, rows, key=("source", "no"))
        bulk.insert(stage, tables.clocks, cases.read_clocks(real, keys), key=cases.CLOCK_KEY)
        bulk.insert(
            stage, tables_registers.register_rows, list(registers.read(real, keys).values()), key=("source", "no")
        )
        self._events(stage, inbox.history(real, keys))
        for version in {r["policy_version"] for r in rows} - {None}:
            content = versions.policy(real, version)
            if content is not None:
                versions.keep_policy(stage, version, content, rows[0]["updated_at"])

    def _events(self, stage: Connection, rows: Sequence[inbox.Row]) -> None:
        bulk.insert(stage, tables.inbox, rows, key=("source", "id"))
