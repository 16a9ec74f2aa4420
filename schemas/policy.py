"""``policy.yaml``: limits, hours, ladder and switches of a hall, as people write them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schemas.event_data import DATA, KindName, RoleName
from schemas.files import Document, FileModel
from schemas.values import Days, Minute, SomeDays, StepAt, Words, one_or_many
from schemas.words import near

KINDS: tuple[KindName, ...] = ("simple", "complex", "special")
_KINDS: Any = BeforeValidator(one_or_many, json_schema_input_type=KindName | list[KindName])
_ROLES: Any = BeforeValidator(one_or_many, json_schema_input_type=RoleName | list[RoleName])
Kinds = Annotated[list[KindName], _KINDS, Field(min_length=1)]
Roles = Annotated[list[RoleName], _ROLES, Field(min_length=1)]
Window = Literal["working_hours", "always"]


class HoursFile(FileModel):
    """Opening hours, Beijing time."""

    open: Minute = 8 * 60 + 30
    close: Minute = 17 * 60 + 30

    @model_validator(mode="after")
    def _in_order(self) -> HoursFile:
        if self.open >= self.close:
            raise ValueError("里 open 要早于 close")
        return self


class StepFile(FileModel):
    """One rung of a ladder."""

    at: StepAt
    to: Roles
    via: Words
    all: bool = False
    kinds: Kinds | None = None
    departments: Words | None = None
    repeat: SomeDays | None = None
    until: Literal["closed", "acknowledged"] = "closed"
    window: Window | None = None


def _of_each_kind(value: object) -> object:
    """``limits: 1wd`` is short for the same limit for every kind."""
    return dict.fromkeys(KINDS, value) if isinstance(value, str) else value


class KindLimits(FileModel):
    """Working days for each kind."""

    simple: SomeDays
    complex: SomeDays
    special: SomeDays


class KindYellow(FileModel):
    """Working days left from which a case is yellow."""

    simple: Days | None = None
    complex: Days | None = None
    special: Days | None = None


class TargetFile(FileModel):
    """One promise that is timed."""

    starts: Words
    stops: Words
    limits: Annotated[KindLimits, BeforeValidator(_of_each_kind, json_schema_input_type=SomeDays | KindLimits)]
    yellow: Annotated[KindYellow, BeforeValidator(_of_each_kind, json_schema_input_type=Days | KindYellow)] = (
        KindYellow()
    )
    ladder: list[StepFile] = Field(default_factory=list)

    @field_validator("starts", "stops", mode="after")
    @classmethod
    def _event_types(cls, types: list[str]) -> list[str]:
        for type_ in types:
            if type_ not in DATA:
                guess = near(type_, DATA)
                raise ValueError(f"要写事件类型，是不是 {guess}" if guess else "要写事件类型，例如 case.accepted")
        return types


class TargetsFile(FileModel):
    """``resolve`` is the promise to the applicant, the others are optional."""

    resolve: TargetFile
    sign: TargetFile | None = None
    follow_up: TargetFile | None = None


class ExtensionFile(FileModel):
    """How far an extension may go (rules.md 7)."""

    cap_days: Annotated[int, Field(ge=1, le=250)] = 15
    cap_counts: Literal["total", "extra"] = "total"


class NoReplyFile(FileModel):
    """How the handler of a closed case without an answer is reminded each working morning."""

    via: Words


class DigestFile(FileModel):
    """One message about many cases."""

    at: Minute
    to: Roles
    via: Words
    days: Literal["working_days", "mondays"] = "working_days"
    beyond: SomeDays = 5


WatchRole = Literal["station_chief", "bureau_leader", "joint_committee", "duty"]
_WATCH: Any = BeforeValidator(one_or_many, json_schema_input_type=WatchRole | list[WatchRole])


class WatchFile(FileModel):
    """Who is told that next year's notice is missing: roles of the whole hall, since it is about no case."""

    to: Annotated[list[WatchRole], _WATCH, Field(min_length=1)] | None = None
    via: Words | None = None


class PolicyFile(FileModel):
    """The whole file."""

    hours: HoursFile = HoursFile()
    send_window: Window = "working_hours"
    targets: TargetsFile
    non_working_receipt: Literal["as_received", "next_workday"] = "as_received"
    unclassified_as: KindName = "simple"
    reclassify_from: Literal["start", "reclassification"] = "start"
    reopen: Literal["restart", "continue"] = "restart"
    extension: ExtensionFile = ExtensionFile()
    pause_days: SomeDays = 5
    no_reply: NoReplyFile = NoReplyFile(via=["wecom"])
    digests: list[DigestFile] = Field(default_factory=list)
    calendar_watch: WatchFile | None = None


def check(document: Document, policy: PolicyFile) -> None:
    """What each part cannot see alone: yellow has to lie inside the limit."""
    for name, target in targets(policy):
        for kind in KINDS:
            yellow: Any = getattr(target.yellow, kind)
            limit = getattr(target.limits, kind)
            if yellow is not None and yellow >= limit:
                text = f"targets.{name}.yellow.{kind} 要小于时限 {limit}wd，否则一受理就是黄灯。"
                document.complain(("targets", name, "yellow", kind), text)


def targets(policy: PolicyFile) -> list[tuple[str, TargetFile]]:
    """The targets that are on."""
    every = ((name, getattr(policy.targets, name)) for name in TargetsFile.model_fields)
    return [(name, target) for name, target in every if target is not None]
