"""The OpenAPI document: problem documents by status, the event contract, and the words around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from schemas.event_envelope import EXAMPLE, json_schema
from schemas.json_schemas import told
from schemas.replies import ProblemOut
from sla_service.web.problems import PROBLEM_JSON, TITLES

_REF: Final = "#/components/schemas/{model}"
_AGAIN: Final = "请稍后原样重发"

#: Status -> what it means, and a sentence as it is sent.
_PROBLEMS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("正文不是 JSON", "正文不是 JSON：第 1 行第 2 个字符处读不下去。"),
    401: ("没有密钥，或密钥不对", "密钥不对或已停用，请核对（管理员用 sla source add 或 sla source rotate 发放）。"),
    403: (
        "事件的来源不是这个密钥的来源",
        "source 是 other，与来源 hall 的密钥不符，请用它自己的密钥发送。",
    ),
    404: ("没有这个办件，或它不属于这个密钥的来源", "没有办件 hall/BBC-2026-0009：请核对来源和办件编号。"),
    408: ("正文没有按时发完", f"请求正文在 60 秒内没有发完，没有收下，{_AGAIN}。"),
    413: ("太大，或一批超过 1,000 个事件", "一批最多 1000 个事件，收到 1001 个，请分批发送。"),
    415: (
        "媒体类型或压缩方式不支持",
        "Content-Type 要写 application/cloudevents+json 或 application/json，收到的是 text/xml。",
    ),
    422: ("不符合要求，field 指出哪里", 'data.kind 要写 simple、complex 或 special，收到的是 "urgent"。'),
    429: ("请求太多，Retry-After 秒后再来", f"来源 hall 的请求太频繁，{_AGAIN}。"),
    503: ("数据库连不上或服务正忙，Retry-After 秒后原样重发", f"数据库暂时连不上，没有收下，{_AGAIN}。"),
}
_SIGNATURE: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "webhook-signature",
    "description": "Standard Webhooks：v1,base64(HMAC-SHA256(密钥, webhook-id.webhook-timestamp.正文))，"
    "几个用空格隔开；密钥由 sla source rotate 来源 --signing 发放",
}
_FIELDS: Final = {422: "data.kind", 403: "source"}


def problems(*statuses: int, **details: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: problem documents for these statuses. ``_422="…"`` gives another example."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        words, detail = _PROBLEMS[status]
        detail = details.get(f"_{status}", detail)
        example: dict[str, Any] = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail}
        if status in _FIELDS and f"_{status}" not in details:
            example["field"] = _FIELDS[status]
        content = {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model="ProblemOut")}, "example": example}}
        found[status] = {"description": words, "content": content}
        if status in (429, 503):
            after = {"description": "几秒后再来", "schema": {"type": "integer", "minimum": 1}}
            found[status]["headers"] = {"Retry-After": after}
    return found


def example(value: Any, description: str = "好") -> dict[int | str, dict[str, Any]]:
    """The ``responses`` entry of a good answer, with an example."""
    return {200: {"description": description, "content": {"application/json": {"example": value}}}}


def event_body() -> dict[str, Any]:
    """The request body of the door, in its media types."""
    event, one = {"$ref": _REF.format(model="Event")}, {"summary": "受理一件", "value": EXAMPLE}
    closing = {
        **{k: EXAMPLE[k] for k in ("specversion", "source", "subject")},
        "id": "e-2",
        "type": "case.closed",
        "time": "2026-11-23T16:00:00+08:00",
        "data": {"outcome": "resolved", "replied_at": "2026-11-23T16:05:00+08:00"},
    }
    batch = {"type": "array", "items": {}, "maxItems": 1000, "description": "每一项是一个 Event；不合格的只影响自己"}
    many = {"summary": "一批", "value": [EXAMPLE, closing]}
    return {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": event, "examples": {"accepted": one}},
            "application/cloudevents-batch+json": {"schema": batch, "examples": {"batch": many}},
            "application/json": {
                "schema": {"anyOf": [event, batch]},
                "examples": {"accepted": one, "batch": many},
            },
        },
    }


def document(api: FastAPI) -> dict[str, Any]:
    """The whole document, made when it is first asked for."""
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            tags=api.openapi_tags,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        _without_defaults(made["paths"], schemas)
        event = json_schema(_REF)
        schemas |= event.pop("$defs", {})
        schemas["Event"] = event
        schemas |= models_json_schema([(ProblemOut, "serialization")], ref_template=_REF)[1]["$defs"]
        told(schemas)
        made["components"].setdefault("securitySchemes", {})["signature"] = _SIGNATURE
        made["components"]["schemas"] = dict(sorted(schemas.items()))
        api.openapi_schema = made
    return api.openapi_schema


def _without_defaults(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Takes out the 422 that FastAPI writes to every route with parameters: ours stand where there is one."""
    for operation in (o for methods in paths.values() for o in methods.values()):
        if PROBLEM_JSON not in operation["responses"].get("422", {}).get("content", {PROBLEM_JSON: 0}):
            del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
