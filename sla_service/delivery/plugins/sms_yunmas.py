"""China Mobile's 云MAS: ``yunmas://APID:SECRET@ECNAME/PHONE…?sign=…&template=…``.

Source: the gateway's HTTP interface document that comes with the contract (云MAS 业务平台 HTTP 短信接口), and the
provinces' own platforms, whose addresses differ: set ``base=`` to the one named in yours. ``sign`` is the code of
the signature in the console, not its words.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome, accepted, partial, refused
from sla_service.delivery.plugins.answers import by_status, decode, shown
from sla_service.delivery.plugins.sms import KEY_HINT, PHONE_HINT, SIGN_HINT, SmsNotify
from sla_service.delivery.text import utf8
from sla_service.errors import ChannelError

_HINTS: Final = {
    "IllegalMac": f"mac 校验不通过：{KEY_HINT}并检查 ECNAME 与合同上的集团客户名称一字不差。",
    "IllegalSignId": f"签名编码无效：{SIGN_HINT}",
    "NoSignId": f"没有匹配到签名：{SIGN_HINT}",
    "InvalidUsrOrPwd": f"用户名或密码不对：{KEY_HINT}",
    "InvalidMessage": "请求解析失败：请检查 base= 是不是这个接口的地址。",
    "InvalidMobile": PHONE_HINT,
    "TooManyMobiles": "手机号太多。",
}


class NotifyYunMas(SmsNotify):  # type: ignore[no-untyped-call]
    """Template messages, or free text where the contract allows it (no template in message and URL).

    ``?submit=`` is the path of free text: by default ``/sms/submit`` over HTTPS and ``/sms/norsubmit`` over
    HTTP, as the gateway has it. ``?serial=`` is the extension number (addSerial).
    """

    service_name = "China Mobile YunMAS"
    service_url = "https://mas.10086.cn/"
    setup_url = "https://mas.10086.cn/"
    secure_protocol = "yunmas"
    default_base = "https://112.35.10.201:28888"
    most_recipients = 5000
    options = (*SmsNotify.options, "submit", "serial")
    body_maxlen = 1000
    title_maxlen = 0
    template_tokens = {  # noqa: RUF012 — Apprise's own form
        "user": {"name": "apId", "type": "string", "required": True},
        "password": {"name": "secretKey", "type": "string", "private": True, "required": True},
        "host": {"name": "ecName", "type": "string", "required": True},
        "targets": {"name": "Phone Numbers", "type": "list:string"},
    }
    template_args = {  # noqa: RUF012 — Apprise's own form
        **SmsNotify.template_args,
        "submit": {"name": "Path of Free Text", "type": "string"},
        "serial": {"name": "Extension Number", "type": "string"},
    }

    def __init__(self, *, submit: str | None = None, serial: str | None = None, **kwargs: Any) -> None:
        super().__init__(own={"submit": submit, "serial": serial}, **kwargs)
        if not self.sign:
            raise ChannelError("缺少 sign=，要写控制台里的签名编码")
        self.serial = serial or ""
        secure = self.client.base.startswith("https:")
        self.submit = "/" + (submit or ("/sms/submit" if secure else "/sms/norsubmit")).lstrip("/")

    def attempt(self, message: Message) -> Outcome:
        ids, missing, problem = self.phones(message)
        if problem:
            return problem
        template, _, values = self.filled(message)
        path = "/sms/tmpsubmit" if template else self.submit
        body = self.request_body(",".join(ids), template=template, values=values, content=message.body)
        reply = self.client.request("POST", path, body=body, headers={"Content-Type": "text/plain; charset=utf-8"})
        answer = decode(reply)
        code = answer.get("rspcod") if answer else None
        if not answer or not isinstance(code, str):
            return by_status(reply)
        if code == "success":
            group = str(answer.get("msgGroup") or "") or None
            return partial(group, tuple(missing), code=code) if missing else accepted(group, code=code)
        return refused(shown(code, self.account[1]), hint=_HINTS.get(code, ""))

    def request_body(self, mobiles: str, *, template: str, values: tuple[str, ...], content: str) -> bytes:
        """Base64 of the JSON the gateway takes, ``mac`` included; the secret itself does not travel."""
        ap_id, secret = self.account
        if template:
            # An array written as a string; the mac is over this very string.
            middle = {"params": json.dumps(list(values) or [""], ensure_ascii=False)}
            signed = template + mobiles + middle["params"]
            middle["templateId"] = template
        else:
            middle = {"content": content}
            signed = mobiles + content
        mac = mac_of(self.host, ap_id, secret, signed, self.sign or "", self.serial)
        fields = {"ecName": self.host, "apId": ap_id, "mobiles": mobiles, "sign": self.sign, "addSerial": self.serial}
        return base64.b64encode(utf8(json.dumps({**fields, **middle, "mac": mac}, ensure_ascii=False)))


def mac_of(*parts: str) -> str:
    """Lower-case MD5 of the fields put together, as the gateway checks it (not our choice of hash)."""
    return hashlib.md5(utf8("".join(parts)), usedforsecurity=False).hexdigest()
