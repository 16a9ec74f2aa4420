"""A message in one line: who was told what, why, when, what the provider said, and whether it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sla_service.domain.directory import ROLE_WORDS
from sla_service.domain.policy import BEIJING
from sla_service.services.app import App
from sla_service.services.views import beijing
from sla_service.store import queries, told
from sla_service.store.queries import MessageFilter

Row = Mapping[str, Any]

STATES: Final[Mapping[str, str]] = {
    "queued": "等待发送",
    "claimed": "正要发送",
    "sending": "正在发送",
    "accepted": "服务商已收下",
    "delivered": "已送达",
    "failed": "没有发到",
    "unknown": "不清楚有没有发出",
    "suppressed": "不再需要，没有发",
}
_WHY: Final[Mapping[str, str]] = {
    "closed": "已办结",
    "replied": "已答复",
    "paused": "已挂起",
    "moved": "到期日变了",
    "voided": "受理已撤销",
    "expired": "过了时候",
    "reassigned": "已转给别人",
    "acknowledged": "已知晓",
    "send_window": "等上班时间",
    "maintenance": "渠道维护中",
    "crowded_minute": "错开整点半点",
    "one_bundle_a_day": "领导每天一条短信，明天合并发",
    "no_recipient": "没有人可发",
}
_VIA: Final[Mapping[str, str]] = {"link": "点了链接", "card": "点了卡片", "api": "业务系统", "page": "页面"}


def listed(app: App, wanted: MessageFilter, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Messages with all that is known of them, newest first."""
    with app.db.read() as conn:
        rows = queries.messages(conn, wanted, before=before, limit=limit)
        more = told.details(conn, [r["id"] for r in rows])
    return [record(app, row, more.get(row["id"], {})) for row in rows]


def record(app: App, row: Row, more: Row) -> dict[str, Any]:
    """One message, with ``text`` as the one line that answers "was he told, and when?"."""
    receipt = more.get("receipt")
    found: dict[str, Any] = {
        "id": str(row["id"]),
        "source": row["source"],
        "case": row["no"],
        "target": row["target"],
        "step": row["step"],
        "due_on": row["due_on"].isoformat() if row["due_on"] else None,
        "role": row["as_role"] or row["role"],
        "to": row["recipient"],
        "channel": row["channel"],
        "state": row["state"],
        "reason": row["reason"],
        "planned_at": beijing(row["planned_at"]),
        "not_before": beijing(row["not_before"]),
        "sent_at": beijing(row["finished_at"] or row["tried_at"]),
        "attempts": row["attempts"],
        "code": row["code"],
        "provider_id": more.get("provider_id"),
        "receipt": None,
        "acknowledged_at": beijing(more.get("ack_at")),
        "acknowledged_via": more.get("ack_via"),
        "fell": list(row["detail"].get("fell", ())),
    }
    if receipt is not None:
        said = {k: receipt[k] for k in ("delivered", "code", "text")}
        found["receipt"] = {**said, "at": beijing(receipt["at"])}
    return found | {"text": _line(app, row, found)}


def why(reason: str) -> str:
    """A reason in words: ``limit recipient 2/86400s`` is the provider's or our own window."""
    if reason.startswith("limit "):
        _, per, window = reason.split(" ")
        most, _, seconds = window.rstrip("s").partition("/")
        whom = {"recipient": "每人", "content": "同样内容每人", "channel": "整个渠道"}.get(per, per)
        return f"发送限额：{whom} {_span(int(seconds))}最多 {most} 条"
    if reason.startswith("receipt: "):
        return f"回执：{reason.removeprefix('receipt: ')}"
    return _WHY.get(reason, reason)


def _span(seconds: int) -> str:
    for unit, word in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds % unit == 0:
            return f"{seconds // unit} {word}"
    return f"{seconds} 秒"


def _line(app: App, row: Row, found: Row) -> str:
    """``11-24 08:30 wecom 科长李四：BBC-1 due-1wd，服务商已收下（0 msg1）；11-24 08:41 已送达；11-24 09:02 知道了``"""
    person = app.config.directory.person(row["recipient"]) if row["recipient"] else None
    role = ROLE_WORDS.get(found["role"], found["role"])
    name = person.name if person is not None else (row["recipient"] or "无人可发")
    at = row["finished_at"] or row["tried_at"] or row["not_before"]
    answer = " ".join(str(w) for w in (row["code"], found["provider_id"]) if w)
    state = STATES.get(row["state"], row["state"])
    reason = why(row["reason"]) if row["reason"] else ""
    said = "，".join(w for w in (answer, reason) if w)
    due = f"（到期日 {row['due_on']:%m-%d}）" if row["due_on"] else ""
    about = f"{row['no']} {row['step']}{due}" if row["no"] else row["step"]
    parts = [f"{_clock(at)} {row['channel']} {role}{name}：{about}，{state}{f'（{said}）' if said else ''}"]
    if found["receipt"] is not None:
        words = "回执已送达" if found["receipt"]["delivered"] else f"回执未送达 {found['receipt']['code']}"
        parts.append(f"{found['receipt']['at'][5:16].replace('T', ' ')} {words}")
    if found["acknowledged_at"]:
        via = _VIA.get(found["acknowledged_via"], found["acknowledged_via"])
        parts.append(f"{found['acknowledged_at'][5:16].replace('T', ' ')} 知道了（{via}）")
    return "；".join(parts)


def _clock(at: Any) -> str:
    return f"{at.astimezone(BEIJING):%m-%d %H:%M}"
