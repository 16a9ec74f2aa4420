"""The audit log and its chain."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables_base import BigId, metadata
from sla_service.store.types import Instant, Json

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("block", BigId),  # null: not sealed yet
    sa.Column("hash", sa.Text),  # of this row and the hash of the one before it in the chain
    sa.Index("ix_audit_unsealed", "seq", postgresql_where=sa.text("block IS NULL"),
             sqlite_where=sa.text("block IS NULL")),
    sa.Index("ix_audit_block", "block", "seq"),
)  # fmt: skip

#: The audit log's chain: rows are written freely and sealed a moment later, a block at a time.
audit_blocks = sa.Table(
    "audit_blocks",
    metadata,
    sa.Column("n", BigId, primary_key=True, autoincrement=False),
    sa.Column("sealed_at", Instant, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("algorithm", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("pruned_at", Instant),  # its rows were old enough to go
)
