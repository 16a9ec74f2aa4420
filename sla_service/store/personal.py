"""Where applicants' data lies: in the data of events, and in bodies that could not become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables

Row = Mapping[str, Any]
_I, _K, _C = tables.inbox, tables.kept, tables.cases


def of_case(conn: Connection, source: str, no: str) -> list[Row]:
    """All events of a case, locked."""
    query = sa.select(_I).where(_I.c.source == source, _I.c.no == no).order_by(_I.c.id).with_for_update()
    return [dict(r) for r in conn.execute(query).mappings()]


def with_applicant(conn: Connection, *, after: tuple[str, str], limit: int) -> list[Row]:
    """Events that may name an applicant, a page at a time, locked."""
    behind = sa.tuple_(_I.c.source, _I.c.id) > sa.tuple_(*map(sa.literal, after))
    named = sa.cast(_I.c.data, sa.Text).like('%"applicant"%')
    query = sa.select(_I).where(behind, named).order_by(_I.c.source, _I.c.id).limit(limit).with_for_update()
    return [dict(r) for r in conn.execute(query).mappings()]


def rewrite(conn: Connection, source: str, event_id: str, data: Mapping[str, Any]) -> None:
    conn.execute(_I.update().where(_I.c.source == source, _I.c.id == event_id).values(data=data))


def kept_of(conn: Connection, source: str, ids: Iterable[str]) -> list[Row]:
    query = sa.select(_K).where(_K.c.source == source, _K.c.id.in_(list(ids)))
    return [dict(r) for r in conn.execute(query).mappings()]


def kept_naming(conn: Connection, source: str) -> list[Row]:
    """All bodies of a source that could not become events: which case they speak of stands inside them."""
    return [dict(r) for r in conn.execute(sa.select(_K).where(_K.c.source == source)).mappings()]


def kept_after(conn: Connection, seq: int, *, limit: int) -> list[Row]:
    """Bodies that could not become events, in the order in which they came, locked."""
    query = sa.select(_K).where(_K.c.seq > seq).order_by(_K.c.seq).limit(limit).with_for_update()
    return [dict(r) for r in conn.execute(query).mappings()]


def rewrite_kept(conn: Connection, seq: int, raw: str) -> None:
    conn.execute(_K.update().where(_K.c.seq == seq).values(raw=raw))


def empty_kept(conn: Connection, numbers: Iterable[int], words: str) -> int:
    return conn.execute(_K.update().where(_K.c.seq.in_(list(numbers))).values(raw=words)).rowcount


def closed_between(
    conn: Connection, since: datetime | None, until: datetime, *, after: tuple[str, str], limit: int
) -> list[Row]:
    behind = sa.tuple_(_C.c.source, _C.c.no) > sa.tuple_(*map(sa.literal, after))
    wanted = [_C.c.state == "closed", _C.c.closed_at <= until, behind]
    if since is not None:
        wanted.append(_C.c.closed_at > since)
    query = sa.select(_C.c.source, _C.c.no).where(*wanted).order_by(_C.c.source, _C.c.no).limit(limit)
    return [dict(r) for r in conn.execute(query).mappings()]
