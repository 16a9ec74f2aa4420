"""The sentence for a database that fails in the middle of a command."""

from __future__ import annotations

import sqlite3

from sla_service.errors import SlaError
from sla_service.settings import load
from sla_service.settings_values import masked_url
from sla_service.store.engine import unavailable


def problem(error: Exception) -> str | None:
    """What to check, if ``error`` is the database being away, locked, full or read-only; None if it is not that."""
    cause = getattr(error, "orig", None) or error
    if not unavailable(error) and type(cause) is not sqlite3.DatabaseError:  # that one itself: not a database, damaged
        return None
    first = str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__
    try:
        url = masked_url(load().database_url)
    except SlaError:  # what it was meant to be cannot be said
        url = ""
    return f"数据库不可用（{first}），请检查 SLA_DATABASE_URL（{url}）。"
