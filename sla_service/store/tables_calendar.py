"""Versions of policies and calendars, and where each calendar's days come from."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables_base import BigId, metadata
from sla_service.store.types import Instant, Json

policies = sa.Table(
    "policies",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

#: Where days come from, one row per document. Never changed, but for the note that a layer no longer counts.
calendar_layers = sa.Table(
    "calendar_layers",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("calendar", sa.Text, nullable=False),  # the calendar it belongs to; "*": all of them
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("edition", sa.Text, nullable=False),  # of what the program brings itself; empty for imports
    sa.Column("importer", sa.Text, nullable=False),
    sa.Column("imported_at", Instant, nullable=False),
    sa.Column("years", Json, nullable=False),  # year -> status
    sa.Column("replaces", Json, nullable=False),  # years settled as a whole
    sa.Column("days", Json, nullable=False),  # [date, off, name] in order
    sa.Column("ended_at", Instant),  # withdrawn, or replaced by a newer one
    sa.Column("ended_by", sa.Text),
)

#: Which version each calendar had since when, and why. One row per calendar is the current one.
calendar_changes = sa.Table(
    "calendar_changes",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=True),
    sa.Column("calendar", sa.Text, nullable=False),
    sa.Column("version", sa.Text, sa.ForeignKey("calendars.version"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("recomputed_at", Instant),  # null: running cases are still being moved to it
    sa.Index("ix_calendar_changes_current", "calendar", unique=True, postgresql_where=sa.text("current"),
             sqlite_where=sa.text("current")),
)  # fmt: skip
