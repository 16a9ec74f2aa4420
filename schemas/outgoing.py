"""What a case system is told at its own address: CloudEvents in structured JSON, signed (docs/webhooks.md).

``OUTGOING`` has the model of each type. Fields are only ever added; whoever reads them ignores what he does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from schemas.replies import CASE_EXAMPLE, CaseOut, Reply, VerdictName

#: The ``source`` of all of them: whose case it is stands in ``data.case.source``.
SENDER: Final = "sla-service"

Reason = Literal["events", "calendar", "policy"]


class ToldOut(Reply):
    """Base of what the data say: the case as it stood when this happened, and which of its clocks it is about."""

    case: CaseOut = Field(description="事情发生时的办件，与其他回答里的办件对象相同")
    target: str = Field(description="哪一项时限，例如 resolve（办结）")
    round: int = Field(description="第几轮，重办后加一")


class DueChangedOut(ToldOut):
    """The due date has moved, for whatever reason: a pause, an extension, a late event, a new calendar."""

    old_due_on: date | None = Field(description="原到期日；此前在挂起中为 null")
    new_due_on: date | None = Field(description="现到期日；挂起期间为 null")
    reason: Reason = Field(description="events 来了事件、calendar 工作日历有变、policy 规则有变")
    text: str = Field("", description="工作日历有变时，是哪一份通知")


class RemindedOut(ToldOut):
    """A person has been told: the channel has accepted the message."""

    step: str = Field(description="规则里的哪一步，例如 due-1wd；催办、上报、日历变动等也在这里")
    role: str = Field(description="告诉的是哪个角色")
    to: str = Field(description="通讯录里的编号")
    channel: str = Field(description="渠道；测试来源的消息只进 sandbox")
    escalation: bool = Field(description="超期后的催告和上报为 true，到期前的提醒为 false")
    planned_at: datetime = Field(description="规则定的时刻")


class BreachedOut(ToldOut):
    """A due date has passed. Late events may take it back (``sla.breach_withdrawn``)."""

    due_at: datetime = Field(description="过了的到期时刻")
    late_days: int | None = Field(None, description="已办结的，超期几个工作日；还在办的为 null")


class BreachWithdrawnOut(ToldOut):
    """A breach that was told is none: a late event or another calendar has moved the due date."""

    old_due_at: datetime = Field(description="先前认定过了的到期时刻")
    new_due_at: datetime | None = Field(description="现到期时刻；挂起中为 null")
    reason: Reason = Field(description="events 来了事件、calendar 工作日历有变、policy 规则有变")
    text: str = Field("", description="工作日历有变时，是哪一份通知")


class ClosedOut(ToldOut):
    """The case was closed, and how it is judged."""

    outcome: str | None = Field(None, description="resolved、explained、transferred 或 withdrawn")
    verdict: VerdictName | None = Field(None, description="met 按期、breached 超期")
    late_days: int | None = Field(None, description="超期几个工作日")


def _example(type_: str, time: str, data: Mapping[str, Any], **case: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "evt_5f0c1d7a9be24c3f8a61d2e4",
        "source": SENDER,
        "type": type_,
        "subject": CASE_EXAMPLE["no"],
        "time": time,
        "datacontenttype": "application/json",
        "data": {"case": {**CASE_EXAMPLE, **case}, "target": "resolve", "round": 1, **data},
    }


_MOVED = {"due_on": "2026-11-26", "due_at": "2026-11-26T17:30:00+08:00", "remaining_days": 3}
_RED = {"light": "red", "remaining_days": -1}
_CLOSED = {
    "state": "closed",
    "light": "grey",
    "remaining_days": None,
    "verdict": "met",
    "closed_at": "2026-11-24T10:00:00+08:00",
}
DUE_CHANGED_EXAMPLE = _example(
    "sla.due_changed",
    "2026-11-23T11:02:09+08:00",
    {"old_due_on": "2026-11-25", "new_due_on": "2026-11-26", "reason": "events", "text": ""},
    **_MOVED,
)
REMINDED_EXAMPLE = _example(
    "sla.reminded",
    "2026-11-24T08:30:02+08:00",
    {
        "step": "due-1wd",
        "role": "handler",
        "to": "zhangsan",
        "channel": "wecom",
        "escalation": False,
        "planned_at": "2026-11-24T08:30:00+08:00",
    },
    light="yellow",
    remaining_days=1,
)
BREACHED_EXAMPLE = _example(
    "sla.breached",
    "2026-11-25T17:30:03+08:00",
    {"due_at": "2026-11-25T17:30:00+08:00", "late_days": None},
    **{**_RED, "remaining_days": 0},
)
BREACH_WITHDRAWN_EXAMPLE = _example(
    "sla.breach_withdrawn",
    "2026-11-26T09:15:40+08:00",
    {
        "old_due_at": "2026-11-25T17:30:00+08:00",
        "new_due_at": "2026-11-26T17:30:00+08:00",
        "reason": "events",
        "text": "",
    },
    **{**_MOVED, "remaining_days": 0},
)
CLOSED_EXAMPLE = _example(
    "sla.closed",
    "2026-11-24T10:00:05+08:00",
    {"outcome": "resolved", "verdict": "met", "late_days": None},
    **_CLOSED,
)


class OutgoingEvent(Reply):
    """The envelope (CloudEvents 1.0). ``id`` is also the header ``webhook-id``, the same on every repeat."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="与请求头 webhook-id 相同；重发不变，可用来去重")
    source: Literal["sla-service"] = SENDER
    subject: str = Field(description="办件编号")
    time: datetime = Field(description="事情发生的时刻（+08:00）")
    datacontenttype: Literal["application/json"] = "application/json"


class DueChanged(OutgoingEvent):
    """``sla.due_changed``."""

    model_config = ConfigDict(json_schema_extra={"examples": [DUE_CHANGED_EXAMPLE]})

    type: Literal["sla.due_changed"] = "sla.due_changed"
    data: DueChangedOut


class Reminded(OutgoingEvent):
    """``sla.reminded``."""

    model_config = ConfigDict(json_schema_extra={"examples": [REMINDED_EXAMPLE]})

    type: Literal["sla.reminded"] = "sla.reminded"
    data: RemindedOut


class Breached(OutgoingEvent):
    """``sla.breached``."""

    model_config = ConfigDict(json_schema_extra={"examples": [BREACHED_EXAMPLE]})

    type: Literal["sla.breached"] = "sla.breached"
    data: BreachedOut


class BreachWithdrawn(OutgoingEvent):
    """``sla.breach_withdrawn``."""

    model_config = ConfigDict(json_schema_extra={"examples": [BREACH_WITHDRAWN_EXAMPLE]})

    type: Literal["sla.breach_withdrawn"] = "sla.breach_withdrawn"
    data: BreachWithdrawnOut


class Closed(OutgoingEvent):
    """``sla.closed``."""

    model_config = ConfigDict(json_schema_extra={"examples": [CLOSED_EXAMPLE]})

    type: Literal["sla.closed"] = "sla.closed"
    data: ClosedOut


#: Type -> its model.
OUTGOING: Mapping[str, type[OutgoingEvent]] = {
    "sla.due_changed": DueChanged,
    "sla.reminded": Reminded,
    "sla.breached": Breached,
    "sla.breach_withdrawn": BreachWithdrawn,
    "sla.closed": Closed,
}
