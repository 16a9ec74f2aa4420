"""Alembic's entry: runs on the connection that ``store.migrate`` hands in."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from sla_service.store.tables import metadata
from sla_service.store.types import Instant


def render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Writes our column types by their own names into a generated migration."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        autogen.imports.add("from sla_service.store.types import Instant")
        return "Instant()"
    if isinstance(item, sa.JSON):
        autogen.imports.add("from sla_service.store.types import Json")
        return "Json"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
