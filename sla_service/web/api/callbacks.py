"""What providers call: delivery receipts of SMS gateways, clicks on WeCom cards. Verified, answered as they want it."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse

from sla_service.delivery.plugins.wecom_callback import Callback, CallbackError
from sla_service.delivery.receipts import ANSWERS, ReceiptError, read
from sla_service.errors import ChannelError
from sla_service.services import acknowledge, receipts
from sla_service.web.context import Web, web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import Problem, answer

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["notifications"])

_NO_TOKEN: Final = "回执地址里的 token 不对，请用 sla messages receipt-url 查看完整地址。"  # noqa: S105 (a sentence)


class TakenOut(BaseModel):
    """What the provider wants to hear, in its own words."""

    model_config = ConfigDict(extra="allow")


ChannelName = Annotated[str, Path(description="channels.yaml 里的名称", examples=["sms"])]
Word = Annotated[str, Query(max_length=2000)]


@router.post(
    "/receipts/{channel}",
    summary="短信送达回执",
    description="服务商推送到这里：云MAS、阿里云、腾讯云的格式都认。地址里带上 token（sla messages receipt-url）。",
    response_model=TakenOut,
    responses={
        **example({"code": 0, "msg": "ok"}),
        **problems(401, 404, 413, 422, 503, _401=_NO_TOKEN, _404="没有渠道 fax，或它没有送达回执。"),
    },
)
async def post_receipts(
    request: Request,
    channel: ChannelName,
    token: Word = "",
    header: Annotated[str, Header(alias="x-sla-token", max_length=200)] = "",
) -> Response:
    web = web_of(request)
    now = web.clock()
    conf = web.app.config.channels.get(channel)
    if conf is None or conf.scheme not in ANSWERS:
        raise Problem(404, f"没有渠道 {channel}，或它没有送达回执。")
    if not await web.run(lambda: receipts.verified(web.app, channel, token or header, now=now)):
        raise Problem(401, _NO_TOKEN)
    body = await web.bodies.read(request)
    try:
        found = read(conf.scheme, body.content)
    except ReceiptError as e:
        raise Problem(422, f"{e}。") from None
    finally:
        web.bodies.release(body)
    await web.run(lambda: receipts.take(web.app, channel, found, now=now))
    return answer(dict(ANSWERS[conf.scheme]))


@router.get("/callbacks/{channel}", include_in_schema=False)
async def get_callback(
    request: Request,
    channel: ChannelName,
    msg_signature: Word = "",
    timestamp: Word = "",
    nonce: Word = "",
    echostr: Word = "",
) -> Response:
    """WeCom tries the address out before it takes it."""
    try:
        return PlainTextResponse(_callback(web_of(request), channel).echo(msg_signature, timestamp, nonce, echostr))
    except CallbackError as e:
        raise _refused(channel, e) from None


@router.post("/callbacks/{channel}", include_in_schema=False)
async def post_callback(
    request: Request, channel: ChannelName, msg_signature: Word = "", timestamp: Word = "", nonce: Word = ""
) -> Response:
    """A click. Answered empty within five seconds, else it comes again; the card is greyed out after the answer."""
    web = web_of(request)
    now = web.clock()
    callback = _callback(web, channel)
    body = await web.bodies.read(request)
    try:
        event = callback.event(msg_signature, timestamp, nonce, body.content)
    except CallbackError as e:
        raise _refused(channel, e) from None
    finally:
        web.bodies.release(body)
    click = await web.run(lambda: acknowledge.by_card(web.app, event, now=now))
    after = None if click is None else BackgroundTask(acknowledge.settle_card, web.app, channel, click)
    return PlainTextResponse("", background=after)


def _callback(web: Web, channel: str) -> Callback:
    found = None
    if channel in web.app.config.channels:
        try:
            found = web.app.channels.open(channel).callback
        except ChannelError as e:
            log.warning("%s", e)
    if found is None:
        raise Problem(404, f"渠道 {channel} 没有设置回调（地址里的 token= 和 aes=）。")
    return found


def _refused(channel: str, error: CallbackError) -> Problem:
    log.warning("callback of %s refused: %s", channel, error)
    return Problem(403, "签名或内容不对。")
