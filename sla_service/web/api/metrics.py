"""``/metrics`` for Prometheus: from this machine for anybody, from others with ``SLA_METRICS_TOKEN``."""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response

from sla_service.web.context import address_of, web_of
from sla_service.web.entry import is_local
from sla_service.web.exposition import MEDIA, text
from sla_service.web.openapi import problems
from sla_service.web.problems import Problem

router = APIRouter(tags=["health"])

_CLOSED: Final = "只有本机能取；要让别的机器取，请设置 SLA_METRICS_TOKEN 后重启，并把它写进请求头 Authorization。"
_EXAMPLE: Final = '# TYPE sla_cases gauge\nsla_cases{hall="main",light="red"} 3\n'


@router.get(
    "/metrics",
    summary="监控指标（Prometheus）",
    description=(
        "数字都出自数据库，问哪个进程都一样；没有办件编号和人名。本机不用密钥，"
        "别的机器要 `Authorization: Bearer` 加 SLA_METRICS_TOKEN。"
    ),
    response_class=Response,
    responses={
        200: {"description": "好", "content": {MEDIA: {"schema": {"type": "string"}, "example": _EXAMPLE}}},
        **problems(401, 403, 429, 503, _401="令牌不对，请核对 SLA_METRICS_TOKEN。", _403=_CLOSED),
    },
)
async def metrics(request: Request, authorization: Annotated[str, Header(max_length=1000)] = "") -> Response:
    web = web_of(request)
    _admit(request, authorization)
    now = web.clock()
    families = await web.run(lambda: web.metrics.families(now=now))
    return Response(text(families), media_type=MEDIA)


def _admit(request: Request, authorization: str) -> None:
    """Raises Problem for who may not see the figures."""
    if is_local(request):
        return
    web = web_of(request)
    token = web.app.settings.metrics_token
    if token is None:
        raise Problem(403, _CLOSED)
    wanted = f"Bearer {token.get_secret_value()}"
    if not hmac.compare_digest(authorization.strip().encode(), wanted.encode()):
        raise web.keys.guessed(address_of(request), "令牌不对，请核对 SLA_METRICS_TOKEN。")
