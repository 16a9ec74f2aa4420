"""Tables of webhooks: secrets that sign, where a source wants to be told, and what waits to be told there."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables import BigId, metadata
from sla_service.store.types import Instant

#: Secrets of the Standard Webhooks scheme. They must be known to sign and to verify, so they cannot be hashed.
signing_secrets = sa.Table(
    "signing_secrets",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, sa.ForeignKey("sources.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("use", sa.Text, nullable=False),  # in: what the source signs; out: what is signed for it
    sa.Column("secret", sa.Text, nullable=False),  # sealed where SLA_DATA_KEY is set, else as it is
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("last_used_at", Instant),
)

#: Where a source wants to be told. One address per source.
webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("source", sa.Text, sa.ForeignKey("sources.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),  # it has answered 410: nothing is written for it any more
    sa.Column("failures", sa.Integer, nullable=False),  # in a row, of the receiver as a whole
    sa.Column("not_before", Instant),  # the receiver as a whole is left alone until then
    sa.Column("answered_at", Instant),  # when it last took something
)

#: The outbox: written in the transaction of what it tells, sent in the order of ``id`` within a case.
webhook_events = sa.Table(
    "webhook_events",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),  # webhook-id, the same on every repeat
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("no", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # as it goes out, byte by byte
    sa.Column("state", sa.Text, nullable=False),  # waiting, sending, sent, dead
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("not_before", Instant, nullable=False),
    sa.Column("lease_until", Instant),
    sa.Column("worker", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("status", sa.Integer),  # of the last answer; null: there was none
    sa.Column("answer", sa.Text),  # the beginning of the last answer, or why there was none
    sa.Index("ix_webhook_events_due", "source", "not_before", "id",
             postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'")),
    sa.Index("ix_webhook_events_open", "source", "no", "id",
             postgresql_where=sa.text("state IN ('waiting', 'sending')"),
             sqlite_where=sa.text("state IN ('waiting', 'sending')")),
    sa.Index("ix_webhook_events_lease", "lease_until", postgresql_where=sa.text("state = 'sending'"),
             sqlite_where=sa.text("state = 'sending'")),
    sa.Index("ix_webhook_events_done", "state", "finished_at",
             postgresql_where=sa.text("finished_at IS NOT NULL"), sqlite_where=sa.text("finished_at IS NOT NULL")),
)  # fmt: skip
