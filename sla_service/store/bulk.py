"""Whole batches in one statement: a JSON parameter opened by PostgreSQL, ``executemany`` on SQLite.

A round trip and a plan per row is what makes ingestion slow, so nothing on the way of an event writes row by row.
Values are turned into the database's form column by column, and instants come back in Beijing time: comparing two
datetimes of one zone is ten times faster than of two, and a fold does little else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from sla_service.domain.policy import BEIJING
from sla_service.store.types import Instant, to_text

Row = Mapping[str, Any]
Names = tuple[str, ...]
Column = Iterable[Any]


def insert(conn: Connection, table: sa.Table, rows: Sequence[Row], *, key: Names = (), update: Names = ()) -> int:
    """Inserts ``rows`` (all with the same columns); on a clash of ``key`` updates ``update``, or leaves the old row.

    Without ``key`` a clash is the database's error. Gives the number of rows written.
    """
    if not rows:
        return 0
    columns = _names(rows[0])
    if conn.dialect.name == "sqlite":
        return _each(conn, _insert_values(table, columns, key, update), table, columns, rows)
    return _at_once(conn, _insert_json(table, columns, key, update), rows)


def update(conn: Connection, table: sa.Table, rows: Sequence[Row], *, key: Names) -> int:
    """Sets every column of ``rows`` but ``key`` where ``key`` matches. Gives the number of rows written."""
    if not rows:
        return 0
    columns = _names(rows[0])
    if conn.dialect.name == "sqlite":
        last = tuple(c for c in columns if c not in key) + key
        return _each(conn, _update_values(table, last, key), table, last, rows)
    return _at_once(conn, _update_json(table, columns, key), rows)


def matching(
    conn: Connection,
    table: sa.Table,
    on: tuple[str, str],
    keys: Iterable[tuple[str, str]],
    *,
    columns: Names = (),
    lock: bool = False,
) -> list[dict[str, Any]]:
    """Rows whose two columns ``on`` are one of ``keys``, in any order; all columns unless ``columns`` says which.

    With ``lock`` they are locked, in one order for everybody (SQLite's single writer needs none).
    """
    names = columns or _names(table.c)
    sql = _matching(table, on, names, lock=lock, lite=conn.dialect.name == "sqlite")
    return fetch(conn, sql, (to_json(list(keys)).decode(),), [table.c[name] for name in names])


def among(conn: Connection, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """``column IN values``, in words that are the same for any number of them: PostgreSQL plans them once."""
    if conn.dialect.name == "sqlite":
        return column.in_(values)
    return column == sa.any_(sa.literal(list(values), sa.ARRAY(column.type)))


def fetch(
    conn: Connection, sql: str, params: tuple[Any, ...], columns: Sequence[sa.Column[Any]]
) -> list[dict[str, Any]]:
    """The rows of a statement in the driver's own words, whose columns were written by ``shown``."""
    found = conn.exec_driver_sql(sql, params).all()
    if not found:
        return []
    names = _names(columns)
    by_column = map(_read, columns, zip(*found, strict=True))
    return [dict(zip(names, row, strict=True)) for row in zip(*by_column, strict=True)]


def shown(conn: Connection, alias: str, columns: Iterable[sa.Column[Any]]) -> str:
    """Columns for a SELECT whose rows ``fetch`` reads.

    PostgreSQL gives instants and JSON as text: Python reads both several times faster than the driver.
    """
    lite = conn.dialect.name == "sqlite"
    return ", ".join(_shown(alias, column, lite=lite) for column in columns)


def instant(conn: Connection, at: datetime) -> Any:
    """An instant as a parameter in the driver's own words."""
    return to_text(at) if conn.dialect.name == "sqlite" else at


# -- writing ------------------------------------------------------------------------------------------------


def _at_once(conn: Connection, sql: str, rows: Sequence[Row]) -> int:
    return conn.exec_driver_sql(sql, (to_json(rows).decode(),)).rowcount


def _each(conn: Connection, sql: str, table: sa.Table, columns: Names, rows: Sequence[Row]) -> int:
    by_column = zip(columns, zip(*(map(row.__getitem__, columns) for row in rows), strict=True), strict=True)
    bound = zip(*(_bound(table.c[name].type, values) for name, values in by_column), strict=True)
    return conn.exec_driver_sql(sql, list(bound)).rowcount


def _bound(kind: sa.types.TypeEngine[Any], values: Sequence[Any]) -> Column:
    """The values of one column as SQLite takes them."""
    if isinstance(kind, Instant):
        return _texts(values)
    if isinstance(kind, sa.Date):
        return [None if v is None else _day(v) for v in values]
    if isinstance(kind, sa.JSON):
        return [None if v is None else to_json(v).decode() for v in values]
    return values


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Rows of a batch share most of their instants (now, a due date), and looking up the object is quicker."""
    made: dict[int, str | None] = {id(None): None}
    texts = []
    for value in values:
        text = made.get(id(value), "")
        if text == "":
            text = made[id(value)] = to_text(value)
        texts.append(text)
    return texts


_day = lru_cache(maxsize=4096)(date.isoformat)


@lru_cache(maxsize=128)
def _insert_values(table: sa.Table, columns: Names, key: Names, update: Names) -> str:
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{table.name}" ({_list(columns)}) VALUES ({marks}){_clash(key, update)}'  # noqa: S608


@lru_cache(maxsize=128)
def _update_values(table: sa.Table, columns: Names, key: Names) -> str:
    sets = ", ".join(f'"{c}" = ?' for c in columns if c not in key)
    where = " AND ".join(f'"{c}" = ?' for c in key)
    return f'UPDATE "{table.name}" SET {sets} WHERE {where}'  # noqa: S608


@lru_cache(maxsize=128)
def _insert_json(table: sa.Table, columns: Names, key: Names, update: Names) -> str:
    order = f" ORDER BY {_list(key)}" if key else ""  # one order of locks for everybody
    return (
        f'INSERT INTO "{table.name}" ({_list(columns)}) SELECT {_list(columns)} '  # noqa: S608
        f"FROM {_opened(table, columns)}{order}{_clash(key, update)}"
    )


@lru_cache(maxsize=128)
def _update_json(table: sa.Table, columns: Names, key: Names) -> str:
    sets = ", ".join(f'"{c}" = r."{c}"' for c in columns if c not in key)
    where = " AND ".join(f't."{c}" = r."{c}"' for c in key)
    return f'UPDATE "{table.name}" AS t SET {sets} FROM {_opened(table, columns)} WHERE {where}'  # noqa: S608


def _opened(table: sa.Table, columns: Names) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    typed = ", ".join(f'"{c}" {table.c[c].type.compile(dialect)}' for c in columns)
    return f"json_to_recordset(CAST(%s AS json)) AS r({typed})"


def _clash(key: Names, update: Names) -> str:
    if not key:
        return ""
    if not update:
        return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
    sets = ", ".join(f"{c} = excluded.{c}" for c in update)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"


def _list(columns: Names) -> str:
    return ", ".join(f'"{c}"' for c in columns)


def _names(columns: Iterable[Any]) -> Names:
    """Names as plain strings: SQLAlchemy's own kind of string is slow wherever it is a key."""
    return tuple(str.__str__(getattr(c, "name", c)) for c in columns)


# -- reading ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _matching(table: sa.Table, on: tuple[str, str], names: Names, *, lock: bool, lite: bool) -> str:
    first, second = on
    columns = ", ".join(_shown("t", table.c[name], lite=lite) for name in names)
    if lite:  # the keys first, then the index, whatever the planner thinks of their number
        return (
            f'SELECT {columns} FROM json_each(?) AS p CROSS JOIN "{table.name}" AS t '  # noqa: S608
            f"ON t.\"{first}\" = json_extract(p.value, '$[0]') AND t.\"{second}\" = json_extract(p.value, '$[1]')"
        )
    order = f' ORDER BY t."{first}", t."{second}" FOR UPDATE OF t' if lock else ""
    return (
        f"SELECT {columns} FROM json_array_elements(CAST(%s AS json)) AS p(value) "  # noqa: S608
        f'JOIN "{table.name}" AS t ON t."{first}" = p.value->>0 AND t."{second}" = p.value->>1{order}'
    )


def _shown(alias: str, column: sa.Column[Any], *, lite: bool) -> str:
    name = f'{alias}."{column.name}"'
    return f"CAST({name} AS text)" if isinstance(column.type, Instant | sa.JSON) and not lite else name


def _read(column: sa.Column[Any], values: Sequence[Any]) -> Column:
    read = _reader(column)
    return values if read is None else [None if v is None else read(v) for v in values]


@lru_cache(maxsize=512)
def _reader(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    kind = column.type
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, sa.Date):
        return _date
    if isinstance(kind, sa.JSON):
        return from_json
    return bool if isinstance(kind, sa.Boolean) else None


@lru_cache(maxsize=16384)
def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(BEIJING)


@lru_cache(maxsize=4096)
def _date(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
