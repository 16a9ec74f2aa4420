"""The contracts as files: in step with the code, valid by their own standards, and true of what is really sent."""

from __future__ import annotations

import copy
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from event_samples import FULL, NOW, event
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from schemas import json_schemas
from schemas.event_data import DATA
from schemas.event_envelope import EXAMPLE
from schemas.events import InvalidEvent, parse
from schemas.outgoing import OUTGOING
from schemas.version import CONTRACT
from sla_service.cli import openapi as command

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"
FILES = {path: json.loads(text) for path, text in command._files()}
SCHEMAS = {path: schema for path, schema in FILES.items() if path.endswith(".schema.json")}
ASYNC = FILES["asyncapi.json"]
REFUSED = [
    event(specversion="0.3"),
    event(id=""),
    event(id=" e"),
    event(time="2026-11-20T10:12:00"),
    event(type="case.unknown"),
    event(subject=...),
    event("case.closed", {"outcome": "done"}),
    event("case.closed", {}),
    event("case.assigned", {}),
    event("case.extended", {"limit_days": 0}),
    event("case.extended", {"limit_days": "15"}),
    event("case.paused", {"reason": "hearing", "expected_until": "next week"}),
    event("visit.answered", {"count": -1}),
    event("event.voided", {}),
]


def fits(path: str, body: Any) -> bool:
    return Draft202012Validator(SCHEMAS[path], format_checker=FormatChecker()).is_valid(body)


def parses(raw: Any) -> bool:
    try:
        parse(raw, now=NOW)
    except InvalidEvent:
        return False
    return True


# -- in step ----------------------------------------------------------------------------------------------------------


def test_the_checked_in_contracts_are_those_of_the_code() -> None:
    held = {p.relative_to(CONTRACTS).as_posix() for p in CONTRACTS.rglob("*.json")}
    assert held == FILES.keys(), "./sla schemas docs/contracts"
    stale = [path for path, text in command._files() if (CONTRACTS / path).read_text("utf-8") != text]
    assert not stale, "./sla schemas docs/contracts"


def test_they_come_out_the_same_each_time() -> None:
    assert dict(command._files()) == dict(command._files())


def test_the_version_of_the_contract_stands_in_each_of_them() -> None:
    assert FILES["openapi.json"]["info"]["version"] == ASYNC["info"]["version"] == CONTRACT
    assert {s["$id"].split(":")[2] for s in SCHEMAS.values()} == {CONTRACT.split(".")[0]}
    assert len({s["$id"] for s in SCHEMAS.values()}) == len(SCHEMAS)


# -- JSON Schemas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_schema_is_one_and_its_references_and_examples_hold(path: str) -> None:
    schema = SCHEMAS[path]
    Draft202012Validator.check_schema(schema)
    for name in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(schema)):
        assert name in schema["$defs"]
    assert all(fits(path, example) for example in schema.get("examples", ()))


@pytest.mark.parametrize("type_", DATA)
def test_each_events_data_is_described_field_by_field_and_takes_what_is_really_sent(type_: str) -> None:
    path = f"data/{type_}.schema.json"
    assert len(SCHEMAS[path]["description"]) > 5
    for name, field in SCHEMAS[path]["properties"].items():
        assert field.get("description"), f"{type_}: {name}"
    for data in FULL[type_]:
        assert fits(path, data)
        assert fits("event.schema.json", event(type_, data))
        assert parses(event(type_, data))


@pytest.mark.parametrize("raw", REFUSED, ids=lambda raw: f"{raw['type']} {raw.get('data')}")
def test_what_the_door_refuses_does_not_fit_the_schema(raw: dict[str, Any]) -> None:
    assert not parses(raw)
    assert not fits("event.schema.json", raw)


def test_every_outgoing_event_has_a_schema_that_its_example_fits() -> None:
    for type_ in OUTGOING:
        schema = SCHEMAS[f"outgoing/{type_}.schema.json"]
        assert schema["properties"]["type"]["const"] == type_
        assert schema["examples"]


