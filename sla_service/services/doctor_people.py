"""The doctor's question about people: does everybody who holds an open case stand in the directory?"""

from __future__ import annotations

from collections import Counter

from sla_service.services import handing_over
from sla_service.services.app import App
from sla_service.services.doctor_check import Check

_SHOWN = 3


def leavers(app: App) -> Check:
    """Reminders for a handler that nobody answers to go to his section head: who has left has to hand over."""
    found: Counter[str] = Counter()
    for one in handing_over.gone(app):
        found[one.handler] += one.n
    if not found:
        return Check("people", "ok", "在办件的承办人都在通讯录里")
    named = "、".join(f"{name} {n} 件" for name, n in found.most_common(_SHOWN))
    more = f"等 {len(found)} 人" if len(found) > _SHOWN else ""
    text = f"{found.total()} 件在办件的承办人不在通讯录里，或分不清是谁：{named}{more}"
    first = found.most_common(1)[0][0]
    return Check("people", "warning", text, f"sla directory handover {first} --to 接手的人；或补全通讯录")
