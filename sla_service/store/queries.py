"""Reading for people and systems: pages of cases and messages, one case's history, the sandbox's mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sla_service.domain.clock import business_date
from sla_service.domain.scope import EVERYTHING, Scope
from sla_service.store import tables

Row = Mapping[str, Any]
Condition = sa.ColumnElement[bool]

_C, _M, _D, _A, _J = (
    tables.cases.c,
    tables.messages.c,
    tables.deliveries.c,
    tables.attempts.c,
    tables.journal.c,
)
_LISTED = [c for c in _C if c.name not in ("detail", "policy_version", "calendar_version")]
_OPEN = ("running", "paused")


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases; empty asks for all, and so does None for ``sources``. ``q`` looks in number, title and matter."""

    sources: tuple[str, ...] | None = None
    halls: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    lights: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    q: str = ""
    within: Scope = EVERYTHING  # what whoever asks may see


def cases(
    conn: Connection, wanted: CaseFilter, *, now: datetime, after: tuple[str, str] | None = None, limit: int
) -> list[Row]:
    """One page of accepted cases by (source, no), beginning behind ``after``.

    The order is that of the primary key: what is inserted or changed meanwhile neither repeats nor hides a row.
    """
    query = sa.select(*_LISTED).where(*_conditions(wanted, now)).order_by(_C.source, _C.no).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(_C.source, _C.no) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    return _rows(conn, query)


def most_urgent(conn: Connection, wanted: CaseFilter, *, now: datetime, limit: int) -> list[Row]:
    """Running cases, the one that ran out or runs out first at the top."""
    running = (_C.state == "running", _C.due_latest_at.is_not(None))
    query = sa.select(*_LISTED).where(*running, *_conditions(wanted, now))
    return _rows(conn, query.order_by(_C.due_latest_at, _C.source, _C.no).limit(limit))


def light_counts(conn: Connection, *, now: datetime, within: Scope = EVERYTHING) -> dict[str, int]:
    """How many open cases show each light; beside them ``today``, those of them that end today."""
    named = {name: light_is(name, now) for name in ("red", "yellow", "green", "grey")}
    named["today"] = sa.and_(_C.state == "running", _C.due_on == business_date(now), sa.not_(named["red"]))
    sums = [sa.func.coalesce(sa.func.sum(sa.case((test, 1), else_=0)), 0).label(name) for name, test in named.items()]
    row = conn.execute(sa.select(*sums).where(_C.state.in_(_OPEN), *_within(within))).mappings().one()
    return {name: int(row[name]) for name in named}


def case(conn: Connection, source: str, no: str) -> Row | None:
    """The whole row, accepted or not; None if no event of it ever came."""
    rows = _rows(conn, sa.select(tables.cases).where(_C.source == source, _C.no == no))
    return rows[0] if rows else None


def any_case(conn: Connection, *, within: Scope = EVERYTHING) -> bool:
    query = sa.select(_C.no).where(_C.accepted_at.is_not(None), *_within(within))
    return conn.execute(query.limit(1)).first() is not None


def journal(conn: Connection, source: str, no: str) -> list[Row]:
    return _rows(conn, sa.select(tables.journal).where(_J.source == source, _J.no == no).order_by(_J.seq))


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; empty asks for all."""

    source: str | None = None
    no: str | None = None
    recipients: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def messages(conn: Connection, wanted: MessageFilter, *, before: int | None = None, limit: int) -> list[Row]:
    """Messages, newest first, each with its envelope's number of tries and what the last of them gave."""
    query = (
        sa.select(
            tables.messages,
            sa.func.coalesce(_D.attempt, 0).label("attempts"),
            _A.started_at.label("tried_at"),
            _A.finished_at,
            _A.outcome,
            _A.code,
            _A.text.label("outcome_text"),
        )
        .outerjoin(tables.deliveries, _D.id == _M.delivery)
        .outerjoin(tables.attempts, sa.and_(_A.delivery == _D.id, _A.attempt == _D.attempt))
        .order_by(_M.id.desc())
        .limit(limit)
    )
    given: dict[sa.Column[Any], str | None] = {_M.source: wanted.source, _M.no: wanted.no}
    query = query.where(*(column == value for column, value in given.items() if value is not None))
    role = sa.func.coalesce(_M.as_role, _M.role)
    for column, values in ((_M.recipient, wanted.recipients), (_M.state, wanted.states), (role, wanted.roles)):
        if values:
            query = query.where(column.in_(values))
    if before is not None:
        query = query.where(_M.id < before)
    return _rows(conn, query)


def sources_of(conn: Connection, no: str) -> list[str]:
    """The sources that have a case of that number."""
    case = tables.cases.c
    return list(conn.execute(sa.select(case.source).where(case.no == no).order_by(case.source)).scalars())


def mailbox(conn: Connection, *, recipient: str | None = None, before: int | None = None, limit: int) -> list[Row]:
    """What phones would have shown, newest first."""
    box = tables.mailbox
    query = sa.select(box).order_by(box.c.id.desc()).limit(limit)
    if recipient is not None:
        query = query.where(box.c.recipient == recipient)
    if before is not None:
        query = query.where(box.c.id < before)
    return _rows(conn, query)


def mailbox_people(conn: Connection, *, limit: int) -> list[Row]:
    """Who has something in the mailbox, with how much, whoever got something last at the top."""
    box = tables.mailbox.c
    query = sa.select(box.recipient, sa.func.max(box.name).label("name"), sa.func.count().label("n"))
    return _rows(conn, query.group_by(box.recipient).order_by(sa.func.max(box.id).desc()).limit(limit))


def _rows(conn: Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in conn.execute(query).mappings()]


def _conditions(wanted: CaseFilter, now: datetime) -> list[Condition]:
    found: list[Condition] = [_C.accepted_at.is_not(None)]
    if wanted.sources is not None:
        found.append(_C.source.in_(wanted.sources))
    columns = (
        (_C.hall, wanted.halls),
        (_C.state, wanted.states),
        (_C.kind, wanted.kinds),
        (_C.department, wanted.departments),
        (_C.handler, wanted.handlers),
        (_C.matter, wanted.matters),
    )
    found += [column.in_(values) for column, values in columns if values]
    found += _within(wanted.within)
    if wanted.lights:
        found.append(sa.or_(*(light_is(name, now) for name in wanted.lights)))
    if wanted.q:
        found.append(sa.or_(*(c.icontains(wanted.q, autoescape=True) for c in (_C.no, _C.title, _C.matter))))
    return found


def _within(scope: Scope) -> list[Condition]:
    """``Scope.sees`` in SQL."""
    found = [] if scope.hall is None else [_C.hall == scope.hall]
    if not scope.bounded:
        return found
    mine = _C.handler.in_(scope.handlers)
    theirs = sa.case(
        (_C.department.is_(None), _C.handler.in_(scope.members)), else_=_C.department.in_(scope.departments)
    )
    return [*found, sa.or_(mine, theirs)]


def light_is(name: str, now: datetime) -> Condition:
    """``services.views.light`` in SQL; a test holds the two equal."""
    runs = sa.and_(_C.state == "running", _C.due_on.is_not(None))
    if name == "grey":
        return sa.or_(_C.state != "running", _C.due_on.is_(None))
    if name == "red":
        return sa.and_(runs, _C.due_latest_at < now)
    soon = _C.yellow_on <= business_date(now)
    return sa.and_(runs, _C.due_latest_at >= now, soon if name == "yellow" else sa.not_(soon))
