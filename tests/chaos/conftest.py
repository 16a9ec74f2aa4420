"""The table of the failure matrix at the end of a run, and the long form (``SLA_TEST_CHAOS=long``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ledger import Row, as_json, plain, table

LONG = os.environ.get("SLA_TEST_CHAOS") == "long"
_KEY = "chaos"


@pytest.fixture
def long() -> bool:
    return LONG


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """The database of the kind that the test's ``kind`` names."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "pg_url"}[request.getfixturevalue("kind")]
    found: str = request.getfixturevalue(fixture)
    return found


@pytest.fixture
def book(record_property: Callable[[str, Any], None]) -> Callable[[Row], None]:
    """Puts a row into the table. It travels with the test's report, so that it arrives from other processes too."""
    return lambda row: record_property(_KEY, plain(row))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long_form: a row of the failure matrix that only runs when it is asked for")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The short form leaves out what was proven there on the other database already."""
    items[:] = [i for i in items if LONG or i.get_closest_marker("long_form") is None]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    rows = [v for r in reports for k, v in r.user_properties if k == _KEY and r.when == "call"]
    if not rows:
        return
    terminalreporter.section("failure matrix")
    terminalreporter.write_line(table(rows))
    if path := os.environ.get("SLA_TEST_CHAOS_JSON"):
        as_json(rows, Path(path))
