"""The HTTP interface is asked what its document allows, and much that it does not: each answer is a documented one.

``SLA_TEST_FUZZ`` is the number of examples per operation, the same ones each time.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from door import Door, open_door
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sla_service.web.app import contract

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(contract())
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@pytest.fixture
def door(sqlite_url: str) -> Any:
    """A hall in which something has happened, so that more than 404 comes back."""
    with open_door(sqlite_url) as opened:
        opened.send(opened.accepted("BBC-2026-0001", title="诊所名称核准"))
        opened.send(opened.hall.event("case.paused", no="BBC-2026-0001", reason="hearing"))
        yield opened


def _ask(door: Door, case: Any, key: str | None) -> None:
    asked = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
    headers = {k: v for k, v in asked.pop("headers", {}).items() if k.lower() not in ("authorization", "user-agent")}
    headers |= {"Authorization": f"Bearer {key}"} if key is not None else {}
    asked.pop("cookies", None)
    path = asked.pop("url").removeprefix("http://127.0.0.1:8000")
    body = asked.pop("data", None)
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    encoded = {k: v.encode("utf-8", "backslashreplace") for k, v in headers.items()}
    method = asked.pop("method")
    response = door.client.request(method, path, headers=encoded, content=body, **asked)
    case.validate_response(response, checks=CHECKS)


@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("SLA_TEST_FUZZ", "12")),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_documented_one(case: Any, door: Door) -> None:
    _ask(door, case, door.key)


def test_without_a_key_nothing_is_told_but_that_one_is_needed(door: Door) -> None:
    for operation in schema.get_all_operations():
        asked = operation.ok()
        if not asked.definition.raw.get("security"):
            continue
        path = asked.path.format_map(_Any())
        response = door.client.request(asked.method.upper(), path, content=b"{}")
        assert response.status_code == 401, (asked.label, response.text)


class _Any(dict[str, str]):
    """Something for every parameter of a path."""

    def __missing__(self, _name: str) -> str:
        return "hall"
