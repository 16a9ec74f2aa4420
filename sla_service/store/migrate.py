"""Bringing a database to the schema that this code needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from sla_service.store.engine import Database

#: Any number: two upgrades at once wait for each other on PostgreSQL.
_LOCK = 0x51A_5E2


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(url: str | Database) -> None:
    """Runs all missing migrations in one transaction. Safe to repeat and to start twice at once."""
    database = url if isinstance(url, Database) else Database(url)
    config = _config()
    with database.write() as conn:
        if not database.sqlite:
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    if not isinstance(url, Database):
        database.dispose()
