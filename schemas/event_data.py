"""What stands in ``data`` of each event type: the documented contract and the check in one, strict, JSON types only.

Unknown fields are kept and ignored; ``null`` in an optional field means that it was left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

#: Years that a date may lie in: before, the calendar holds no working days; after, it is a sender's "never".
FIRST_YEAR, LAST_YEAR = 2000, 2199

#: RFC 3339, section 5.6, upper-case T and Z, the offset required.
INSTANT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_INSTANT = re.compile(INSTANT_PATTERN[1:-1])
_DAY = re.compile(DAY_PATTERN[1:-1])


def read_instant(text: str) -> datetime | None:
    """The instant that an RFC 3339 date-time with an offset names; None if ``text`` is not one."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # 30 February, 25 o'clock
        return None


def read_when(text: str) -> datetime | date | None:
    """An RFC 3339 date-time with offset, or a plain date YYYY-MM-DD; None if ``text`` is neither."""
    if not _DAY.fullmatch(text):
        return read_instant(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check_when(text: str) -> str:
    when = read_when(text)
    if when is None or not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise PydanticCustomError("when", "not a date or a date-time with offset")
    return text


Name = Annotated[str, Field(max_length=200)]
Title = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(max_length=4000)]
Required200 = Annotated[str, Field(max_length=200, pattern=r"\S")]
Reason = Annotated[str, Field(max_length=1000)]
Label = Annotated[str, Field(max_length=100)]
When = Annotated[
    str,
    Field(
        json_schema_extra={
            "anyOf": [
                {"format": "date-time", "pattern": INSTANT_PATTERN},
                {"format": "date", "pattern": DAY_PATTERN},
            ],
        },
    ),
    AfterValidator(_check_when),
]
LimitDays = Annotated[int, Field(ge=1, le=1000, description="时限，工作日数")]
KindName = Literal["simple", "complex", "special"]
RoleName = Literal["handler", "section_head", "station_chief", "bureau_leader", "joint_committee", "duty"]
PauseReason = Literal[
    "hearing",
    "tender",
    "auction",
    "inspection",
    "test",
    "quarantine",
    "appraisal",
    "expert_review",
    "supplement",
    "other",
]
OutcomeName = Literal["resolved", "explained", "transferred", "withdrawn"]


class Data(BaseModel):
    """Base: nothing is converted, what is unknown stays."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class Applicant(Data):
    name: Name | None = Field(None, description="当事人姓名；发出的消息里会打码")
    phone: Annotated[str, Field(max_length=50)] | None = Field(None, description="联系电话；发出的消息里会打码")


class Accepted(Data):
    kind: KindName | None = Field(None, description="简单、复杂、特殊；还没研判的不填")
    title: Title | None = Field(None, description="事由")
    matter: Name | None = Field(None, description="事项")
    department: Name | None = Field(None, description="承办科室")
    handler: Name | None = Field(None, description="承办人：编号、工号（别名）或姓名")
    applicant: Applicant | None = Field(None, description="当事人")
    wanted_by: When | None = Field(None, description="当事人希望办成的日期")
    labels: (
        Annotated[list[Label], Field(max_length=50)] | Annotated[dict[Label, Label], Field(max_length=50)] | None
    ) = Field(None, description="标签：列表或名称到值，只作记录")
    limit_days: LimitDays | None = Field(None, description="特殊问题明确的办理时限，工作日数")
    reason: Reason | None = Field(None, description="为什么是特殊问题")
    applicant_informed_at: When | None = Field(None, description="何时告知当事人")


class Classified(Data):
    kind: KindName = Field(description="简单、复杂、特殊")
    limit_days: LimitDays | None = Field(None, description="特殊问题明确的办理时限，工作日数")
    reason: Reason | None = Field(None, description="为什么这样分类")
    applicant_informed_at: When | None = Field(None, description="何时告知当事人")


class Assigned(Data):
    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["department"]}, {"required": ["handler"]}]},
    )

    department: Name | None = Field(None, description="承办科室；换了科室又没写承办人，就是还没有承办人")
    handler: Name | None = Field(None, description="承办人：编号、工号（别名）或姓名")

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not ((self.department or "").strip() or (self.handler or "").strip()):
            raise PydanticCustomError("one_of", "at least one", {"names": "department 和 handler"})
        return self


class Signed(Data):
    handler: Name | None = Field(None, description="谁签收的；不写就是承办人")


class Extended(Data):
    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["limit_days"]}, {"required": ["until"]}]},
    )

    limit_days: LimitDays | None = Field(None, description="新的总时限，从起算日算起的工作日数")
    until: When | None = Field(None, description="延到哪一天")
    reason: Reason | None = Field(None, description="延期理由；没有就不生效")
    applicant_informed_at: When | None = Field(None, description="何时告知当事人；没有就不生效")
    approved_by: Name | None = Field(None, description="谁批准的；没有写的记一条异常")

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if self.limit_days is None and self.until is None:
            raise PydanticCustomError("one_of", "at least one", {"names": "limit_days 和 until"})
        return self


class Escalated(Data):
    to: RoleName = Field(description="交给哪个角色")
    by: Name | None = Field(None, description="谁上报的")
    reason: Reason | None = Field(None, description="为什么上报")


class Paused(Data):
    reason: PauseReason = Field(description="听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审、补正、其他")
    expected_until: When | None = Field(None, description="预计何时恢复")
    applicant_informed_at: When | None = Field(None, description="何时书面告知当事人")
    notice_no: Name | None = Field(None, description="告知书文号")
    note: Text | None = Field(None, description="说明")


class Resumed(Data):
    pass


class Reset(Data):
    reason: Annotated[str, Field(max_length=1000, pattern=r"\S", description="补正了什么")]


class Urged(Data):
    by: Name | None = Field(None, description="谁催的")
    text: Text | None = Field(None, description="催办的话，原样告诉承办人")


class Progressed(Data):
    text: Text | None = Field(None, description="进展")


class Closed(Data):
    outcome: OutcomeName = Field(description="办成、解释、转办、撤回")
    replied_at: When | None = Field(None, description="何时答复当事人")
    note: Text | None = Field(None, description="办理情况")


class Replied(Data):
    replied_at: When | None = Field(None, description="何时答复的；不写就是事件的 time")


class Reopened(Data):
    reason: Annotated[str, Field(max_length=1000, pattern=r"\S", description="为什么重办")]


class FollowedUp(Data):
    satisfied: bool | None = Field(None, description="当事人满意吗")
    note: Text | None = Field(None, description="当事人说了什么")


class Merged(Data):
    into: Required200 = Field(description="并入哪一件：办件编号")


class Voided(Data):
    event_id: Required200 = Field(description="要收回的事件的 id")
    reason: Reason | None = Field(None, description="为什么收回")


class Answered(Data):
    matter: Name | None = Field(None, description="什么事项")
    count: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(None, description="当场答复的人次，不填算 1")


#: Event type -> form of its data, in the order that decides between equal times.
DATA: Mapping[str, type[Data]] = {
    "case.accepted": Accepted,
    "case.classified": Classified,
    "case.assigned": Assigned,
    "case.signed": Signed,
    "case.extended": Extended,
    "case.escalated": Escalated,
    "case.paused": Paused,
    "case.resumed": Resumed,
    "case.reset": Reset,
    "case.urged": Urged,
    "case.progressed": Progressed,
    "case.closed": Closed,
    "case.replied": Replied,
    "case.reopened": Reopened,
    "case.followed_up": FollowedUp,
    "case.merged": Merged,
    "event.voided": Voided,
    "visit.answered": Answered,
}
