"""``/sandbox``: the mailbox, as the phones of those who were told would have shown it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.engine import Connection

from sla_service.services import words
from sla_service.store import queries
from sla_service.web.api.params import Text
from sla_service.web.context import web_of
from sla_service.web.entry import AdministratorOnly
from sla_service.web.pages.render import page

router = APIRouter(include_in_schema=False, dependencies=[AdministratorOnly])

SHOWN: Final = 50
PEOPLE: Final = 40


@router.get("/sandbox")
async def sandbox(
    request: Request,
    to: Annotated[Text | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, lt=1 << 63)] = None,
) -> Response:
    def read(conn: Connection) -> tuple[list[queries.Row], list[queries.Row]]:
        found = queries.mailbox(conn, recipient=to, before=before, limit=SHOWN + 1)
        return found, queries.mailbox_people(conn, limit=PEOPLE)

    found, people = await web_of(request).read(read)
    messages = [
        {
            "name": row["name"] or row["recipient"],
            "channel": words.CHANNELS.get(row["channel"], row["channel"]),
            "sms": row["channel"] == "sms",
            "at": words.moment(row["at"]),
            "title": row["title"],
            "body": row["body"],
        }
        for row in found[:SHOWN]
    ]
    return page(
        request,
        "sandbox.html",
        messages=messages,
        people=people,
        to=to,
        older=found[SHOWN - 1]["id"] if len(found) > SHOWN else None,
        newest=before is None,
    )
