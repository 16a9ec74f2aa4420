"""All tables. Names here are names in Python; nothing outside ``store`` writes SQL."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables_audit import audit, audit_blocks
from sla_service.store.tables_base import BigId, metadata
from sla_service.store.tables_calendar import calendar_changes, calendar_layers, calendars, policies
from sla_service.store.types import Instant, Json

# Tables of their own files are tables of this one, too.
__all__ = [
    "BigId",
    "audit",
    "audit_blocks",
    "calendar_changes",
    "calendar_layers",
    "calendars",
    "metadata",
    "policies",
]

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("test", sa.Boolean, nullable=False),  # its alerts go to the sandbox only
    sa.Column("go_live", Instant, nullable=False),  # steps planned before it are never sent
    sa.Column("batch_delay", sa.Integer, nullable=False, server_default="0"),  # seconds: its events come by night
    sa.Column("created_at", Instant, nullable=False),
)

source_keys = sa.Table(
    "source_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the public part of the key
    sa.Column("source", sa.Text, sa.ForeignKey("sources.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("hash", sa.Text, nullable=False),  # SHA-256 of the secret part: it is random, so no slow hash is needed
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("last_used_at", Instant),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("source", sa.Text, sa.ForeignKey("sources.name"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("no", sa.Text, nullable=False),  # the case number (CloudEvents subject)
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("time", Instant, nullable=False),  # when it happened
    sa.Column("data", Json, nullable=False),
    sa.Column("extra", Json),  # attributes of the body that stand nowhere else: extensions, a time in another offset
    sa.Column("content", sa.Text, nullable=False),  # SHA-256 of what makes two bodies the same
    sa.Column("status", sa.Text, nullable=False),  # applied, waiting, rejected, voided
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Index("ix_inbox_case", "source", "no"),
    sa.Index("ix_inbox_waiting", "received_at", postgresql_where=sa.text("status = 'waiting'"),
             sqlite_where=sa.text("status = 'waiting'")),
)  # fmt: skip

#: Bodies that did not become events: invalid ones, conflicting ones, first bodies that a correction replaced.
kept = sa.Table(
    "kept",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),  # empty where the body has none
    sa.Column("status", sa.Text, nullable=False),  # invalid, conflict, replaced
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Index("ix_kept_source_id", "source", "id"),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("no", sa.Text, primary_key=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("accepted_at", Instant),  # null: events wait for the acceptance
    sa.Column("state", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("matter", sa.Text),
    sa.Column("department", sa.Text),
    sa.Column("handler", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("closed_at", Instant),
    sa.Column("replied_at", Instant),
    sa.Column("round", sa.Integer),
    sa.Column("due_on", sa.Date),
    sa.Column("due_at", Instant),
    sa.Column("due_earliest", sa.Date),
    sa.Column("due_latest", sa.Date),
    sa.Column("due_latest_at", Instant),
    sa.Column("provisional", sa.Boolean),
    sa.Column("yellow_on", sa.Date),  # the first day on which the light is yellow
    sa.Column("verdict", sa.Text),
    sa.Column("late_days", sa.Integer),
    sa.Column("findings", Json),
    sa.Column("falls", Json),  # findings of addressing: whom a message did not find, and who was told instead
    sa.Column("detail", Json),  # holders, acknowledgements, merges, applicant: what only one case's page needs
    sa.Column("policy_version", sa.Text),
    sa.Column("calendar_version", sa.Text),
    sa.Column("updated_at", Instant),
    sa.Index("ix_cases_hall_due", "hall", "due_at"),
    sa.Index("ix_cases_open", "state", "due_latest_at"),
)

clocks = sa.Table(
    "clocks",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("no", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("start_on", sa.Date, nullable=False),
    sa.Column("limit_days", sa.Integer, nullable=False),
    sa.Column("pauses", Json, nullable=False),
    sa.Column("stopped_at", Instant),
    sa.Column("due_on", sa.Date),
    sa.Column("due_earliest", sa.Date),
    sa.Column("due_latest", sa.Date),
    sa.Column("due_latest_at", Instant),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.Text),
    sa.Column("late_days", sa.Integer),
    sa.Column("watermark", Instant, nullable=False),  # every step planned up to here is done with
    sa.Column("breached_at", Instant),  # the due instant, once its passing was noticed
    sa.Column("next_at", Instant),  # when it next needs a look; null: never
    sa.Column("counted_by", sa.Text),  # of a stopped one: the calendar version that its verdict was found under
    sa.ForeignKeyConstraint(["source", "no"], ["cases.source", "cases.no"], ondelete="CASCADE"),
    sa.Index("ix_clocks_next_at", "next_at", postgresql_where=sa.text("next_at IS NOT NULL"),
             sqlite_where=sa.text("next_at IS NOT NULL")),
    sa.Index("ix_clocks_forgotten", "source", "no", postgresql_where=sa.text("next_at IS NULL AND stopped_at IS NULL"),
             sqlite_where=sa.text("next_at IS NULL AND stopped_at IS NULL")),
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)  # fmt: skip

#: What is to be told to one person about one case on one channel. The dedupe key makes a second one impossible.
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("dedupe_key", sa.Text, nullable=False, unique=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("no", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("occurrence", sa.Integer, nullable=False),
    sa.Column("due_on", sa.Date),  # the due date when this was decided
    sa.Column("role", sa.Text, nullable=False),  # asked for by the step
    sa.Column("as_role", sa.Text),  # in which the recipient was found
    sa.Column("recipient", sa.Text),  # directory id; null: nobody could be found
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("via", Json, nullable=False),  # channels left to try after this one
    sa.Column("detail", Json, nullable=False),  # missed steps, text of a call, notes on falls
    sa.Column("planned_at", Instant, nullable=False),
    sa.Column("not_before", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # why suppressed or failed
    sa.Column("delivery", BigId, sa.ForeignKey("deliveries.id"), index=True),
    sa.Index("ix_messages_queued", "channel", "not_before", "id", postgresql_where=sa.text("state = 'queued'"),
             sqlite_where=sa.text("state = 'queued'")),
    sa.Index("ix_messages_case", "source", "no"),
    sa.Index("ix_messages_troubled", "created_at", postgresql_where=sa.text("state IN ('failed', 'unknown')"),
             sqlite_where=sa.text("state IN ('failed', 'unknown')")),
)  # fmt: skip

#: One envelope: everything that waits for one person on one channel. Its body is frozen when it is first claimed.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),  # an escalation, not a reminder
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("not_before", Instant, nullable=False),
    sa.Column("not_after", Instant),  # a repeat that the provider would no longer drop must not go out
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("lease_until", Instant),
    sa.Column("worker", sa.Text),
    sa.Column("provider_id", sa.Text),
    sa.Column("content", sa.Text, nullable=False),  # hash of the words, for windows that count the same text
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("ix_deliveries_queued", "channel", "not_before", postgresql_where=sa.text("state = 'queued'"),
             sqlite_where=sa.text("state = 'queued'")),
    sa.Index("ix_deliveries_lease", "lease_until", postgresql_where=sa.text("state IN ('claimed', 'sending')"),
             sqlite_where=sa.text("state IN ('claimed', 'sending')")),
    sa.Index("ix_deliveries_provider", "channel", "provider_id"),  # receipts come under the provider's id
)  # fmt: skip

#: One row per try, never updated away. Channel, recipient and content stand here too: sending windows count tries.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("delivery", BigId, sa.ForeignKey("deliveries.id"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("outcome", sa.Text),
    sa.Column("code", sa.Text),
    sa.Column("text", sa.Text),
    sa.Index("ix_attempts_recipient", "channel", "recipient", "started_at"),
    sa.Index("ix_attempts_channel", "channel", "started_at"),
    sa.Index("ix_attempts_unclear", "started_at",
             postgresql_where=sa.text("outcome IS NULL OR outcome = 'unknown'"),
             sqlite_where=sa.text("outcome IS NULL OR outcome = 'unknown'")),
)  # fmt: skip

#: Who has said "seen" to which step of which case, when and how. The first word stands.
acks = sa.Table(
    "acks",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("no", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("via", sa.Text, nullable=False),  # link, card, api, page
)

#: What providers reported about messages that they had accepted, as it came; ``delivery`` null: not known (yet).
receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # the same report twice is one
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("delivered", sa.Boolean, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("delivery", BigId, sa.ForeignKey("deliveries.id"), index=True),
    sa.Index("ix_receipts_provider", "channel", "provider_id"),
)

#: What happened to a case besides its events: due dates that moved, breaches noticed and taken back.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("no", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Index("ix_journal_case", "source", "no"),
)

#: Small facts that all processes share: provider tokens, when the last tick ran.
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
)

#: The sandbox channel's mailbox: what a phone would have shown.
mailbox = sa.Table(
    "mailbox",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("key", sa.Text, unique=True),  # the envelope: the same one is not shown twice
)

# The same metadata, complete with whoever asks for it.
from sla_service.store import tables_accounts, tables_registers, tables_tallies, tables_webhooks  # noqa: E402, F401
