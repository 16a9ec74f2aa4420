"""The event contract as JSON Schema, for OpenAPI and AsyncAPI: one CloudEvents envelope around each type's data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from schemas.event_data import DATA, INSTANT_PATTERN, Data
from schemas.event_words import ABOUT, WORDS

#: A plain example per contract; the README and the API pages show the same.
EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "hall",
    "type": "case.accepted",
    "subject": "BBC-2026-0001",
    "time": "2026-11-20T10:12:00+08:00",
    "data": {
        "kind": "simple",
        "title": "诊所名称核准",
        "matter": "个体工商户登记",
        "department": "社会事务科",
        "handler": "zhangsan",
        "applicant": {"name": "赵六", "phone": "13800000000"},
    },
}
ENVELOPE_WORDS = "一个事件（CloudEvents 1.0）。不认识的扩展属性和 data 里不认识的字段都收下保留，不起作用。"
_ID = r"^\S(.*\S)?$"


class Envelope(BaseModel):
    """Attributes that every event carries; extension attributes are taken and ignored."""

    model_config = ConfigDict(extra="allow", strict=True)

    specversion: Literal["1.0"] = Field(description="CloudEvents 的版本")
    id: Annotated[str, Field(max_length=200, pattern=_ID, description="同一来源内唯一，例如 办件编号/类型/行号")]
    source: Annotated[str, Field(max_length=200, pattern=_ID, description="登记过的业务系统名")]
    time: Annotated[
        str,
        Field(
            pattern=INSTANT_PATTERN,
            json_schema_extra={"format": "date-time"},
            description="事情发生的时间（不是发送的时间），RFC 3339，要带时区；最多比现在晚 10 分钟",
        ),
    ]
    datacontenttype: str | None = Field(None, description="有就是 application/json")
    dataschema: str | None = Field(None, description="收下，不用")


def _envelope(type_: str, data: type[Data]) -> type[Envelope]:
    subject: Any = Annotated[str, Field(max_length=200, pattern=_ID, description="办件编号")]
    contract = data.model_json_schema()
    fields: dict[str, Any] = {
        "type": (Literal[type_], Field(description=WORDS[type_][0])),
        "subject": (subject | None, None) if type_ == "visit.answered" else (subject, ...),
        "data": (data, ...) if "required" in contract or "anyOf" in contract else (data | None, None),
    }
    name = "".join(part.title() for part in type_.replace("_", ".").split(".")) + "Event"
    return create_model(name, __base__=Envelope, **fields)


ENVELOPES: dict[str, type[Envelope]] = {type_: _envelope(type_, data) for type_, data in DATA.items()}
_NAMES = {envelope.__name__: WORDS[type_][0] for type_, envelope in ENVELOPES.items()}
_ANY: Any = Annotated[Union[tuple(ENVELOPES.values())], Field(discriminator="type")]  # noqa: UP007 (built at run time)
EVENT: TypeAdapter[Envelope] = TypeAdapter(_ANY)


def json_schema(ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """JSON Schema (2020-12) of one event of any type, with an example."""
    schema = EVENT.json_schema(ref_template=ref_template)
    described(schema["$defs"])
    return {**schema, "title": "Event", "description": ENVELOPE_WORDS, "examples": [EXAMPLE]}


def described(models: dict[str, Any]) -> None:
    """Puts into schemas by model name what is told to those who send: their docstrings are for those who program."""
    for name, schema in models.items():
        if name in ABOUT:
            schema["description"] = ABOUT[name]
        elif name in _NAMES:
            schema["description"] = _NAMES[name]
