"""What ours writes, recorded and written again by hand: the loops that the service is compared with.

Rows, order and transactions are the same; a loop looks at nothing and decides nothing, but has to encode its
parameters, as any loop has to:

* statement by statement: one ``execute`` per row, as a loop is usually written;
* executemany: the rows of a table together, as a careful hand writes it (psycopg sends them in one pipeline);
* one JSON statement per table (PostgreSQL): set-based, from a JSON parameter.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from sqlalchemy.dialects import postgresql

from sla_service.store import bulk, tables

LOOP, MANY, JSON = "raw, statement by statement", "raw, executemany", "raw, one JSON statement per table"


@dataclass(frozen=True, slots=True)
class Write:
    """Rows that one statement of ours wrote to one table; ``update`` None: rows that were there, found by ``key``."""

    table: str
    rows: list[dict[str, Any]]
    key: tuple[str, ...]
    update: tuple[str, ...] | None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.rows[0])

    @property
    def changing(self) -> tuple[str, ...]:
        return tuple(c for c in self.columns if c not in self.key)


@contextmanager
def recorded(owner: Any, name: str) -> Iterator[list[list[Write]]]:
    """Everything that is written while this lasts; each call of ``owner.name`` begins another transaction.

    The place-holders that lock new cases are left out: no loop locks.
    """
    batches: list[list[Write]] = []
    began, insert, update = getattr(owner, name), bulk.insert, bulk.update

    def begin(*args: Any, **kwargs: Any) -> Any:
        batches.append([])
        return began(*args, **kwargs)

    def inserting(conn: Any, table: Any, rows: Any, *, key: Any = (), update: Any = ()) -> int:
        locking = table is tables.cases and not update
        if rows and not locking:
            batches[-1].append(Write(table.name, [dict(r) for r in rows], key, update))
        return insert(conn, table, rows, key=key, update=update)

    def updating(conn: Any, table: Any, rows: Any, *, key: Any) -> int:
        if rows:
            batches[-1].append(Write(table.name, [dict(r) for r in rows], key, None))
        return update(conn, table, rows, key=key)

    bulk.insert, bulk.update = inserting, updating
    setattr(owner, name, begin)
    try:
        yield batches
    finally:
        bulk.insert, bulk.update = insert, update
        setattr(owner, name, began)


class Raw:
    """One plain connection of the driver, and the batches to be written through it.

    ``first`` is what a loop does before it writes a batch, for instance claim it.
    """

    def __init__(self, url: str, batches: Sequence[Sequence[Write]], first: Callable[[Any], object] | None = None):
        self.sqlite = url.startswith("sqlite")
        self.first = first or (lambda _conn: None)
        self.conn: Any
        if self.sqlite:
            self.conn = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
        else:
            self.conn = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self.batches = [sorted(b, key=lambda w: w.table != "cases") for b in batches]  # before what refers to them
        self.one_row = {(w.table, w.columns): self._one_row(w) for b in self.batches for w in b}
        self.form = _for_sqlite if self.sqlite else _for_psycopg

    def ways(self) -> Mapping[str, Callable[[], None]]:
        ways = {LOOP: self.statement_by_statement, MANY: self.executemany}
        return ways if self.sqlite else {**ways, JSON: self.set_based}

    def close(self) -> None:
        self.conn.close()

    def statement_by_statement(self) -> None:
        for batch in self._transactions():
            for w in batch:
                sql, names = self.one_row[w.table, w.columns]
                for row in w.rows:
                    self.conn.execute(sql, [self.form(row[c]) for c in names])

    def executemany(self) -> None:
        for batch in self._transactions():
            for w in batch:
                sql, names = self.one_row[w.table, w.columns]
                self.conn.cursor().executemany(sql, [[self.form(row[c]) for c in names] for row in w.rows])

    def set_based(self) -> None:
        for batch in self._transactions():
            for w in batch:
                rows = json.dumps(w.rows, default=date.isoformat, ensure_ascii=False)
                self.conn.execute(_from_json(w), (rows,))

    def _transactions(self) -> Iterator[Sequence[Write]]:
        for batch in self.batches:
            self.conn.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
            self.first(self.conn)
            yield batch
            self.conn.execute("COMMIT")

    def _one_row(self, w: Write) -> tuple[str, tuple[str, ...]]:
        mark = "?" if self.sqlite else "%s"
        if w.update is None:
            sets, where = (f"{c} = {mark}" for c in w.changing), (f"{c} = {mark}" for c in w.key)
            return f"UPDATE {w.table} SET {', '.join(sets)} WHERE {' AND '.join(where)}", w.changing + w.key
        marks = ", ".join([mark] * len(w.columns))
        return f"INSERT INTO {w.table} ({', '.join(w.columns)}) VALUES ({marks}){_clash(w)}", w.columns


def _clash(w: Write) -> str:
    if not w.key:
        return ""
    sets = ", ".join(f"{c} = excluded.{c}" for c in w.update or ())
    return f" ON CONFLICT ({', '.join(w.key)}) DO " + (f"UPDATE SET {sets}" if sets else "NOTHING")


def _from_json(w: Write) -> str:
    names = ", ".join(w.columns)
    opened = f"json_to_recordset(%s::json) AS r({', '.join(f'{c} {_pg_type(w.table, c)}' for c in w.columns)})"
    if w.update is None:
        sets, where = (f"{c} = r.{c}" for c in w.changing), (f"t.{c} = r.{c}" for c in w.key)
        return f"UPDATE {w.table} t SET {', '.join(sets)} FROM {opened} WHERE {' AND '.join(where)}"
    return f"INSERT INTO {w.table} ({names}) SELECT {names} FROM {opened}{_clash(w)}"


def _pg_type(name: str, column: str) -> str:
    return str(tables.metadata.tables[name].c[column].type.compile(postgresql.dialect()))


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return _for_psycopg(value)


def _for_psycopg(value: Any) -> Any:
    return json.dumps(value, default=date.isoformat, ensure_ascii=False) if isinstance(value, dict | list) else value
