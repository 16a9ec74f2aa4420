from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CONFIG, Shell


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An empty folder: no database named, no config folder."""
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


@pytest.fixture
def shell(bare: Shell, sqlite_url: str) -> Shell:
    """A database and the shipped configuration, on Tuesday 2026-12-01 at 10:00."""
    bare.env |= {"SLA_DATABASE_URL": sqlite_url, "SLA_CONFIG_DIR": str(CONFIG)}
    bare.clock("2026-12-01 10:00")
    return bare


@pytest.fixture
def both(bare: Shell, db_url: str) -> Shell:
    """The same, once on each kind of database."""
    bare.env |= {"SLA_DATABASE_URL": db_url, "SLA_CONFIG_DIR": str(CONFIG)}
    bare.clock("2026-12-01 10:00")
    return bare
