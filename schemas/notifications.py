"""What ``GET /v1/notifications`` answers: who was told what, and what became of it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from schemas.replies import Reply


class ReceiptOut(Reply):
    """What the provider reported about a message that it had accepted."""

    delivered: bool
    code: str
    text: str = ""
    at: datetime


class NotificationOut(Reply):
    """One message to one person, and what became of it."""

    id: str
    source: str
    case: str
    target: str
    step: str
    role: str
    to: str | None = Field(description="通讯录里的编号；没有人可发时为 null")
    channel: str
    state: str
    not_before: datetime | None = None
    attempts: int = 0
    last: str | None = Field(None, description="最近一次发送的结果")
    reason: str = Field("", description="为什么还在等、没有发或没有发到")
    due_on: date | None = Field(None, description="决定这条提醒时的到期日")
    planned_at: datetime | None = Field(None, description="规则定的时刻")
    sent_at: datetime | None = Field(None, description="最近一次发送的时刻")
    code: str | None = Field(None, description="服务商回答的代码")
    provider_id: str | None = Field(None, description="服务商的编号")
    receipt: ReceiptOut | None = Field(None, description="送达回执")
    acknowledged_at: datetime | None = Field(None, description="接收人确认知晓的时刻")
    acknowledged_via: str | None = Field(None, description="link、card、api 或 page")
    text: str = Field("", description="以上合成一句话，给人看")


class NotificationsOut(Reply):
    notifications: tuple[NotificationOut, ...]
    next: str | None = None
