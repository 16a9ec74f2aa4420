"""The migrations lead to exactly the tables that the code knows."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sla_service.bootstrap import open_database
from sla_service.errors import StoreError
from sla_service.settings import Settings
from sla_service.store import migrate, sources, tables
from sla_service.store.engine import HEAD, Database


def test_the_migrated_schema_is_the_schema_of_the_code(db_url):
    database = Database(db_url)
    with database.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    assert database.revision() == HEAD
    database.dispose()


def test_the_code_names_the_newest_migration():
    assert ScriptDirectory.from_config(migrate._config()).get_current_head() == HEAD


def test_upgrading_again_changes_nothing(db_url):
    migrate.upgrade(db_url)
    migrate.upgrade(db_url)


def test_a_missing_sqlite_file_is_made_and_migrated(tmp_path):
    database = open_database(Settings(database_url=f"sqlite:///{tmp_path}/new/sla.db"))
    assert database.revision() == HEAD
    database.dispose()


def test_an_unmigrated_postgresql_names_the_command(pg_server):
    with pytest.raises(StoreError, match="sla db upgrade"):
        open_database(Settings(database_url=pg_server))


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "nonsense"])
def test_a_database_we_do_not_know_is_refused_without_its_password(url):
    with pytest.raises(StoreError) as refused:
        Database(url)
    assert "SLA_DATABASE_URL" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_database_of_the_first_version_keeps_what_it_holds(tmp_path):
    url = f"sqlite:///{tmp_path}/sla.db"
    old = Database(url)
    with old.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.exec_driver_sql(
            "INSERT INTO sources (name, hall, test, go_live, created_at) "
            "VALUES ('hall', 'main', 0, '2026-11-20 00:00:00', '2026-11-20 00:00:00')"
        )
    old.dispose()
    database = open_database(Settings(database_url=url), migrate=True)
    assert database.revision() == HEAD
    with database.read() as conn:
        assert [row["name"] for row in sources.everyone(conn)] == ["hall"]
    database.dispose()
