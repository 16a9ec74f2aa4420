"""``/cases/{source}/{no}``: one case, how its due date was counted, what happened, who was told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from sla_service.domain.clock import business_date
from sla_service.domain.scope import Access
from sla_service.errors import NotFoundError
from sla_service.services import words
from sla_service.services.accounts import Viewer
from sla_service.services.app import App
from sla_service.services.explaining import accepted, explain
from sla_service.store import queries
from sla_service.web.api.params import CaseNo, SourceName
from sla_service.web.context import web_of
from sla_service.web.entry import Seer
from sla_service.web.pages.overview import shown
from sla_service.web.pages.render import page
from sla_service.web.timeline import timeline

router = APIRouter(include_in_schema=False)


@router.get("/cases/{source}/{no}")
async def case(request: Request, source: SourceName, no: CaseNo, viewer: Seer) -> Response:
    web = web_of(request)
    now = web.clock()
    return page(request, "case.html", **await web.run(lambda: _values(web.app, source, no, viewer, now)))


def _values(app: App, source: str, no: str, viewer: Viewer, now: datetime) -> dict[str, Any]:
    with app.db.read() as conn:
        if viewer.access is not Access.ADMIN:
            _allowed(viewer, queries.case(conn, source, no), source, no)
        row = accepted(conn, source, no)
    found = shown(app, row, now)
    entries = timeline(app, source, no, now=now).entries
    told, happened = ([e for e in entries if (e.what == "message") is wanted] for wanted in (True, False))
    return {
        "case": found,
        "facts": [(name, value) for name, value in _facts(found, row["accepted_at"], row["closed_at"]) if value],
        "clocks": explain(app, source, no, now=now).clocks,
        "today": business_date(now),
        "entries": [(words.moment(e.at), e.what, e.text) for e in happened],
        "messages": [(words.moment(e.at), e.status, e.text) for e in told],
    }


def _allowed(viewer: Viewer, row: queries.Row | None, source: str, no: str) -> None:
    """Raises NotFoundError as for a case that is not there: whether it is is not his to know."""
    if row is None or row["accepted_at"] is None or not viewer.scope.sees(row):
        raise NotFoundError(f"没有办件 {source}/{no}，或者它不在你能看的范围里。")


def _facts(case: dict[str, Any], accepted_at: datetime, closed_at: datetime | None) -> list[tuple[str, str]]:
    held = "（暂定，等放假通知）" if case["provisional"] else ""
    verdict = words.VERDICTS.get(case["verdict"] or "", "")
    late = f"，超期 {case['late_days']} 个工作日" if case["late_days"] else ""
    return [
        ("状态", words.STATES.get(case["state"], case["state"])),
        ("到期", f"{case['due_text']}{case['due_at'][11:16]}{held}" if case["due_at"] else "挂起中，恢复后再算"),
        ("结果", f"{verdict}{late}"),
        ("分类", case["kind_text"]),
        ("事项", case["matter"] or ""),
        ("科室", case["department"] or ""),
        ("承办", case["handler_text"]),
        ("受理", words.moment(accepted_at)),
        ("办结", words.moment(closed_at) if closed_at else ""),
        ("来源", case["source"]),
    ]
