"""``POST /v1/events``: the door for case systems that speak HTTP."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from schemas.replies import CASE_EXAMPLE, ResultsOut
from sla_service.services.intake import Incoming, Result
from sla_service.web import wire
from sla_service.web.api.params import SIGNATURE, SIGNED
from sla_service.web.body import Body
from sla_service.web.context import Web, address_of, web_of
from sla_service.web.openapi import event_body, example, problems
from sla_service.web.problems import Problem, answer
from sla_service.web.signatures import signed

router = APIRouter(prefix="/v1", tags=["events"])

#: Bodies up to this are read on the event loop: a switch of threads costs more.
_SMALL: Final = 1 << 16
_SWITCH: Final = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_RESULTS: Final = {
    "results": [
        {"id": "e-1", "status": "applied", "case": dict(CASE_EXAMPLE)},
        {
            "id": "e-2",
            "status": "invalid",
            "problem": "data.outcome 必填，要写 resolved、explained、transferred 或 withdrawn。",
        },
    ]
}
_DRY_RUN: Final = {
    "name": "dry_run",
    "in": "query",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": "照常回答，但什么也不留下",
}


@router.post(
    "/events",
    summary="收事件",
    description=(
        "CloudEvents 1.0：一个、一批（最多 1,000 个），或二进制方式（属性写在 ce- 请求头里，值是百分号编码的 UTF-8，"
        "正文是 data）；正文可以用 gzip。能签名的系统可以用 Standard Webhooks 签名代替密钥（结构化或批量方式，"
        "正文最多 1 MiB，见 docs/webhooks.md）。同一事件可以重发，只算一次。没有回答、429 或 5xx 时原样重发；"
        "其他 4xx 改正后再发；200 不用重发，各事件的结果在 results 里，顺序与发来的相同。"
    ),
    response_model=ResultsOut,
    responses={**example(_RESULTS), **problems(400, 401, 403, 408, 413, 415, 422, 429, 503)},
    openapi_extra={"requestBody": event_body(), "parameters": [_DRY_RUN, *SIGNATURE], "security": SIGNED},
)
async def post_events(request: Request) -> Response:
    web, headers = web_of(request), request.headers
    now = web.clock()
    if signed(headers):
        bodies, (source, body) = web.signed_bodies, await _signed(web, request, now)
    else:
        source = await web.keys.source(headers.get("authorization"), address_of(request), now)
        bodies, body = web.bodies, await web.bodies.read(request)
    try:
        mode = wire.mode(headers, body)
        dry_run = _switch(request)
        items, batch = await _items(web, mode, request, body, now, source, dry_run=dry_run)
        if not batch:
            return await _one(web, items[0], source, dry_run=dry_run)
        results = await web.committer.commit(items, dry_run=dry_run) if items else []
        return answer({"results": [r.out() for r in results]})
    finally:
        bodies.release(body)


async def _signed(web: Web, request: Request, now: datetime) -> tuple[str, Body]:
    """The source that has signed a request, and its body."""
    address = address_of(request)
    web.signatures.begin(request.headers, address, now)
    packed = await web.signed_bodies.packed(request)
    body = await web.signed_bodies.opened(packed)
    try:
        return await web.signatures.source(request, packed.content, body, address, now), body
    except BaseException:
        web.signed_bodies.release(body)
        raise


async def _items(
    web: Web, mode: wire.Mode, request: Request, body: Body, now: datetime, source: str, *, dry_run: bool
) -> tuple[list[Incoming], bool]:
    def read() -> tuple[list[Incoming], bool]:
        return wire.events(mode, request.headers, body, now=now, source=source)

    try:
        return read() if len(body.content) <= _SMALL else await asyncio.to_thread(read)
    except wire.Unreadable as e:
        if not dry_run:  # nothing that came in with a valid key is lost
            await web.committer.commit([Incoming(e.kept, None, "", e.problem, source)])
        raise Problem(400, e.problem) from None


async def _one(web: Web, item: Incoming, source: str, *, dry_run: bool) -> Response:
    """A single event has the request's status for its own; what does not fit is kept all the same."""
    [result] = await web.committer.commit([item], dry_run=dry_run)
    if result.status == "invalid":
        raise _refusal(item, result, source)
    return answer({"results": [result.out()]})


def _refusal(item: Incoming, result: Result, source: str) -> Problem:
    if wire.foreign(item, source):
        detail = item.problem if item.field == "source" else f"source 不是 {source}，与这个密钥不符。"
        return Problem(403, detail, field="source")
    return Problem(422, result.problem, field=item.field or None)


def _switch(request: Request) -> bool:
    given = request.query_params.get("dry_run")
    if given is None:
        return False
    if given.lower() not in _SWITCH:
        raise Problem(422, "dry_run 要写 true 或 false。", field="dry_run")
    return _SWITCH[given.lower()]
