"""Delivery receipts as the SMS gateways post them, read into one form. Matched by code, never by text.

Aliyun: https://help.aliyun.com/document_detail/101508.html (SmsReport), Tencent:
https://cloud.tencent.com/document/product/382/59178; 云MAS: the interface document that comes with the contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from sla_service.delivery.text import mask_phones

_MOST: Final = 1000  # reports in one post; more is no gateway of ours
_LONGEST: Final = 200


class ReceiptError(Exception):
    """The body is no receipt of this provider; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one message to one number. ``message_id`` is ours, where the provider gives it back."""

    provider_id: str
    delivered: bool
    code: str
    text: str = ""
    message_id: str = ""
    phone: str = field(default="", repr=False)  # mainland, without prefix; for finding, never kept


#: What each provider wants to hear; without it the receipt comes again.
ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "alisms": {"code": 0, "msg": "ok"},
    "tencentsms": {"result": 0, "errmsg": "OK"},
    "yunmas": {"rspcod": "success", "success": True},  # † from memory; the gateway looks at the status only
}


def read(scheme: str, body: bytes) -> list[Report]:
    """The reports in a request body. Raises ReceiptError."""
    reader = _READERS.get(scheme)
    if reader is None:
        raise ReceiptError(f"{scheme}:// 没有送达回执")
    rows = _rows(body)
    if not rows or len(rows) > _MOST:
        raise ReceiptError("正文里没有回执" if not rows else f"一次最多 {_MOST} 条回执")
    found = [reader(row) for row in rows]
    if not all(r.provider_id or r.message_id or r.phone for r in found):
        raise ReceiptError("回执里没有消息编号，也没有手机号")
    return found


def _rows(body: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        try:
            found = dict(parse_qsl(body.decode("utf-8"), strict_parsing=True))
        except ValueError:
            raise ReceiptError("正文不是 JSON，也不是表单") from None
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise ReceiptError("回执要是 JSON 对象，或它们的列表")
    return rows


def _yunmas(row: Mapping[str, Any]) -> Report:
    code = _text(row, "reportStatus")
    return Report(_text(row, "msgGroup"), code == "CM:0000", code, _text(row, "errorCode"), phone=_phone(row, "mobile"))


def _aliyun(row: Mapping[str, Any]) -> Report:
    success = row.get("success")
    delivered = success is True or str(success).lower() == "true"
    code, text = _text(row, "err_code"), _text(row, "err_msg")
    phone = _phone(row, "phone_number")
    return Report(_text(row, "biz_id"), delivered, code, text, _text(row, "out_id"), phone)


def _tencent(row: Mapping[str, Any]) -> Report:
    delivered = _text(row, "report_status") == "SUCCESS"
    code, text = _text(row, "errmsg"), _text(row, "description")
    return Report(_text(row, "sid"), delivered, code, text, phone=_phone(row, "mobile"))


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Report]]] = {
    "yunmas": _yunmas,
    "alisms": _aliyun,
    "tencentsms": _tencent,
}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    plain = "" if value is None else str(value)
    return mask_phones(plain.replace("\x00", ""))[:_LONGEST].encode("utf-8", "replace").decode()


def _phone(row: Mapping[str, Any], name: str) -> str:
    digits = "".join(c for c in str(row.get(name) or "") if c.isdigit())
    return digits[-11:]
