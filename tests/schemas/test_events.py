"""Events at the border: what is taken, and what counts as the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from event_samples import FULL, NOW, event
from hypothesis import given
from hypothesis import strategies as st

from schemas.event_data import DATA
from schemas.event_envelope import EVENT, EXAMPLE, json_schema
from schemas.events import InvalidEvent, ParsedEvent, parse, parse_json


def test_the_contracts_example_is_taken_as_it_stands() -> None:
    parsed = parse(EXAMPLE, now=NOW)
    assert parsed[:4] == ("hall", "e-1", "case.accepted", "BBC-2026-0001")
    assert parsed.time == datetime(2026, 11, 20, 2, 12, tzinfo=UTC)
    assert parsed.data == EXAMPLE["data"]
    assert len(parsed.content) == 64


def test_the_table_of_types_is_the_domains() -> None:
    from sla_service.domain.events import TYPES

    assert tuple(DATA) == TYPES


@pytest.mark.parametrize("type_", DATA)
def test_each_type_is_taken_with_its_least_and_with_all_its_data(type_: str) -> None:
    for data in FULL[type_]:
        assert parse(event(type_, data), now=NOW).data == data


@pytest.mark.parametrize("type_", DATA)
def test_null_means_left_out_and_unknown_fields_are_kept(type_: str) -> None:
    least, full = FULL[type_]
    nulls = {name: None for name in full if name not in least}
    data = {**nulls, **least, "window_no": 3, "extra": {"深": [1, {"x": None}]}}
    assert parse(event(type_, data), now=NOW).data == data


@pytest.mark.parametrize(
    "over",
    [
        {"datacontenttype": "application/json", "dataschema": "https://example.com/s"},
        {"traceparent": "00-4bf9", "sequence": 7},
        {"time": "2026-11-20T02:12:00Z"},
        {"time": "2026-11-20T02:12:00.123456789Z"},
        {"time": "2000-01-01T00:00:00+08:00"},
        {"time": "2026-11-20T10:40:00+08:00"},  # ten minutes ahead exactly
        {"id": "x" * 200, "subject": "〔2026〕3号/甲 乙"},
        {"data": ...},
        {"data": None},
    ],
)
def test_what_cloudevents_allows_is_allowed(over: dict[str, object]) -> None:
    assert isinstance(parse(event(**over), now=NOW), ParsedEvent)


def test_a_visit_needs_no_case_number() -> None:
    assert parse(event("visit.answered", subject=...), now=NOW).subject == ""
    assert parse(event("visit.answered", subject=""), now=NOW).subject == ""


def test_simulations_take_any_time() -> None:
    assert parse(event(time="2031-01-01T09:00:00+08:00"), now=NOW, allow_future=True).time.year == 2031


def test_a_backslash_before_u0000_is_just_text() -> None:
    assert parse(event("case.urged", {"text": r"C:\u0000"}), now=NOW).data == {"text": r"C:\u0000"}


def content(raw: dict[str, Any]) -> str:
    return parse(parse_json(json.dumps(raw)), now=NOW).content


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"data": {"x": 1, "y": 2}}, {"data": {"y": 2, "x": 1}}),
        ({"data": {"x": 1}}, {"data": {"x": 1.0}}),
        ({"data": {"x": [0, {"z": 1e22}]}}, {"data": {"x": [-0.0, {"z": 10**22}]}}),
        ({"data": {"limit_days": 15}}, {"data": {"limit_days": 15.0}}),
        ({"data": {}}, {"data": ...}),
        ({"time": "2026-11-20T10:12:00+08:00"}, {"time": "2026-11-20T02:12:00.000Z"}),
        ({"id": "e-1"}, {"id": "e-2"}),
        ({}, {"datacontenttype": "application/json", "traceparent": "x"}),
    ],
)
def test_equal_json_values_are_the_same_content(a: dict[str, object], b: dict[str, object]) -> None:
    assert content(event(**a)) == content(event(**b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"data": {"x": 1}}, {"data": {"x": True}}),
        ({"data": {"x": 1}}, {"data": {"x": "1"}}),
        ({"data": {"x": None}}, {"data": {}}),
        ({"data": {"x": [1, 2]}}, {"data": {"x": [2, 1]}}),
        ({"data": {"x": 0.1}}, {"data": {"x": 0.2}}),
        ({"subject": "A"}, {"subject": "B"}),
        ({"type": "case.signed"}, {"type": "case.resumed"}),
        ({"time": "2026-11-20T10:12:00+08:00"}, {"time": "2026-11-20T10:12:00Z"}),
    ],
)
def test_different_json_values_are_different_content(a: dict[str, object], b: dict[str, object]) -> None:
    now = NOW + timedelta(days=1)
    first, second = (parse(event(**x), now=now).content for x in (a, b))
    assert first != second


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_names = sorted({name for _, full in FULL.values() for name in full})


@given(st.sampled_from(sorted(DATA)), st.dictionaries(st.sampled_from(_names) | st.text(max_size=5), _json, max_size=6))
def test_whatever_comes_is_taken_or_refused_by_name_and_can_be_stored(type_: str, data: dict[str, Any]) -> None:
    try:
        parsed = parse(event(type_, data), now=NOW)
    except InvalidEvent as refused:
        assert refused.field.startswith("data")  # noqa: PT017 (either way is right, but not with another field)
        refused.problem.encode()  # fit for an answer and a log
        return
    stored = json.dumps(parsed.data, allow_nan=False, ensure_ascii=False)
    stored.encode()
    again = parse(event(type_, json.loads(stored)), now=NOW)
    assert again.content == parsed.content


def test_the_documented_schema_takes_what_the_parser_takes() -> None:
    schema = json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for type_ in DATA:
        for data in FULL[type_]:
            assert not list(validator.iter_errors(event(type_, data))), type_
            EVENT.validate_python(event(type_, data))


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("case.accepted", {"kind": "urgent"}),
        ("case.assigned", {}),
        ("case.extended", {"reason": "x"}),
        ("case.paused", {}),
        ("case.closed", None),
        ("case.merged", {"into": " "}),
        ("case.paused", {"reason": "other", "expected_until": "tomorrow"}),
        ("visit.answered", {"count": -1}),
        ("no.such", {}),
    ],
)
def test_the_documented_schema_refuses_what_the_parser_refuses(type_: str, data: object) -> None:
    raw = event(type_, data if data is not None else ...)
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(raw))
    with pytest.raises(InvalidEvent):
        parse(raw, now=NOW)
