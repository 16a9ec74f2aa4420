"""The sandbox's mailbox: what a phone would have shown."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables


def put(
    conn: Connection, *, key: str, channel: str, recipient: str, name: str, title: str, body: str, now: datetime
) -> str:
    """Shows a message once, however often the same envelope comes; gives its number."""
    row = {
        "key": key,
        "channel": channel,
        "recipient": recipient,
        "name": name,
        "title": title,
        "body": body,
        "at": now,
    }
    bulk.insert(conn, tables.mailbox, [row], key=("key",))
    return str(conn.execute(sa.select(tables.mailbox.c.id).where(tables.mailbox.c.key == key)).scalar_one())