@pytest.mark.parametrize("name", ["policy", "directory", "channels"])
def test_editors_find_nothing_wrong_with_the_shipped_files(name: str) -> None:
    text = resources.files("sla_service.services.defaults").joinpath(f"{name}.yaml").read_text("utf-8")
    # As YAML 1.2 editors read it: a date is text.
    content = json.loads(json.dumps(yaml.safe_load(text), default=str))
    assert fits(f"files/{name}.schema.json", content)


def test_editors_find_what_is_wrong_in_a_file() -> None:
    mapping = {"columns": {"no": "编号", "accepted": "受理"}, "time_zone": "+08:00", "replied": "closed"}
    assert fits("files/register-map.schema.json", mapping)
    assert not fits("files/register-map.schema.json", {**mapping, "replied": "sometimes"})
    assert not fits("files/register-map.schema.json", {**mapping, "colums": {}})
    assert not fits("files/channels.schema.json", {"channels": {}})


# -- OpenAPI and AsyncAPI ---------------------------------------------------------------------------------------------


def test_the_openapi_document_is_valid_openapi() -> None:
    document = copy.deepcopy(FILES["openapi.json"])
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_asyncapi_document_has_the_parts_that_asyncapi_3_asks_for() -> None:
    """The structure of the specification, section by section; no validator of it comes as a package."""
    assert ASYNC["asyncapi"] == "3.0.0"
    assert ASYNC["info"].keys() >= {"title", "version"}
    assert ASYNC.keys() <= {
        "asyncapi",
        "id",
        "info",
        "servers",
        "defaultContentType",
        "channels",
        "operations",
        "components",
    }
    for server in ASYNC["servers"].values():
        assert server.keys() >= {"host", "protocol"}
        assert set(re.findall(r"\{(\w+)\}", server["host"])) == server["variables"].keys()
    for channel in ASYNC["channels"].values():
        assert channel["messages"]
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == channel.get("parameters", {}).keys()
    for operation in ASYNC["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")
    names = [
        *ASYNC["channels"],
        *ASYNC["operations"],
        *ASYNC["components"]["messages"],
        *ASYNC["components"]["schemas"],
    ]
    assert all(re.fullmatch(r"[\w.-]+", name) for name in names)


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    for ref in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(ASYNC))):
        found: Any = ASYNC
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]


def test_payloads_in_asyncapi_are_json_schemas_that_take_what_is_really_sent() -> None:
    def payload(name: str) -> Any:
        return {**ASYNC["components"]["messages"][name]["payload"], "components": ASYNC["components"]}

    for name, message in ASYNC["components"]["messages"].items():
        Draft7Validator.check_schema(payload(name))
        for example in message.get("examples", ()):
            Draft7Validator(payload(name)).validate(example["payload"])
    Draft7Validator(payload("IngestTask")).validate([[[EXAMPLE, EXAMPLE]], {}, {"callbacks": None}])
    assert not Draft7Validator(payload("IngestTask")).is_valid([[{"id": "1"}], {}, {}])
    assert not Draft7Validator(payload("StreamEntry")).is_valid({"events": "{}"})


def test_the_stream_and_the_task_are_called_there_what_they_are_called_in_the_code() -> None:
    from sla_service.services import streams

    channels = ASYNC["channels"]
    assert (channels["events"]["address"], channels["dead"]["address"]) == (streams.STREAM, streams.DEAD)
    headers = ASYNC["components"]["messages"]["IngestTask"]["headers"]
    assert headers["properties"]["task"]["const"] == "sla.ingest"


def test_a_field_of_a_file_that_is_left_empty_counts_as_left_out() -> None:
    schema = json_schemas.documents()["files/directory.schema.json"]
    assert Draft202012Validator(schema).is_valid({"people": None, "absences": None})
