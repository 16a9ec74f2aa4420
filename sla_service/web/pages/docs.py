"""``/docs``: the OpenAPI document as a page. Rendered here, so that it needs neither the internet nor scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from sla_service.web.pages.render import page

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    document = request.app.openapi()
    tags = {tag["name"]: tag["description"] for tag in document.get("tags", [])}
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in tags}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault((operation.get("tags") or [""])[0], []).append(_operation(path, method, operation))
    return page(
        request,
        "docs.html",
        info=document["info"],
        groups=[(tags.get(name, name), operations) for name, operations in groups.items() if operations],
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "key": bool(operation.get("security")),
        "parameters": [_parameter(p) for p in operation.get("parameters", [])],
        "requests": [(media, words, text) for media, content in body.items() for words, text in _examples(content)],
        "responses": [_response(status, r) for status, r in operation.get("responses", {}).items()],
    }


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    options = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    values: list[Any] = next((o["enum"] for o in options if "enum" in o), [])
    return {
        "name": parameter["name"],
        "place": {"path": "路径", "query": "查询", "header": "请求头"}.get(parameter["in"], parameter["in"]),
        "required": parameter.get("required", False),
        "description": parameter.get("description") or schema.get("description", ""),
        "values": values,
    }


def _response(status: str, response: Mapping[str, Any]) -> dict[str, Any]:
    shown = [(media, text) for media, content in response.get("content", {}).items() for _, text in _examples(content)]
    return {"status": status, "description": response.get("description", ""), "examples": shown}


def _examples(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what it shows, JSON text) of each example."""
    if "example" in content:
        yield "", _text(content["example"])
    for example in content.get("examples", {}).values():
        yield example.get("summary", ""), _text(example["value"])


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
