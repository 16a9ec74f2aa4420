"""``/``: how the hall stands today, what has run out, what runs out today, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from sla_service.domain.clock import business_date
from sla_service.domain.scope import Access
from sla_service.services import words
from sla_service.services.accounts import Viewer
from sla_service.services.app import App
from sla_service.services.due import date_text
from sla_service.services.views import case_out
from sla_service.store import queries, sources
from sla_service.store.queries import CaseFilter
from sla_service.web.context import web_of
from sla_service.web.entry import Seer
from sla_service.web.pages.render import page

router = APIRouter(include_in_schema=False)

#: Cases per list: what does not fit is counted and left to ``sla cases``.
LISTED: Final = 50

Row = Mapping[str, Any]


@router.get("/")
async def overview(request: Request, viewer: Seer) -> Response:
    web = web_of(request)
    now = web.clock()
    values = await web.read(lambda conn: _values(web.app, conn, viewer, now))
    return page(request, "overview.html", today=date_text(business_date(now)), **values)


def _values(app: App, conn: Connection, viewer: Viewer, now: datetime) -> dict[str, Any]:
    counts = queries.light_counts(conn, now=now, within=viewer.scope)
    red, soon = (
        queries.most_urgent(conn, CaseFilter(lights=(light,), within=viewer.scope), now=now, limit=LISTED)
        for light in ("red", "yellow")
    )
    ends_today = [r for r in soon if r["due_on"] <= business_date(now)]
    later = [r for r in soon if r["due_on"] > business_date(now)]
    coming = counts["yellow"] - counts["today"]
    lists = (
        ("red", "已超期", red, counts["red"]),
        ("yellow", "今天到期", ends_today, counts["today"]),
        ("yellow", "临期", later, coming),
    )
    return {
        "tiles": [
            ("red", "已超期", counts["red"]),
            ("yellow", "今天到期", counts["today"]),
            ("yellow", "临期", coming),
            ("green", "正常", counts["green"]),
            ("grey", "挂起", counts["grey"]),
        ],
        "lists": [
            {
                "light": light,
                "title": title,
                "cases": [shown(app, row, now) for row in rows],
                "more": max(0, total - len(rows)),
            }
            for light, title, rows, total in lists
            if total
        ],
        "sources": [r["name"] for r in sources.everyone(conn)] if viewer.access is Access.ADMIN else [],
        "any_case": queries.any_case(conn, within=viewer.scope),
    }


def shown(app: App, row: Row, now: datetime) -> dict[str, Any]:
    """A case as pages show it: the case object with words beside its codes."""
    plain = case_out(row, now=now, calendar=app.calendar_of(row))
    person = None
    if row["handler"]:
        person = app.config.directory.find(row["handler"], row["department"], row["hall"])
    return {
        **plain,
        "kind_text": words.kind(row["kind"]),
        "handler_text": person.name if person else (row["handler"] or "未分派"),
        "due_text": words.day(row["due_on"]),
        "left_text": words.remaining(plain["light"], plain["remaining_days"], plain["state"]),
    }
