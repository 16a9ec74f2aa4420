"""How an applicant is shown wherever nobody asked for more: 赵*, 138****0000 (个人信息保护法第六条、第五十一条)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = 11  # digits of a mobile number: three and four of them stay readable


def name(text: str) -> str:
    """The family name; a second character of it (欧阳) is not worth telling apart."""
    return text[:1] + "*" if text else ""


def phone(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= _WHOLE else "****" if digits else ""


def applicant(given: Mapping[str, Any]) -> dict[str, Any]:
    """Name and number masked, what else a sender wrote about the person left out. Masking twice changes nothing."""
    shown: dict[str, Any] = {"erased": given["erased"]} if "erased" in given else {}
    if given.get("name"):
        shown["name"] = name(str(given["name"]))
    if given.get("phone"):
        shown["phone"] = phone(str(given["phone"]))
    return shown
