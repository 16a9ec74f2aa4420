"""Sums that only grow, for the metrics: what came in by door and status, what was tried by channel and outcome."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables import metadata

#: Added up by whoever seals the audit log, so that every row of it counts once and no writer waits for a sum.
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),  # events, alerts
    sa.Column("kind", sa.Text, primary_key=True),  # door; channel
    sa.Column("result", sa.Text, primary_key=True),  # status; outcome
    sa.Column("n", sa.BigInteger, nullable=False),
)
