"""Tencent SMS (腾讯云短信): ``tencentsms://SECRETID:SECRETKEY@APPID/PHONE…?sign=…&template=…``.

SendSms: https://cloud.tencent.com/document/api/382/55981. Codes: https://cloud.tencent.com/document/api/382/59177
(per number) and api/382/52075 (whole call). Signature v3: https://cloud.tencent.com/document/api/213/30654
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Kind, Outcome, accepted, partial, rate_limited, refused, unavailable, unknown
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
from sla_service.delivery.text import utf8
from sla_service.errors import ChannelError

T = TypeVar("T")

_ALGORITHM: Final = "TC3-HMAC-SHA256"
_HOUR: Final = 3600.0
_WAIT: Final = {  # by the beginning of the code, the longest that fits
    "LimitExceeded": 60.0,
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.PhoneNumberOneHourLimit": _HOUR,
    "LimitExceeded.PhoneNumberDailyLimit": 12 * _HOUR,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": 12 * _HOUR,
    "LimitExceeded.AppDailyLimit": 12 * _HOUR,
    "LimitExceeded.DailyLimit": 12 * _HOUR,
    "RequestLimitExceeded": 5.0,
}
_HINTS: Final = {
    "AuthFailure.SignatureExpire": CLOCK_HINT,
    "InternalError.RequestTimeException": CLOCK_HINT,
    "AuthFailure": KEY_HINT,
    "UnauthorizedOperation.RequestIpNotInWhitelist": IP_HINT,
    "IpNotInWhitelist": IP_HINT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": MONEY_HINT,
    "FailedOperation.InsufficientBalanceInSmsPackage": MONEY_HINT,
    "FailedOperation.SignatureIncorrectOrUnapproved": SIGN_HINT,
    "FailedOperation.TemplateIncorrectOrUnapproved": TEMPLATE_HINT,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": TEMPLATE_HINT,
    "FailedOperation.PhoneNumberInBlacklist": "手机号在免打扰名单里，请联系本人或服务商。",
    "InvalidParameterValue.IncorrectPhoneNumber": PHONE_HINT,
    "InvalidParameterValue.TemplateParameterLengthLimit": "变量过长：请把地址里的 value_max= 调小。",
}


class NotifyTencentSms(SmsNotify):  # type: ignore[no-untyped-call]
    """Template messages; the answer has a status of its own for each number. ``?region=`` is any it serves."""

    service_name = "Tencent Cloud SMS"
    service_url = "https://cloud.tencent.com/product/sms"
    setup_url = "https://cloud.tencent.com/document/api/382/55981"
    secure_protocol = "tencentsms"
    default_base = "https://sms.tencentcloudapi.com"
    most_recipients = 200
    options = (*SmsNotify.options, "region")
    body_maxlen = 500
    title_maxlen = 0
    template_tokens = {  # noqa: RUF012 — Apprise's own form
        "user": {"name": "SecretId", "type": "string", "required": True},
        "password": {"name": "SecretKey", "type": "string", "private": True, "required": True},
        "host": {"name": "SdkAppId", "type": "string", "required": True},
        "targets": {"name": "Phone Numbers", "type": "list:string"},
    }
    template_args = {  # noqa: RUF012 — Apprise's own form
        **SmsNotify.template_args,
        "region": {"name": "Region", "type": "string", "default": "ap-guangzhou"},
    }

    def __init__(self, *, region: str | None = None, **kwargs: Any) -> None:
        super().__init__(own={"region": region}, **kwargs)
        if not self.sign:
            raise ChannelError("缺少 sign=，要写已审核通过的短信签名")
        self.region = region or "ap-guangzhou"

    def attempt(self, message: Message) -> Outcome:
        ids, missing, problem = self.phones(message)
        template, _, values = self.filled(message)
        if problem or not template:
            return problem or NO_TEMPLATE
        numbers = {_international(phone): person for phone, person in ids.items()}
        payload = {
            "PhoneNumberSet": list(numbers),
            "SmsSdkAppId": self.host,
            "SignName": self.sign,
            "TemplateId": template,
            "TemplateParamSet": list(values),
            "SessionContext": message.id,
        }
        body = utf8(json.dumps(payload, ensure_ascii=False))
        now = self.ports.clock()
        signed = {
            "content-type": "application/json; charset=utf-8",
            "host": self.client.host,
            "x-tc-action": "SendSms",
        }
        headers = {
            **signed,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": self.region,
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": authorization(
                *self.account, path=f"{self.client.path}/", body=body, now=now, headers=signed
            ),
        }
        reply = self.client.request("POST", "/", body=body, headers=headers)
        answer = (decode(reply) or {}).get("Response")
        if not isinstance(answer, dict):
            return by_status(reply)
        error, statuses = answer.get("Error"), answer.get("SendStatusSet")
        if isinstance(error, dict):
            return self._not_taken(error, numbers)
        if not isinstance(statuses, list) or not all(isinstance(status, dict) for status in statuses) or not statuses:
            return by_status(reply)
        return self._by_number(statuses, numbers, missing)

    def _by_number(self, statuses: list[dict[str, Any]], numbers: dict[str, str], missing: list[str]) -> Outcome:
        taken = [status for status in statuses if str(status.get("Code", "")).lower() == "ok"]
        serial = ",".join(str(status.get("SerialNo") or "") for status in taken) or None
        failed = [status for status in statuses if status not in taken]
        if taken and not failed:
            return partial(serial, tuple(missing), code="Ok") if missing else accepted(serial, code="Ok")
        if taken:
            ids = tuple(numbers.get(str(status.get("PhoneNumber")), "") for status in failed)
            code = str(failed[0].get("Code"))
            return partial(serial, (*ids, *missing), code=code, text=shown(failed[0].get("Message"), *numbers))
        outcomes = [self._not_taken(status, numbers) for status in failed]
        # Nothing went out, or nobody can say: the most doubtful answer decides, then the one that may pass.
        order = (Kind.UNKNOWN, Kind.UNAVAILABLE, Kind.RATE_LIMITED, Kind.REFUSED)
        return min(outcomes, key=lambda outcome: order.index(outcome.kind))

    def _not_taken(self, status: dict[str, Any], numbers: Iterable[str]) -> Outcome:
        code, text = str(status.get("Code") or ""), shown(status.get("Message"), *self.account, *numbers)
        wait, hint = _by_prefix(_WAIT, code), _by_prefix(_HINTS, code) or ""
        if wait is not None:
            return rate_limited(wait, code=code, text=text)
        if code == "InternalError.Timeout":  # its own backend did not answer in time
            return unknown(code, text)
        if code.startswith("InternalError") and not hint:
            return unavailable(code, text)
        return refused(code, text, hint=hint)


def authorization(
    secret_id: str,
    secret_key: str,
    *,
    path: str,
    body: bytes,
    now: datetime,
    headers: Mapping[str, str],
    service: str = "sms",
) -> str:
    """The ``Authorization`` of a POST at ``now``; ``headers`` (lower-case names) are those to be signed.

    ``service`` is Tencent's own name of the product, part of what is signed.
    """
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
    day = now.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    to_sign = "\n".join((_ALGORITHM, str(int(now.timestamp())), scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signature}"


def _international(phone: str) -> str:
    return phone if phone.startswith("+") else f"+86{phone}"


def _by_prefix(table: Mapping[str, T], code: str) -> T | None:
    """The entry of the longest name that the code is, or begins with."""
    fitting = [name for name in table if code == name or code.startswith(f"{name}.")]
    return table[max(fitting, key=len)] if fitting else None
