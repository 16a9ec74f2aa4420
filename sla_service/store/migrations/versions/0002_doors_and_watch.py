"""doors and watch: nightly files, webhooks out, what the later parts keep"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("batch_delay", sa.Integer(), nullable=False, server_default="0"))
    _figures()


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
