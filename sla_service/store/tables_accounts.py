"""Tables of the pages' accounts: who may look, and who is looking just now."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables import metadata
from sla_service.store.types import Instant

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),  # viewer, staff, leader, admin
    sa.Column("hall", sa.Text),  # null: every hall
    sa.Column("person", sa.Text),  # directory id: whose cases, whose departments
    sa.Column("hash", sa.Text, nullable=False),  # argon2id
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),  # wrong passwords in a row
    sa.Column("locked_until", Instant),
    sa.Column("last_login_at", Instant),
)

#: One row per browser that is logged in. Holds no secret: ``id`` is the hash of what the cookie says.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("csrf", sa.Text, nullable=False),  # what a form has to bring along
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
)
