"""doors and watch: nightly files, webhooks out, what the later parts keep"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("batch_delay", sa.Integer(), nullable=False, server_default="0"))
