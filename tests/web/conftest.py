from __future__ import annotations

from collections.abc import Iterator

import pytest
from door import Door, open_door


@pytest.fixture
def door(db_url: str) -> Iterator[Door]:
    """The door of a hall at 10:12 on Friday 2026-11-20, on each kind of database."""
    with open_door(db_url) as opened:
        yield opened


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Door]:
    """The same on SQLite alone, for what has nothing to do with the database."""
    with open_door(sqlite_url) as opened:
        yield opened
