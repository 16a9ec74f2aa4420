"""The contracts as JSON Schema files (2020-12): events in and out, answers, and the files that people write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from schemas import replies
from schemas.channels import ChannelsFile
from schemas.directory import DirectoryFile
from schemas.event_data import DATA
from schemas.event_envelope import described, json_schema
from schemas.event_words import WORDS
from schemas.notifications import NotificationsOut
from schemas.outgoing import OUTGOING
from schemas.policy import PolicyFile
from schemas.reply_words import OUTGOING_WORDS, REPLY_WORDS
from schemas.version import MAJOR

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REPLIES: Mapping[str, type[BaseModel]] = {
    "case": replies.CaseOut,
    "results": replies.ResultsOut,
    "problem": replies.ProblemOut,
    "cases": replies.CasesOut,
    "timeline": replies.TimelineOut,
    "explain": replies.ExplainOut,
    "due": replies.DueOut,
    "calendar": replies.CalendarOut,
    "notifications": NotificationsOut,
}
_FILES: Mapping[str, tuple[type[BaseModel], str]] = {
    "policy": (PolicyFile, "policy.yaml：时限、工作时间、提醒和升级的阶梯"),
    "directory": (DirectoryFile, "directory.yaml：人员、科室、角色、代班、大厅"),
    "channels": (ChannelsFile, "channels.yaml：渠道、限制、短信模板"),
}


def documents() -> dict[str, Schema]:
    """Path below the folder of the contracts -> schema. The same on every machine and at every time."""
    return {path: {"$schema": _DIALECT, "$id": f"urn:sla-service:{MAJOR}:{path}", **s} for path, s in _schemas()}


def file_schema(model: type[BaseModel], title: str) -> Schema:
    """The schema of a YAML file, for editors. What is empty there (``absences:``) counts as left out."""
    schema = model.model_json_schema(by_alias=True)
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("description", None)  # a docstring: for those who program, not for those who write the file
        for name, field in part.get("properties", {}).items():
            if name not in part.get("required", ()) and not _nullable(field):
                part["properties"][name] = {"anyOf": [field, {"type": "null"}]}
    return {**schema, "title": title}


def told(models: dict[str, Schema]) -> None:
    """Puts the words for those who read into schemas by model name."""
    described(models)
    for name, schema in models.items():
        if name in REPLY_WORDS:
            schema["description"] = REPLY_WORDS[name]


def outgoing(type_: str, ref_template: str = "#/$defs/{model}") -> Schema:
    """The schema of one outgoing event."""
    schema = OUTGOING[type_].model_json_schema(mode="serialization", ref_template=ref_template)
    told(schema["$defs"])
    return {**schema, "title": type_, "description": OUTGOING_WORDS.get(type_, type_)}


def _schemas() -> Iterator[tuple[str, Schema]]:
    yield "event.schema.json", json_schema()
    for type_, data in DATA.items():
        name, words = WORDS[type_]
        yield f"data/{type_}.schema.json", _plain(data, "validation", title=f"{type_} 的 data：{name}", words=words)
    for type_ in OUTGOING:
        yield f"outgoing/{type_}.schema.json", outgoing(type_)
    for name, model in _REPLIES.items():
        yield f"replies/{name}.schema.json", _plain(model, "serialization", words=REPLY_WORDS[model.__name__])
    for name, (model, title) in _FILES.items():
        yield f"files/{name}.schema.json", file_schema(model, title)


def _plain(model: type[BaseModel], mode: JsonSchemaMode, *, words: str, title: str = "") -> Schema:
    schema = model.model_json_schema(mode=mode)
    told(schema.get("$defs", {}))
    return {**schema, "title": title or schema["title"], "description": words}


def _nullable(field: Schema) -> bool:
    return field.get("type") == "null" or any(b.get("type") == "null" for b in field.get("anyOf", ()))
