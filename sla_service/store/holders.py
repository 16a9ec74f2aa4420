"""Who holds the open cases, as their case systems call him."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables

_C = tables.cases.c
_OPEN = ("running", "paused")


class Holder(NamedTuple):
    """A name that stands in ``n`` open cases of a department of a hall."""

    hall: str
    department: str | None
    handler: str
    n: int


def holders(conn: Connection) -> list[Holder]:
    """Everybody who has open cases, whoever has most of them first."""
    parts = (_C.hall, _C.department, _C.handler)
    count = sa.func.count()
    query = sa.select(*parts, count).where(_C.state.in_(_OPEN), _C.handler.is_not(None)).group_by(*parts)
    return [Holder(*row) for row in conn.execute(query.order_by(count.desc(), *parts)).tuples()]


def held_by(conn: Connection, held: Iterable[Holder]) -> list[tuple[str, str]]:
    """The open cases of these, by source and number."""
    found: list[tuple[str, str]] = []
    for one in held:
        mine = (_C.hall == one.hall, _C.department.is_not_distinct_from(one.department), _C.handler == one.handler)
        query = sa.select(_C.source, _C.no).where(_C.state.in_(_OPEN), *mine)
        found += [(source, no) for source, no in conn.execute(query).tuples()]
    return sorted(found)
