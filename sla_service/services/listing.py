"""All cases that fit a filter, however many: page by page, since a long transaction would hold up the ticks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sla_service.services.app import App
from sla_service.services.views import case_out
from sla_service.store import queries
from sla_service.store.queries import CaseFilter

_PAGE = 1000


def every_case(app: App, wanted: CaseFilter, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Case objects in order of source and number, closed ones too. Nothing is repeated or left out on the way."""
    after: tuple[str, str] | None = None
    while True:
        with app.db.read() as conn:
            rows = queries.cases(conn, wanted, now=now, after=after, limit=_PAGE)
        for row in rows:
            yield case_out(row, now=now, calendar=app.calendar_of(row))
        if len(rows) < _PAGE:
            return
        after = rows[-1]["source"], rows[-1]["no"]
