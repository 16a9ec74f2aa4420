"""Commands that need no database, but say more where there is one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from sla_service.cli.output import say
from sla_service.cli.reading import read_settings
from sla_service.errors import SlaError

T = TypeVar("T")


def with_database(use: Callable[[Any], T], *, without: str) -> T | None:
    """What ``use`` makes of the App; None without a database, and where it is away: then ``without`` says so."""
    path = read_settings().sqlite_path
    if path is not None and not path.exists():
        return None
    # Only now: SQLAlchemy is half a second that a machine without a database is spared.
    opening: Any = importlib.import_module("sla_service.cli.opening")
    database: Any = importlib.import_module("sla_service.cli.database")
    try:
        with opening.opened() as app:
            return use(app)
    except SlaError as e:
        say(f"注意：{e}；{without}")
    except Exception as e:
        problem = database.problem(e)
        if problem is None:
            raise
        say(f"注意：{problem}{without}")
    return None
