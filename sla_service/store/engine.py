"""The database: one class for SQLite and PostgreSQL, with a reading and a writing transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from sla_service.errors import StoreError

#: The migration that this code needs; a test holds it equal to Alembic's head.
HEAD = "0002"

_BUSY_SECONDS = 15
_PLANS_LAST = 20  # transactions
_READ_ONLY = "25006"  # a standby that nobody has promoted yet: psycopg counts it among the programming mistakes


class Database:
    """Opens lazily. ``write()`` takes SQLite's single writer lock at once, so that two writers queue, never fail."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url: URL = normal_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine: Engine = self._sqlite_engine() if self.sqlite else self._postgres_engine(pool_size)

    def _sqlite_engine(self) -> Engine:
        engine = sa.create_engine(
            self.url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
        )

        @sa.event.listens_for(engine, "connect")
        def _prepare(raw: Any, _record: Any) -> None:
            raw.isolation_level = None  # we say BEGIN ourselves
            raw.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY"
            )

        @sa.event.listens_for(engine, "begin")
        def _begin(conn: Connection) -> None:
            reading = conn.get_execution_options().get("reading", False)
            conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

        return engine

    def _postgres_engine(self, pool_size: int) -> Engine:
        engine = sa.create_engine(
            self.url,
            hide_parameters=True,  # an error's text must not carry applicants' data into a log
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, "application_name": "sla"},
        )

        @sa.event.listens_for(engine, "checkout")
        def _plan_anew(raw: Any, record: Any, _proxy: Any) -> None:
            """A plan made while a table was empty reads all of it, row by row, until somebody analyses the table."""
            uses = record.info["uses"] = record.info.get("uses", 0) + 1
            if uses % _PLANS_LAST == 0:
                raw.execute("DISCARD PLANS", prepare=False)
                raw.rollback()

        return engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.engine.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(reading=True) as conn, conn.begin():
            yield conn

    def dispose(self) -> None:
        self.engine.dispose()

    # -- state of the schema --------------------------------------------------------------------------------

    def revision(self) -> str | None:
        """The migration the database stands at; None where there is none."""
        with self.read() as conn:
            if not sa.inspect(conn).has_table("alembic_version"):
                return None
            return conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()

    def empty(self) -> bool:
        with self.read() as conn:
            return not sa.inspect(conn).get_table_names()

    def shown(self) -> str:
        """The URL without its password, for people."""
        return self.url.render_as_string(hide_password=True)


def normal_url(url: str) -> URL:
    """Reads a database URL; ``postgresql://`` means psycopg 3. SQLite's folder is made."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise StoreError("SLA_DATABASE_URL 不是数据库地址，例如 sqlite:///var/sla.db") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(f"SLA_DATABASE_URL 只支持 sqlite 和 postgresql，不支持 {backend}")
    if parsed.database and parsed.database != ":memory:":
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise StoreError(
                f"建不了数据库所在的文件夹 {folder}：{e.strerror}，请检查权限或改 SLA_DATABASE_URL"
            ) from None
    return parsed


def unavailable(error: BaseException) -> bool:
    """Is this the database being away (try again later), not a fault of ours?"""
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        if isinstance(error.orig, sqlite3.OperationalError):
            return any(word in str(error.orig) for word in ("locked", "unable to open", "disk", "full", "readonly"))
        if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
            return True
        return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return isinstance(error, sa.exc.TimeoutError)
