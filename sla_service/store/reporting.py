"""What a report reads: rounds closed in a period, and what is open, came in, or was answered on the spot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.domain.policy import MAIN_TARGET
from sla_service.store import tables
from sla_service.store.queries import light_is

Row = Mapping[str, Any]
Condition = sa.ColumnElement[bool]
_C, _K, _I, _S = tables.cases.c, tables.clocks.c, tables.inbox.c, tables.sources.c
_BATCH = 2_000
_PAUSES = ("pause_not_informed", "pause_supplement", "pause_other")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``[since, until)``; ``source`` None asks for all but test sources; ``hall`` None for all halls."""

    since: datetime
    until: datetime
    source: str | None = None
    hall: str | None = None


def closed_rounds(conn: Connection, wanted: Wanted) -> Iterator[Row]:
    """Rounds with a verdict that were closed in the period, with what their case says."""
    names = ("hall", "title", "kind", "matter", "department", "handler", "outcome", "detail")
    query = (
        sa.select(
            *(
                _K[n]
                for n in ("source", "no", "round", "due_on", "due_latest_at", "stopped_at", "verdict", "late_days")
            ),
            *(_C[n] for n in names),
            _C.round.label("last_round"),
        )
        .join(tables.cases, sa.and_(_C.source == _K.source, _C.no == _K.no))
        .where(_K.target == MAIN_TARGET, _K.verdict.is_not(None), *_in(_K.stopped_at, wanted), *_whose(wanted))
        .order_by(_K.stopped_at, _K.source, _K.no)
    )
    found = conn.execution_options(yield_per=_BATCH).execute(query).mappings()
    for row in found:
        yield dict(row)


def closings(conn: Connection, source: str, no: str) -> list[Row]:
    """The closings of a case that was reopened: when, and how each round came out."""
    query = sa.select(_I.time, _I.data).where(
        _I.source == source, _I.no == no, _I.type == "case.closed", _I.status == "applied"
    )
    return [dict(r) for r in conn.execute(query.order_by(_I.time)).mappings()]


def open_now(conn: Connection, wanted: Wanted, *, now: datetime) -> list[Row]:
    """How many run, are overdue or paused, by everything a report groups by."""
    groups = [_C[n] for n in ("hall", "kind", "matter", "department", "handler")]
    tests = {"running": _C.state == "running", "overdue": light_is("red", now), "paused": _C.state == "paused"}
    sums = [sa.func.sum(sa.case((test, 1), else_=0)).label(name) for name, test in tests.items()]
    query = sa.select(*groups, *sums).where(_C.state.in_(("running", "paused")), *_whose(wanted)).group_by(*groups)
    return [dict(r) for r in conn.execute(query).mappings()]


def accepted(conn: Connection, wanted: Wanted) -> list[Row]:
    groups = [_C[n] for n in ("hall", "kind", "matter", "department", "handler")]
    query = sa.select(*groups, sa.func.count().label("accepted")).where(*_in(_C.accepted_at, wanted), *_whose(wanted))
    return [dict(r) for r in conn.execute(query.group_by(*groups)).mappings()]


def visits(conn: Connection, wanted: Wanted) -> list[Row]:
    """``visit.answered`` events of the period: their data."""
    query = (
        sa.select(_I.data, _S.hall)
        .join(tables.sources, _S.name == _I.source)
        .where(_I.type == "visit.answered", _I.status == "applied", *_in(_I.time, wanted))
        .where(*_of_source(_I.source, wanted), *([] if wanted.hall is None else [_S.hall == wanted.hall]))
    )
    return [dict(r) for r in conn.execute(query).mappings()]


def doubtful_pauses(conn: Connection, wanted: Wanted, *, limit: int) -> list[Row]:
    """Cases that are open or were closed in the period and have a finding about a pause."""
    names = ("source", "no", "title", "department", "handler", "hall", "state", "findings")
    open_or_closed = sa.or_(_C.state != "closed", sa.and_(*_in(_C.closed_at, wanted)))
    text = sa.cast(_C.findings, sa.Text)
    about = sa.or_(*(text.contains(f'"{code}"', autoescape=True) for code in _PAUSES))
    query = sa.select(*(_C[n] for n in names)).where(open_or_closed, about, *_whose(wanted))
    rows = conn.execute(query.order_by(_C.source, _C.no).limit(limit)).mappings()
    return [{**r, "findings": [f for f in r["findings"] if f["code"] in _PAUSES]} for r in rows]


def _in(column: sa.ColumnElement[Any], wanted: Wanted) -> Sequence[Condition]:
    return column >= wanted.since, column < wanted.until


def _whose(wanted: Wanted) -> list[Condition]:
    found = [_C.accepted_at.is_not(None), *_of_source(_C.source, wanted)]
    return found if wanted.hall is None else [*found, _C.hall == wanted.hall]


def _of_source(column: sa.ColumnElement[str], wanted: Wanted) -> list[Condition]:
    if wanted.source is not None:
        return [column == wanted.source]
    return [column.in_(sa.select(_S.name).where(sa.not_(_S.test)))]
