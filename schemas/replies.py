"""What the service answers, over HTTP and with ``--json``: the same objects everywhere.

Dates are business dates (Beijing). Instants carry their offset, ``due_at`` that of Beijing. Days are working days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

State = Literal["running", "paused", "closed"]
Light = Literal["green", "yellow", "red", "grey"]
VerdictName = Literal["met", "breached"]
StatusName = Literal["applied", "duplicate", "conflict", "waiting", "rejected", "invalid"]


class Reply(BaseModel):
    """Base: frozen; the fields of ``OMITTED`` are left out where they have nothing to say, others stay as null."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    OMITTED: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _leave_out(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]  # noqa: ANN202
        # Without a return annotation the JSON Schema stays the model's own.
        plain = handler(self)
        for name in self.OMITTED:
            if plain.get(name) is None:
                plain.pop(name, None)
        return plain


class FindingOut(Reply):
    """Something that is not as it should be: ``code`` is fixed, ``text`` is for people."""

    code: str
    text: str


CASE_EXAMPLE: Mapping[str, Any] = {
    "source": "hall",
    "hall": "main",
    "no": "BBC-2026-0001",
    "title": "诊所名称核准",
    "kind": "simple",
    "matter": "个体工商户登记",
    "department": "社会事务科",
    "handler": "zhangsan",
    "state": "running",
    "light": "green",
    "due_on": "2026-11-25",
    "due_at": "2026-11-25T17:30:00+08:00",
    "provisional": False,
    "remaining_days": 3,
    "verdict": None,
    "late_days": None,
    "findings": [],
    "accepted_at": "2026-11-20T10:12:00+08:00",
    "closed_at": None,
}


class CaseOut(Reply):
    """One case as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [dict(CASE_EXAMPLE)]})
    OMITTED: ClassVar[frozenset[str]] = frozenset({"due_earliest", "due_latest"})

    source: str
    hall: str = "main"
    no: str
    title: str | None = None
    kind: str | None = None
    matter: str | None = None
    department: str | None = None
    handler: str | None = None
    state: State
    light: Light = Field(description="green 正常、yellow 临期、red 超期；挂起或已办结为 grey")
    due_on: date | None = Field(None, description="到期日；挂起期间为 null")
    due_at: datetime | None = Field(None, description="到期时刻（+08:00）；挂起期间为 null")
    provisional: bool = Field(False, description="到期日要等节假日通知才能确定")
    due_earliest: date | None = Field(None, description="只在 provisional 时有")
    due_latest: date | None = Field(None, description="只在 provisional 时有")
    remaining_days: int | None = Field(None, description="今天之后到到期日的工作日数；当天为 0，之后为负数")
    verdict: VerdictName | None = None
    late_days: int | None = Field(None, description="超期的工作日数；到期日当天下班后办结为 0")
    findings: tuple[FindingOut, ...] = ()
    accepted_at: datetime | None = None
    closed_at: datetime | None = None


class ResultOut(Reply):
    """What became of one event."""

    OMITTED: ClassVar[frozenset[str]] = frozenset({"problem", "case"})

    id: str | None = Field(description="事件的 id；读不出来时为 null")
    status: StatusName
    problem: str | None = Field(None, description="rejected、invalid、conflict 时说明原因")
    case: CaseOut | None = None


class ResultsOut(Reply):
    """One result per event, in the order in which they came; the cases as they stand after the batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"results": [{"id": "e-1", "status": "applied", "case": dict(CASE_EXAMPLE)}]}],
        },
    )

    results: tuple[ResultOut, ...]


class CasesOut(Reply):
    """One page of cases; ``next`` is the cursor of the following page, null on the last."""

    cases: tuple[CaseOut, ...]
    next: str | None = None


class ProblemOut(BaseModel):
    """RFC 9457 problem document (``application/problem+json``)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": 'data.kind 要写 simple、complex 或 special，收到的是 "urgent"。',
                    "field": "data.kind",
                },
            ],
        },
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    field: str | None = Field(None, description="哪个字段不对")


DayKindName = Literal["working", "weekend", "holiday", "makeup"]


class AccountDayOut(Reply):
    """One line of the day-by-day account."""

    date: date
    kind: DayKindName = Field(description="工作日、周末、节假日、调休上班")
    name: str = Field("", description="节假日名称")
    state: Literal["start", "counted", "off", "paused", "due"] = Field(
        description="start 当天不算、counted 计入、off 休息、paused 挂起不计、due 到期日"
    )
    n: int | None = Field(None, description="第几个工作日；不计入的为 null")
    reason: str = Field("", description="挂起理由")
    projected: bool = Field(False, description="这一天还没有节假日通知")


class DueOut(Reply):
    """A due date with how it was counted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "start": "2026-11-20T10:12:00+08:00",
                    "kind": "simple",
                    "days": 3,
                    "due_on": "2026-11-25",
                    "due_at": "2026-11-25T17:30:00+08:00",
                    "provisional": False,
                    "account": [
                        {"date": "2026-11-20", "kind": "working", "name": "", "state": "start", "n": None},
                        {"date": "2026-11-23", "kind": "working", "name": "", "state": "counted", "n": 1},
                    ],
                },
            ],
        },
    )
    OMITTED: ClassVar[frozenset[str]] = frozenset({"due_earliest", "due_latest", "kind"})

    start: datetime | date
    kind: str | None = None
    days: int
    due_on: date | None
    due_at: datetime | None
    provisional: bool = False
    due_earliest: date | None = None
    due_latest: date | None = None
    account: tuple[AccountDayOut, ...] = ()


class ExplainOut(Reply):
    """The account of one case: one entry per clock (target and round)."""

    source: str
    no: str
    clocks: tuple[ClockOut, ...]


class ClockOut(Reply):
    """One clock: ``limit`` is in working days after ``start_on``, which is not counted itself."""

    OMITTED: ClassVar[frozenset[str]] = frozenset({"due_earliest", "due_latest"})

    target: str
    round: int
    started_at: datetime
    start_on: date
    limit: int
    stopped_at: datetime | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    provisional: bool = False
    due_earliest: date | None = None
    due_latest: date | None = None
    verdict: VerdictName | None = None
    late_days: int | None = None
    account: tuple[AccountDayOut, ...] = ()


class CalendarDayOut(Reply):
    """A day that differs from the plain week, or belongs to a holiday."""

    date: date
    kind: DayKindName
    name: str = ""
    source: str = Field("", description="哪一层、哪个文件说的")


class CalendarOut(Reply):
    """One year of the working calendar."""

    year: int
    status: Literal["published", "amended", "projected", "unknown"]
    source: str = ""
    working_days: int
    days: tuple[CalendarDayOut, ...]


class TimelineEntryOut(Reply):
    """One line of a case's history: an event, a message or a change of the due date."""

    OMITTED: ClassVar[frozenset[str]] = frozenset({"status", "event_id", "due_on"})

    at: datetime
    what: str = Field(description="事件类型，或 message、due_changed、breached")
    text: str
    event_id: str | None = None
    status: str | None = None
    due_on: date | None = None


class TimelineOut(Reply):
    """A case's history in order of time."""

    case: CaseOut
    entries: tuple[TimelineEntryOut, ...]


class HealthOut(Reply):
    """``/healthz`` and ``/readyz``."""

    OMITTED: ClassVar[frozenset[str]] = frozenset({"problem"})

    status: Literal["ok", "unavailable"]
    problem: str | None = None
