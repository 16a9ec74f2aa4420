"""doors and watch: nightly files, webhooks out, what the later parts keep"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_service.store.types import Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("batch_delay", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clocks", sa.Column("counted_by", sa.Text()))
    op.add_column("inbox", sa.Column("extra", Json))
    _figures()
    _webhooks()
    _registers()
    _accounts()


def _figures() -> None:
    """What the doctor and the metrics ask, without reading whole tables."""
    op.create_table(
        "tallies",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", "kind", "result", name=op.f("pk_tallies")),
    )
    forgotten = sa.text("next_at IS NULL AND stopped_at IS NULL")
    troubled = sa.text("state IN ('failed', 'unknown')")
    unclear = sa.text("outcome IS NULL OR outcome = 'unknown'")
    for name, table, columns, where in (
        ("ix_clocks_forgotten", "clocks", ["source", "no"], forgotten),
        ("ix_messages_troubled", "messages", ["created_at"], troubled),
        ("ix_attempts_unclear", "attempts", ["started_at"], unclear),
    ):
        op.create_index(name, table, columns, unique=False, postgresql_where=where, sqlite_where=where)


def _webhooks() -> None:
    """Secrets that sign, addresses of sources, and the outbox of what is told there."""
    source = ["source"], ["sources.name"]
    op.create_table(
        "signing_secrets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(*source, name=op.f("fk_signing_secrets_source"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_secrets")),
    )
    op.create_index(op.f("ix_signing_secrets_source"), "signing_secrets", ["source"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(*source, name=op.f("fk_webhooks_source"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_webhook_events_event_id")),
    )
    waiting, sending = sa.text("state = 'waiting'"), sa.text("state = 'sending'")
    either, done = sa.text("state IN ('waiting', 'sending')"), sa.text("finished_at IS NOT NULL")
    for name, columns, where in (
        ("ix_webhook_events_due", ["source", "not_before", "id"], waiting),
        ("ix_webhook_events_open", ["source", "no", "id"], either),
        ("ix_webhook_events_lease", ["lease_until"], sending),
        ("ix_webhook_events_done", ["state", "finished_at"], done),
    ):
        op.create_index(name, "webhook_events", columns, unique=False, postgresql_where=where, sqlite_where=where)


def _registers() -> None:
    """What registers said last of each case."""
    op.create_table(
        "register_rows",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("seen", Json, nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("said", Json, nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.name"], name=op.f("fk_register_rows_source"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", "no", name=op.f("pk_register_rows")),
    )


def _accounts() -> None:
    """Who may look at the pages, and who is looking."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.Column("last_login_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_sessions_account"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
