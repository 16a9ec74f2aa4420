"""What registers (台账) said last of each case, so that tonight's export can be told from yesterday's."""

from __future__ import annotations

import sqlalchemy as sa

from sla_service.store.tables import metadata
from sla_service.store.types import Instant, Json

#: One row per case that came from a register. Holds no applicant's data.
register_rows = sa.Table(
    "register_rows",
    metadata,
    sa.Column("source", sa.Text, sa.ForeignKey("sources.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("no", sa.Text, primary_key=True),
    sa.Column("as_of", Instant, nullable=False),  # when the file that it last stood in was written
    sa.Column("seen", Json, nullable=False),  # hashes of its rows in that file
    sa.Column("before", Json, nullable=False),  # and in the file before
    sa.Column("said", Json, nullable=False),  # what the rows came to: holder, kind, pause, closing, answer
)
