"""The web application around a story: a client with the hall's key, on the story's clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from builders import at
from client import HERE, Client
from fastapi import FastAPI
from httpx import Response
from story import Story, story

from sla_service.settings import Settings
from sla_service.store import sources
from sla_service.web.app import create_app

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Door:
    """``post`` and ``get`` carry the hall's key unless another one is given."""

    hall: Story
    api: FastAPI
    client: Client
    key: str

    def new_source(self, name: str) -> str:
        """Registers a source; gives its key."""
        with self.hall.app.db.write() as conn:
            sources.add(conn, name, hall="main", test=False, go_live=self.hall.now, now=self.hall.now)
            return sources.new_key(conn, name, now=self.hall.now)

    def headers(self, key: str | None = "", **more: str) -> dict[str, str]:
        given = {} if key is None else {"Authorization": f"Bearer {key or self.key}"}
        return given | {name.replace("_", "-"): value for name, value in more.items()}

    def post(self, body: Any, media: str | None = STRUCTURED, *, key: str | None = "", **more: Any) -> Response:
        """``body`` as JSON, bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = self.headers(key, **more.pop("headers", {}))
        if media:
            headers["Content-Type"] = media
        return self.client.post("/v1/events", content=content, headers=headers, **more)

    def get(self, path: str, *, key: str | None = "", **query: Any) -> Response:
        return self.client.get(path, headers=self.headers(key), params=query or None)

    def accepted(self, no: str = "BBC-1", time: str | None = None, **data: Any) -> dict[str, Any]:
        """The body of an acceptance, id ``accepted/NO``."""
        return self.hall.event("case.accepted", time, no=no, event_id=f"accepted/{no}", **{"kind": "simple", **data})

    def send(self, *events: dict[str, Any]) -> None:
        """Posts a batch of events that all have to be applied."""
        response = self.post(list(events), BATCH)
        assert {r["status"] for r in response.json()["results"]} == {"applied"}, response.text

    def rows(self, table: sa.Table) -> list[Any]:
        return self.hall.rows(table)


def case_path(no: str, *more: str, source: str = "hall") -> str:
    return "/".join(["/v1/cases", quote(source, safe=""), quote(no, safe=""), *more])


def problem(response: Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal with exactly that status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert "Traceback" not in body["detail"]
    return body


@contextmanager
def open_door(url: str, begins: str = "2026-11-20 10:12", **settings: Any) -> Iterator[Door]:
    with story(url, begins) as hall:
        hall.app.settings = Settings(**settings)
        with hall.app.db.write() as conn:
            key = sources.new_key(conn, "hall", now=hall.now)
        api = create_app(hall.app, clock=lambda: hall.now)
        with Client(api) as client:
            yield Door(hall, api, client, key)


__all__ = ["BATCH", "HERE", "PROBLEM", "STRUCTURED", "Door", "at", "case_path", "open_door", "problem"]
