"""Fixtures for all tests: real servers that start when first asked for, a database per test, and nothing inherited.

Servers that cannot start fail the tests that need them; nothing is skipped. ``SLA_TEST_DATABASE_URL`` (PostgreSQL, a
user who may create databases) and ``SLA_TEST_REDIS_URL`` name others to use. Under xdist each worker has its own.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from servers import Postgres, Valkey

# Read before the environment is cleared below.
_DATABASE_URL = os.environ.get("SLA_TEST_DATABASE_URL")
_REDIS_URL = os.environ.get("SLA_TEST_REDIS_URL")

# ci: thorough and the same every time, so that a red build is the change's doing; dev: looks elsewhere each time.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200, print_blob=True)
settings.register_profile("dev", deadline=None, max_examples=60)
settings.register_profile("deterministic", derandomize=True, deadline=None, max_examples=60)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

# Failing examples are kept where the developer is, not where the tests run.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).parent.parent / ".hypothesis"))

# Under nohup, or in the background of a script, signals are ignored, and whatever a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No test, and no process that a test starts, sees the developer's own settings.
for _name in [name for name in os.environ if name.startswith("SLA_") and not name.startswith("SLA_TEST_")]:
    del os.environ[_name]


@pytest.fixture(scope="session", autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Away from the project folder, where a developer's .env is and where var/ would be made."""
    home = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("cwd"))
    yield
    os.chdir(home)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """The administrator's URL of a PostgreSQL that all tests of this worker share."""
    if _DATABASE_URL:
        yield _DATABASE_URL
        return
    with Postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def pg_template(pg_server: str) -> Iterator[str]:
    """The name of a database with the schema in it, migrated once."""
    from sla_service.store import migrate  # SQLAlchemy and Alembic: half a second that the domain's tests save

    name = _new_name()
    _administer(pg_server, "CREATE DATABASE {}", name)
    migrate.upgrade(_with_database(pg_server, name))
    yield name
    _administer(pg_server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def pg_url(pg_server: str, pg_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    name = _new_name()
    # FILE_COPY: with fsync off it beats the default WAL_LOG for a small database.
    _administer(pg_server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, pg_template)
    yield _with_database(pg_server, name)
    _administer(pg_server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema in it, migrated once."""
    from sla_service.store import migrate

    path = tmp_path_factory.mktemp("template") / "sla.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    path = tmp_path / "sla.db"
    with closing(sqlite3.connect(sqlite_template)) as template, closing(sqlite3.connect(path)) as copy:
        template.backup(copy)  # with what may still be in its write-ahead log
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own; the test runs once on each kind."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "pg_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture(scope="session")
def _redis_server(worker_id: str) -> Iterator[str]:
    if _REDIS_URL:  # never database 0, which may be in use; one for each worker
        number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
        yield _with_database(_REDIS_URL, str(number + 1))
        return
    with Valkey() as server:
        yield server.url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """An empty Redis database that no other test uses at the same time."""
    import redis

    with closing(redis.Redis.from_url(_redis_server)) as client:
        client.flushdb()
    return _redis_server


def _new_name() -> str:
    return f"sla_test_{uuid.uuid4().hex[:12]}"


def _with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _administer(url: str, statement: str, *names: str) -> None:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as conn:
        conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
