"""Aliyun SMS (阿里云短信): ``alisms://KEYID:SECRET@SIGN/PHONE…?template=…``.

SendSms: https://help.aliyun.com/document_detail/55284.html (no idempotency: after a time-out its own advice is to
look at the receipt before sending again). Codes: https://help.aliyun.com/document_detail/101346.html. Signature V3:
https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC
from typing import Final

from sla_service.delivery.http import encode
from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome, accepted, partial, rate_limited, refused, unavailable
from sla_service.delivery.plugins.answers import by_status, decode, shown
from sla_service.delivery.plugins.sms import (
    CLOCK_HINT,
    IP_HINT,
    KEY_HINT,
    MONEY_HINT,
    NO_TEMPLATE,
    PHONE_HINT,
    SIGN_HINT,
    TEMPLATE_HINT,
    SmsNotify,
)

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_HOUR: Final = 3600.0

# The gateway does not say which of its windows was full. An hour is the longest that passes within a day's work.
_WAIT: Final = {
    "isv.BUSINESS_LIMIT_CONTROL": _HOUR,
    "isv.DAY_LIMIT_CONTROL": 12 * _HOUR,
    "isv.MONTH_LIMIT_CONTROL": 24 * _HOUR,
}
_THROTTLED: Final = 5.0
_AGAIN: Final = frozenset({"isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "InternalError", "ServiceUnavailable"})
_HINTS: Final = {
    "InvalidAccessKeyId.NotFound": KEY_HINT,
    "InvalidAccessKeyId.Inactive": KEY_HINT,
    "SignatureDoesNotMatch": KEY_HINT,
    "InvalidTimeStamp.Expired": CLOCK_HINT,
    "isp.RAM_PERMISSION_DENY": "请给这个 AccessKey 授予短信服务的权限（AliyunDysmsFullAccess）。",
    "isv.DENY_IP_RANGE": IP_HINT,
    "isv.SMS_SIGNATURE_ILLEGAL": SIGN_HINT,
    "isv.SMS_SIGN_ILLEGAL": SIGN_HINT,
    "isv.SIGN_STATE_ILLEGAL": SIGN_HINT,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": SIGN_HINT,
    "isv.SMS_TEMPLATE_ILLEGAL": TEMPLATE_HINT,
    "isv.TEMPLATE_MISSING_PARAMETERS": TEMPLATE_HINT,
    "isv.PARAM_LENGTH_LIMIT": "变量过长：请把地址里的 value_max= 调小。",
    "isv.MOBILE_NUMBER_ILLEGAL": PHONE_HINT,
    "isv.AMOUNT_NOT_ENOUGH": MONEY_HINT,
    "isv.OUT_OF_SERVICE": MONEY_HINT,
}


class NotifyAliSms(SmsNotify):  # type: ignore[no-untyped-call]
    """Template messages; ``OutId`` is the message's id and comes back with the receipt."""

    service_name = "Aliyun SMS"
    service_url = "https://www.aliyun.com/product/sms"
    setup_url = "https://help.aliyun.com/document_detail/55284.html"
    secure_protocol = "alisms"
    default_base = "https://dysmsapi.aliyuncs.com"
    body_maxlen = 500
    title_maxlen = 0
    template_tokens = {  # noqa: RUF012 — Apprise's own form
        "user": {"name": "AccessKey ID", "type": "string", "required": True},
        "password": {"name": "AccessKey Secret", "type": "string", "private": True, "required": True},
        "host": {"name": "Signature", "type": "string", "required": True},
        "targets": {"name": "Phone Numbers", "type": "list:string"},
    }

    def attempt(self, message: Message) -> Outcome:
        ids, missing, problem = self.phones(message)
        template, names, values = self.filled(message)
        if problem or not template:
            return problem or NO_TEMPLATE
        if len(names) != len(values):
            return refused("no_names", "模板变量没有名称。", hint="阿里云按变量名填写：请检查模板的 values。")
        fields = {
            "PhoneNumbers": ",".join(ids),
            "SignName": self.sign or self.host,
            "TemplateCode": template,
            "OutId": message.id,
        }
        if values:
            fields["TemplateParam"] = json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)
        query = encode(sorted(fields.items()))
        path = f"{self.client.path}/"
        headers = {
            "host": self.client.host,
            "x-acs-action": "SendSms",
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-acs-date": self.ports.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-version": "2017-05-25",
        }
        headers["Authorization"] = authorization(*self.account, path=path, query=query, headers=headers)
        reply = self.client.request("POST", "/", query=query, headers=headers)
        # Its errors come as JSON whatever the status, so the code is read first.
        answer = decode(reply)
        code = answer.get("Code") if answer else None
        if not answer or not isinstance(code, str):
            return by_status(reply)
        if code == "OK":
            business = str(answer.get("BizId") or "") or None
            return partial(business, tuple(missing), code=code) if missing else accepted(business, code=code)
        return _not_taken(code, shown(answer.get("Message"), *self.account, *ids))


def authorization(key_id: str, secret: str, *, path: str, query: str, headers: Mapping[str, str]) -> str:
    """The ``Authorization`` of a POST whose ``headers`` (lower-case names, all of them signed) are complete.

    ``query`` is encoded and sorted by name; ``x-acs-content-sha256`` is the hash of the body.
    """
    names = sorted(headers)
    canonical = "\n".join(
        (
            "POST",
            path,
            query,
            "".join(f"{name}:{headers[name].strip()}\n" for name in names),
            ";".join(names),
            headers["x-acs-content-sha256"],
        )
    )
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={key_id},SignedHeaders={';'.join(names)},Signature={signature}"


def _not_taken(code: str, text: str) -> Outcome:
    if code.startswith("Throttling"):  # by the gateway, by user, by API
        return rate_limited(_THROTTLED, code=code, text=text)
    if code in _WAIT:
        return rate_limited(_WAIT[code], code=code, text=text)
    if code in _AGAIN:
        return unavailable(code, text)
    return refused(code, text, hint=_HINTS.get(code, ""))
