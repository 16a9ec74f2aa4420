"""Answers: the contract's case object, and what is left out of it when."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from schemas import replies
from schemas.replies import CASE_EXAMPLE, CaseOut, DueOut, ResultOut, ResultsOut


def plain(reply: replies.Reply) -> Any:
    return json.loads(reply.model_dump_json())


def test_the_case_object_is_the_contracts() -> None:
    assert plain(CaseOut.model_validate_json(json.dumps(CASE_EXAMPLE))) == CASE_EXAMPLE


def test_bounds_of_the_due_date_stand_only_where_it_is_provisional() -> None:
    case = {**CASE_EXAMPLE, "provisional": True, "due_earliest": "2027-01-04", "due_latest": "2027-01-06"}
    assert plain(CaseOut.model_validate_json(json.dumps(case))) == case
    assert "due_latest" not in plain(CaseOut.model_validate_json(json.dumps(CASE_EXAMPLE)))


def test_a_paused_case_says_null_and_not_nothing() -> None:
    paused = {
        **CASE_EXAMPLE,
        "state": "paused",
        "light": "grey",
        "due_on": None,
        "due_at": None,
        "remaining_days": None,
    }
    assert plain(CaseOut.model_validate_json(json.dumps(paused))) == paused


def test_a_result_without_a_case_has_none() -> None:
    assert plain(ResultOut(id="e-1", status="waiting")) == {"id": "e-1", "status": "waiting"}
    invalid = ResultOut(id=None, status="invalid", problem="id 要是非空的字符串，现在没有写。")
    assert plain(invalid) == {"id": None, "status": "invalid", "problem": "id 要是非空的字符串，现在没有写。"}


def test_a_due_date_for_a_number_of_days_has_no_kind() -> None:
    due = plain(DueOut(start=date(2026, 11, 20), days=3, due_on=date(2026, 11, 25), due_at=None))
    assert "kind" not in due
    assert due["start"] == "2026-11-20"


@pytest.mark.parametrize(
    "model", [m for m in vars(replies).values() if isinstance(m, type) and issubclass(m, replies.Reply)]
)
def test_every_reply_documents_itself_and_its_examples_fit(model: type[replies.Reply]) -> None:
    schema = model.model_json_schema(mode="serialization")
    assert schema["type"] == "object"
    if model is not replies.Reply:
        assert set(schema["properties"]) == {f.alias or name for name, f in model.model_fields.items()}
    for example in schema.get("examples", []):
        assert model.model_validate_json(json.dumps(example))


def test_the_example_of_the_answer_is_the_contracts() -> None:
    (example,) = ResultsOut.model_json_schema()["examples"]
    assert plain(ResultsOut.model_validate_json(json.dumps(example))) == example
