"""Builds the App from the settings: the one place where the parts are put together."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from sla_service import systime
from sla_service.domain.policy import Policy
from sla_service.errors import StoreError
from sla_service.services import audit, config
from sla_service.services.app import App
from sla_service.services.calendar_force import open_calendars
from sla_service.services.channels import Channels
from sla_service.services.config import Config, policy_to_dict
from sla_service.settings import Settings, load
from sla_service.store import versions
from sla_service.store.engine import HEAD, Database


def build(settings: Settings | None = None) -> App:
    """Opens and checks everything. Raises an SlaError of one sentence for whatever cannot be used."""
    settings = settings or load()
    if settings.clock_shift:
        os.environ["SLA_CLOCK_SHIFT"] = str(settings.clock_shift)
    found = config.configuration(settings)
    db = open_database(settings)
    channels = Channels(found.channels, db, settings.variables)
    app = App(settings, db, found, open_calendars(db, found.directory, now=systime.now()), channels)
    _keep_versions(app)
    return app


def prepare(settings: Settings) -> None:
    """What has to be right before any process of the service starts: configuration, database, channels' URLs.

    A SQLite database of an older version is migrated; PostgreSQL is left to ``sla db upgrade``.
    """
    found = config.configuration(settings)
    db = open_database(settings, migrate=True)
    channels = Channels(found.channels, db, settings.variables)
    for name in channels.names():
        channels.open(name)
    channels.close()
    db.dispose()


def open_database(settings: Settings, *, migrate: bool = False) -> Database:
    """The database at the schema that this code needs; an empty SQLite file is made on the way."""
    db = Database(settings.database_url)
    if db.sqlite and (_absent(db) or db.empty()):
        upgrade(db)
    found = db.revision()
    if found == HEAD:
        return db
    if migrate and db.sqlite and found is not None and found < HEAD:
        upgrade(db)
        return db
    if found is not None and found > HEAD:
        raise StoreError(f"数据库 {db.shown()} 的版本（{found}）比本程序新，请升级程序")
    words = "还没有建表" if found is None else f"的版本（{found}）比本程序旧"
    raise StoreError(f"数据库 {db.shown()} {words}，请先运行 sla db upgrade")


def upgrade(db: Database) -> None:
    """Migrates the database. Alembic is imported only when there is something to do."""
    importlib.import_module("sla_service.store.migrate").upgrade(db)


def _absent(db: Database) -> bool:
    name = db.url.database
    return bool(name) and name != ":memory:" and not Path(str(name)).exists()


def _keep_versions(app: App) -> None:
    """Keeps the policies in force, so that what a case was opened under can be looked up for good."""
    policies = _policies(app.config)
    with app.db.read() as conn:
        known = versions.known(conn)
    missing = {v: p for v, p in policies.items() if v not in known}
    if missing:
        with app.db.write() as conn:
            for version, policy in missing.items():
                versions.keep_policy(conn, version, policy_to_dict(policy), systime.now())
                audit.note(conn, systime.now(), audit.operator(), "policy.in_force", version)


def _policies(files: Config) -> dict[str, Policy]:
    return {p.version: p for p in (files.policy, *files.policies.values())}
