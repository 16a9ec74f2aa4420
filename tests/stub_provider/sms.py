"""Three SMS gateways. Each checks the signature with its own few lines, none of them the product's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from tests.stub_provider.state import Fault, State, half

MOBILE = re.compile(r"(\+?86)?1\d{10}")


def yunmas(state: State, path: str, raw: bytes, fault: Fault | None) -> dict[str, Any]:
    with state.lock:
        try:
            asked = json.loads(base64.b64decode(raw, validate=True))
        except ValueError:
            state.received("yunmas", body=repr(raw))
            return _mas("InvalidMessage")
        state.received("yunmas", path=path, **asked)
        if fault and fault.fault == "code":
            return _mas(fault.code)
        template = path.endswith("tmpsubmit")
        fields = ["ecName", "apId", "templateId", "mobiles", "params", "sign", "addSerial"]
        if not template:
            fields = ["ecName", "apId", "mobiles", "content", "sign", "addSerial"]
        if not all(isinstance(asked.get(name), str) for name in fields):
            return _mas("InvalidMessage")
        parts = [asked[name] for name in fields]
        parts.insert(2, state.secret_of(asked["apId"]))
        if hashlib.md5("".join(parts).encode()).hexdigest() != asked.get("mac"):
            return _mas("IllegalMac")
        if not asked["sign"]:
            return _mas("NoSignId")
        phones = asked["mobiles"].split(",")
        if len(phones) > 5000:
            return _mas("TooManyMobiles")
        if not all(MOBILE.fullmatch(phone) for phone in phones):
            return _mas("InvalidMobile")
        group = state.next_id("MAS")
        text = f"[{asked['templateId']}] {'|'.join(json.loads(asked['params']))}" if template else asked["content"]
        for phone in phones:
            state.show("yunmas", phone, text, group, sign=asked["sign"])
        return _mas("success", group)


def aliyun(state: State, query: str, headers: Mapping[str, str], raw: bytes, fault: Fault | None) -> tuple[int, Any]:
    with state.lock:
        asked = dict(parse_qsl(query, keep_blank_values=True))
        state.received("alisms", **asked)
        if fault and fault.fault == "code":
            return 200, _ali(fault.code, fault.text)
        wrong = _acs3(state, query, headers, raw)
        if wrong:
            return 400, _ali(wrong)
        if not asked.get("TemplateCode", "").startswith("SMS_"):
            return 200, _ali("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        phones = asked.get("PhoneNumbers", "").split(",")
        if not all(MOBILE.fullmatch(phone) for phone in phones):
            return 200, _ali("isv.MOBILE_NUMBER_ILLEGAL", f"{phones[0]}invalid mobile number")
        values = json.loads(asked.get("TemplateParam", "{}"))
        if any(len(str(value)) > 35 for value in values.values()):
            return 200, _ali("isv.PARAM_LENGTH_LIMIT")
        sign = asked.get("SignName", "")
        if state.limits and not all(
            state.within(f"ali:{sign}:{asked['TemplateCode']}:{phone}", 50, 86400) for phone in phones
        ):
            return 200, _ali("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")
        business = state.next_id("BIZ") + "^0"
        text = f"【{sign}】[{asked['TemplateCode']}] " + " ".join(f"{name}={value}" for name, value in values.items())
        for phone in phones:
            state.show("alisms", phone, text, business, out_id=asked.get("OutId"), sign=sign)
        return 200, {**_ali("OK", "OK"), "BizId": business}


def tencent(state: State, headers: Mapping[str, str], raw: bytes, fault: Fault | None) -> dict[str, Any]:
    with state.lock:
        state.received("tencentsms", body=raw.decode("utf-8", "replace"))
        if fault and fault.fault == "code" and "." not in str(fault.code):
            return _tc_error(fault.code, fault.text)
        wrong = _tc3(state, headers, raw)
        if wrong:
            return _tc_error(wrong)
        asked = json.loads(raw)
        phones = asked["PhoneNumberSet"]
        if len(phones) > 200:
            return _tc_error("LimitExceeded.PhoneNumberCountLimit")
        content = "|".join(asked["TemplateParamSet"])
        bad = half(phones) if fault and fault.fault == "half_invalid" else []
        statuses = []
        for phone in phones:
            code = "Ok"
            if not re.fullmatch(r"\+861\d{10}", phone) or phone in bad:
                code = "InvalidParameterValue.IncorrectPhoneNumber"
            elif fault and fault.fault == "code":
                code = fault.code
            elif state.limits and not state.within(f"tc:{phone}:{asked['TemplateId']}:{content}", 1, 30):
                code = "LimitExceeded.PhoneNumberThirtySecondLimit"
            elif state.limits and not state.within(f"tc:{phone}", 2, 86400):
                code = "LimitExceeded.PhoneNumberDailyLimit"
            serial = state.next_id("5000:") if code == "Ok" else ""
            if code == "Ok":
                text = f"【{asked['SignName']}】[{asked['TemplateId']}] {content}"
                state.show("tencentsms", phone, text, serial, session=asked.get("SessionContext"))
            statuses.append(
                {
                    "SerialNo": serial,
                    "PhoneNumber": phone,
                    "Fee": 1 if code == "Ok" else 0,
                    "SessionContext": asked.get("SessionContext", ""),
                    "Code": code,
                    "Message": "send success" if code == "Ok" else f"{phone} {code}",
                    "IsoCode": "CN",
                }
            )
        return {"Response": {"SendStatusSet": statuses, "RequestId": state.next_id("req-")}}


def _acs3(state: State, query: str, headers: Mapping[str, str], raw: bytes) -> str | None:
    """What is wrong with an ACS3-HMAC-SHA256 signature, by Aliyun's description of V3."""
    given = re.fullmatch(
        r"ACS3-HMAC-SHA256 Credential=(.+),SignedHeaders=(.+),Signature=(\w+)", headers["Authorization"]
    )
    if not given or headers["x-acs-action"] != "SendSms" or headers["x-acs-version"] != "2017-05-25":
        return "InvalidAction.NotFound"
    if hashlib.sha256(raw).hexdigest() != headers["x-acs-content-sha256"]:
        return "SignatureDoesNotMatch"
    at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if abs(at - state.now()) > timedelta(minutes=15):
        return "InvalidTimeStamp.Expired"
    if headers["x-acs-signature-nonce"] in state.nonces:
        return "SignatureNonceUsed"
    state.nonces.add(headers["x-acs-signature-nonce"])
    key_id, names, signature = given.groups()
    if not {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date"} <= set(names.split(";")):
        return "SignatureDoesNotMatch"
    canonical = f"POST\n/\n{'&'.join(sorted(query.split('&')))}\n"
    for name in names.split(";"):
        canonical += f"{name}:{headers[name]}\n"
    canonical += f"\n{names}\n{headers['x-acs-content-sha256']}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    right = hmac.digest(state.secret_of(key_id).encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), "sha256").hex()
    return None if right == signature else "SignatureDoesNotMatch"


def _tc3(state: State, headers: Mapping[str, str], raw: bytes) -> str | None:
    """What is wrong with a TC3-HMAC-SHA256 signature, by Tencent's description of v3."""
    given = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, SignedHeaders=(\S+), Signature=(\w+)",
        headers["Authorization"],
    )
    if not given or headers["X-TC-Action"] != "SendSms" or headers["X-TC-Version"] != "2021-01-11":
        return "AuthFailure.InvalidAuthorization"
    secret_id, day, names, signature = given.groups()
    stamp = int(headers["X-TC-Timestamp"])
    if abs(stamp - state.now().timestamp()) > 300:
        return "AuthFailure.SignatureExpire"
    lines = "".join(f"{name}:{headers[name].lower()}\n" for name in names.split(";"))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(raw).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{digest}"
    key = b"TC3" + state.secret_of(secret_id).encode()
    for step in (day, "sms", "tc3_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return None if hmac.digest(key, text.encode(), "sha256").hex() == signature else "AuthFailure.SignatureFailure"


def _mas(code: str, group: str = "") -> dict[str, Any]:
    return {"msgGroup": group, "rspcod": code, "success": code == "success"}


def _ali(code: str, text: str = "") -> dict[str, Any]:
    return {"Code": code, "Message": text or code, "RequestId": "stub"}


def _tc_error(code: str, text: str = "") -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": text or code}, "RequestId": "stub"}}
