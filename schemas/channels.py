"""``channels.yaml``: each channel one URL, with its limits and the provider's templates."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from schemas.files import FileModel
from schemas.values import Seconds, Word
from schemas.words import near

#: What a template's variables can be filled with: the case number ("… 等 3 件" for several), the due date, working
#: days over it, the number of cases. Those who write the message fill exactly these.
TEMPLATE_VALUES = ("case", "due", "days", "n")
_NAME = re.compile(r"[\w-]{1,40}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)


class LimitFile(FileModel):
    """At most ``max`` messages in any ``in``."""

    per: Literal["recipient", "content", "channel"]
    max: Annotated[int, Field(ge=1, le=1_000_000)]
    within: Seconds = Field(alias="in")


class TemplateFile(FileModel):
    """The provider's template id, its variables in order, and what they are called there (by name: Aliyun)."""

    id: Word
    values: list[str] = Field(default_factory=list)
    names: list[Word] | None = None

    @field_validator("values", mode="after")
    @classmethod
    def _known(cls, values: list[str]) -> list[str]:
        for value in values:
            if value not in TEMPLATE_VALUES:
                guess = near(value, TEMPLATE_VALUES)
                hint = f"{value} 是不是 {guess}" if guess else f"没有 {value}，可以写的有 {'、'.join(TEMPLATE_VALUES)}"
                raise ValueError(f"要写能填进短信的内容：{hint}")
        return values

    @model_validator(mode="after")
    def _as_many(self) -> TemplateFile:
        if self.names is not None and len(self.names) != len(self.values):
            raise ValueError("里 names 要和 values 一样多")
        return self


class TemplatesFile(FileModel):
    """One for reminders before the due date, one for all that comes after it."""

    reminder: TemplateFile | None = None
    breach: TemplateFile | None = None


class ChannelFile(FileModel):
    """One way to reach people."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    limits: list[LimitFile] | None = None
    templates: TemplatesFile = TemplatesFile()

    @field_validator("url", mode="after")
    @classmethod
    def _has_a_scheme(cls, url: str) -> str:
        # Never repeated in an error: secrets may stand in it.
        if not _URL.fullmatch(url.strip()):
            raise ValueError("要写成 种类://…，例如 sandbox://")
        return url.strip()


class ChannelsFile(FileModel):
    """The whole file."""

    channels: Annotated[dict[str, ChannelFile], Field(min_length=1)]

    @field_validator("channels", mode="after")
    @classmethod
    def _plain_names(cls, channels: dict[str, ChannelFile]) -> dict[str, ChannelFile]:
        for name in channels:
            if not _NAME.fullmatch(name):
                raise ValueError(f"的名称只用文字、数字、- 和 _（最长 40 个），{name[:50]} 不行")
        return channels
