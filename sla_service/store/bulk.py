"""Whole batches in one statement: a JSON parameter opened by PostgreSQL, ``executemany`` on SQLite.

A round trip and a plan per row is what makes ingestion slow, so nothing on the way of an event writes row by row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store.types import Instant, to_text

Row = Mapping[str, Any]


def insert(
    conn: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    key: tuple[str, ...] = (),
    update: tuple[str, ...] = (),
) -> int:
    """Inserts ``rows`` (all with the same columns); on a clash of ``key`` updates ``update``, or leaves the old row.

    Without ``key`` a clash is the database's error. Gives the number of rows written.
    """
    if not rows:
        return 0
    columns = tuple(rows[0])
    if conn.dialect.name == "sqlite":
        sql, bind = _sqlite(table, columns, key, update)
        return conn.exec_driver_sql(sql, [bind(row) for row in rows]).rowcount
    sql = _postgres(table, columns, key, update)
    return conn.exec_driver_sql(sql, (json.dumps(rows, default=_plain, ensure_ascii=False),)).rowcount


def select(conn: Connection, table: sa.Table, alias: str, rest: str, **params: Any) -> list[Row]:
    """``SELECT every column of table FROM rest``, with the types of the table. ``rest`` names it ``alias``."""
    names = ", ".join(f"{alias}.{c.name}" for c in table.c)
    statement = sa.text(f"SELECT {names} FROM {rest}").columns(*table.c)  # noqa: S608
    return [dict(row) for row in conn.execute(statement, params).mappings()]


def pairs(conn: Connection, name: str = "pairs") -> str:
    """A table ``name(a, b)`` out of the JSON parameter ``:name``, a list of two-element lists."""
    if conn.dialect.name == "sqlite":
        return f"(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each(:{name}))"  # noqa: S608
    return f"(SELECT value->>0 AS a, value->>1 AS b FROM jsonb_array_elements(CAST(:{name} AS jsonb)))"  # noqa: S608


def pairs_value(values: Iterable[tuple[str, str]]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # one form, whatever zone it came with
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _clash(key: tuple[str, ...], update: tuple[str, ...]) -> str:
    if not key:
        return ""
    if not update:
        return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
    sets = ", ".join(f"{c} = excluded.{c}" for c in update)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"


@lru_cache(maxsize=64)
def _postgres(table: sa.Table, columns: tuple[str, ...], key: tuple[str, ...], update: tuple[str, ...]) -> str:
    dialect = sa.dialects.postgresql.dialect()  # type: ignore[no-untyped-call]
    typed = ", ".join(f'"{c}" {table.c[c].type.compile(dialect)}' for c in columns)
    names = ", ".join(f'"{c}"' for c in columns)
    order = f" ORDER BY {', '.join(key)}" if key else ""  # one order of locks for everybody
    return (
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} '  # noqa: S608
        f"FROM jsonb_to_recordset(CAST(%s AS jsonb)) AS r({typed}){order}{_clash(key, update)}"
    )


@lru_cache(maxsize=64)
def _sqlite(
    table: sa.Table, columns: tuple[str, ...], key: tuple[str, ...], update: tuple[str, ...]
) -> tuple[str, Callable[[Row], tuple[Any, ...]]]:
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join("?" * len(columns))
    sql = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){_clash(key, update)}'  # noqa: S608
    binders = [(c, _binder(table.c[c].type)) for c in columns]

    def bind(row: Row) -> tuple[Any, ...]:
        return tuple(None if (v := row[c]) is None else b(v) if b else v for c, b in binders)

    return sql, bind


def _binder(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(kind, Instant):
        return to_text
    if isinstance(kind, sa.Date):
        return date.isoformat
    if isinstance(kind, sa.JSON):
        return _json
    return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def update(conn: Connection, table: sa.Table, rows: Sequence[Row], *, key: tuple[str, ...]) -> int:
    """Sets every column of ``rows`` but ``key`` where ``key`` matches, all in one statement (PostgreSQL)."""
    columns = tuple(rows[0])
    dialect = sa.dialects.postgresql.dialect()  # type: ignore[no-untyped-call]
    typed = ", ".join(f'"{c}" {table.c[c].type.compile(dialect)}' for c in columns)
    sets = ", ".join(f'"{c}" = r."{c}"' for c in columns if c not in key)
    where = " AND ".join(f't."{c}" = r."{c}"' for c in key)
    sql = (
        f'UPDATE "{table.name}" AS t SET {sets} '  # noqa: S608
        f"FROM jsonb_to_recordset(CAST(%s AS jsonb)) AS r({typed}) WHERE {where}"
    )
    return conn.exec_driver_sql(sql, (json.dumps(rows, default=_plain, ensure_ascii=False),)).rowcount
