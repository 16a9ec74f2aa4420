"""Column types that are the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant: ``timestamptz`` on PostgreSQL, ISO text in UTC of fixed width on SQLite, so that it sorts."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(27))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return to_text(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or isinstance(value, datetime):
            return value
        return datetime.fromisoformat(value)


def to_text(at: datetime) -> str:
    """``2026-11-20T02:12:00.000000Z``: UTC, always 27 characters."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"  # twice as fast as strftime


def as_instant(value: object) -> datetime | None:
    """What an aggregate gave: SQLite's lose the column's type."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def word(value: str) -> sa.ColumnElement[str]:
    """A word of this program as a literal: SQLite uses a partial index only for what stands in the statement ."""
    if not value.isalpha():
        raise ValueError(value)
    return sa.literal_column(f"'{value}'", sa.Text())


#: JSON values: JSONB on PostgreSQL, text on SQLite.
Json = sa.JSON().with_variant(JSONB(), "postgresql")
