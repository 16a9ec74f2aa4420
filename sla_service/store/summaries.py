"""What digests count: the running cases of a hall, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.store import tables

Row = Mapping[str, Any]
_C, _S = tables.cases.c, tables.sources


def running(conn: Connection, hall: str, *, now: datetime) -> list[Row]:
    """Running cases with a due date, those of test sources left out, the longest overdue first.

    One whose time is up but whose breach may not be announced yet (a nightly file may bring its closing) is left out.
    """
    names = ("source", "no", "title", "kind", "matter", "department", "handler", "due_on", "due_latest_at")
    query = (
        sa.select(*(_C[name] for name in names), _C.provisional, _S.c.batch_delay)
        .join(_S, _S.c.name == _C.source)
        .where(_C.hall == hall, _C.state == "running", _C.due_on.is_not(None), sa.not_(_S.c.test))
        .order_by(_C.due_latest_at, _C.source, _C.no)
    )
    rows = [dict(r) for r in conn.execute(query).mappings()]
    return [r for r in rows if not _untold(r["due_latest_at"], timedelta(seconds=r["batch_delay"]), now)]


def _untold(due: datetime, delay: timedelta, now: datetime) -> bool:
    return due <= now < due + delay


def closed_since(conn: Connection, hall: str, since: datetime) -> dict[str | None, int]:
    """How many were closed since then, by department."""
    query = (
        sa.select(_C.department, sa.func.count())
        .join(_S, _S.c.name == _C.source)
        .where(_C.hall == hall, _C.closed_at > since, sa.not_(_S.c.test))
    )
    return {department: n for department, n in conn.execute(query.group_by(_C.department))}  # noqa: C416 (rows)


def accepted_since(conn: Connection, hall: str, since: datetime) -> dict[str | None, int]:
    """How many came in since then, by department."""
    query = (
        sa.select(_C.department, sa.func.count())
        .join(_S, _S.c.name == _C.source)
        .where(_C.hall == hall, _C.accepted_at > since, sa.not_(_S.c.test))
    )
    return {department: n for department, n in conn.execute(query.group_by(_C.department))}  # noqa: C416 (rows)


def breached_matters(
    conn: Connection, hall: str, *, since: datetime, now: datetime, most: int
) -> list[tuple[str, int]]:
    """The matters that run out most often (共性问题): open overdue ones and those closed too late since then."""
    late = sa.or_(
        sa.and_(_C.state == "running", _C.due_latest_at < now),
        sa.and_(_C.verdict == "breached", _C.closed_at > since),
    )
    n = sa.func.count().label("n")
    query = (
        sa.select(_C.matter, n)
        .join(_S, _S.c.name == _C.source)
        .where(_C.hall == hall, late, _C.matter.is_not(None), sa.not_(_S.c.test))
        .group_by(_C.matter)
        .having(n > 1)
        .order_by(n.desc(), _C.matter)
        .limit(most)
    )
    return [(matter, count) for matter, count in conn.execute(query)]
