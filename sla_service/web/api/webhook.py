"""``/v1/webhook``: a case system says itself where it wants to be told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sla_service.errors import UsageError
from sla_service.services import webhooks
from sla_service.services.views import beijing
from sla_service.web.api.params import Caller
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import Problem, answer

router = APIRouter(prefix="/v1", tags=["webhook"])

#: Seconds for the name server; a name that it does not know by then is refused.
_RESOLVE_SECONDS: Final = 5
_NONE: Final = "来源 hall 没有设置 webhook；设置用 sla source webhook hall --url 地址。"
_REFUSED: Final = "主机 127.0.0.1 在内网或保留地址上，不能用；要发到内网，请管理员设置 SLA_WEBHOOK_PRIVATE=true。"
_HOOK: Final[dict[str, Any]] = {
    "source": "hall",
    "url": "https://case.example.gov.cn/sla",
    "state": "active",
    "set_at": "2026-11-20T10:12:00+08:00",
    "disabled_at": None,
    "answered_at": "2026-11-24T08:30:03+08:00",
    "waiting": 0,
    "dead": 0,
    "secrets": [{"id": "cbf887031f57", "created_at": "2026-11-20T10:12:00+08:00", "expires_at": None}],
}
_SECRET: Final = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"  # noqa: S105 (the specification's own example)


class WebhookIn(BaseModel):
    """Where to tell."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"url": _HOOK["url"]}]})

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="https 地址，不能在内网（管理员另有设置的除外），不能带用户名和 #"
    )


class SecretIn(BaseModel):
    """How long the old secret still signs too."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"overlap_seconds": 86400}]})

    overlap_seconds: Annotated[int, Field(ge=0, le=90 * 86400)] = Field(86400, description="旧密钥还能用多少秒")


class SecretOut(BaseModel):
    """A secret that signs, without what is secret in it."""

    id: str
    created_at: str
    expires_at: str | None


class WebhookOut(BaseModel):
    """The address as it stands."""

    source: str
    url: str
    state: str = Field(description="active 正常、failing 没有应答，稍后再试、disabled 接收方回答 410，已停用")
    set_at: str
    disabled_at: str | None
    answered_at: str | None = Field(description="最近一次收下事件的时刻")
    waiting: int = Field(description="等着发的事件")
    dead: int = Field(description="放弃了的事件，管理员可以重发")
    secrets: list[SecretOut]
    secret: str | None = Field(None, description="签名密钥，只在新给的时候有，只显示这一次")


@router.put(
    "/webhook",
    summary="设置 webhook 地址",
    description="到期日变动、提醒、超期、办结时，签名的 CloudEvents 发到这个地址（Standard Webhooks）。"
    "第一次设置的回答里有签名密钥 secret，只显示这一次；改地址时密钥不变。重复调用没有影响。",
    response_model=WebhookOut,
    responses={**example({**_HOOK, "secret": _SECRET}), **problems(400, 401, 422, 429, 503, _422=_REFUSED)},
)
async def put_webhook(request: Request, caller: Caller, body: WebhookIn) -> Response:
    web = web_of(request)
    now = web.clock()
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            url = await asyncio.to_thread(webhooks.check, web.app.settings, body.url)
    except UsageError as e:
        raise Problem(422, str(e), field="url") from None
    except TimeoutError:
        raise Problem(422, "地址里的主机名在几秒内没有解析出来，请核对后再试。", field="url") from None
    return _answer(await web.run(lambda: webhooks.put(web.app, caller, url, who=f"source:{caller}", now=now)))


@router.get(
    "/webhook",
    summary="现在的 webhook 地址和发送情况",
    response_model=WebhookOut,
    responses={**example(_HOOK), **problems(401, 404, 429, 503, _404=_NONE)},
)
async def get_webhook(request: Request, caller: Caller) -> Response:
    web = web_of(request)
    now = web.clock()
    return _answer(await web.run(lambda: webhooks.get(web.app, caller, now=now)))


@router.delete(
    "/webhook",
    summary="去掉 webhook 地址",
    description="还没发出的事件不再发，签名密钥一并删除。",
    status_code=204,
    responses=problems(401, 404, 429, 503, _404=_NONE),
)
async def delete_webhook(request: Request, caller: Caller) -> Response:
    web = web_of(request)
    now = web.clock()
    await web.run(lambda: webhooks.remove(web.app, caller, who=f"source:{caller}", now=now))
    return Response(status_code=204)


@router.post(
    "/webhook/secret",
    summary="换 webhook 的签名密钥",
    description="回答里有新的签名密钥 secret，只显示这一次；旧的再用 overlap_seconds 秒，其间每次发送带两个签名。",
    response_model=WebhookOut,
    responses={
        **example({**_HOOK, "secret": _SECRET}),
        **problems(400, 401, 404, 422, 429, 503, _404=_NONE, _422="overlap_seconds 不能小于 0，收到的是 -1。"),
    },
)
async def post_secret(request: Request, caller: Caller, body: SecretIn) -> Response:
    web = web_of(request)
    now, overlap = web.clock(), timedelta(seconds=body.overlap_seconds)
    made = await web.run(lambda: webhooks.renew(web.app, caller, overlap=overlap, who=f"source:{caller}", now=now))
    return _answer(made)


def _answer(hook: webhooks.Hook) -> Response:
    plain = {
        "source": hook.source,
        "url": hook.url,
        "state": hook.state,
        **{name: beijing(getattr(hook, name)) for name in ("set_at", "disabled_at", "answered_at")},
        "waiting": hook.waiting,
        "dead": hook.dead,
        "secrets": [
            {"id": s["id"], "created_at": beijing(s["created_at"]), "expires_at": beijing(s["expires_at"])}
            for s in hook.secrets
        ],
    }
    return answer({**plain, "secret": hook.secret} if hook.secret else plain)
