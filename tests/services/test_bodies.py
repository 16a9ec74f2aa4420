"""What came in can be put together again: every attribute, unknown ones too, with its door and its time."""

from __future__ import annotations

import copy
import json

import pytest
from story import story

from sla_service.services import bodies, intake
from sla_service.store import tables


@pytest.fixture
def hall(db_url):
    with story(db_url, "2026-11-20 10:12") as made:
        yield made


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"traceparent": "00-ab-cd-01", "sequence": 7, "flag": True},
        {"time": "2026-11-20T02:12:00Z"},
        {"time": "2026-11-20T10:11:59.123456+08:00"},
        {"datacontenttype": "application/json", "dataschema": "urn:x"},
        {"data": {"kind": "simple", "unknown": {"deep": [1, 2.5, None, "字"]}}},
        {"odd": "a\u0000b", "alone": "\ud800"},
        {"data": {"kind": "simple"}, "nested": {"a": [{"b": None}]}},
    ],
)
def test_a_body_is_kept_as_it_came(hall, more):
    sent = {**hall.event("case.accepted", no="〔2026〕3号", kind="simple"), **more}
    read = intake.read(copy.deepcopy(sent), now=hall.now)
    (result,) = intake.receive(hall.app, [read], now=hall.now, door="http")
    assert result.status == "applied"
    (row,) = hall.rows(tables.inbox)
    assert bodies.body(row) == sent
    assert (row["door"], row["source"], row["received_at"], row["status"]) == ("http", "hall", hall.now, "applied")


def test_endless_nesting_in_an_attribute_that_nobody_uses_spoils_nothing(hall):
    deep: object = None
    for _ in range(900):
        deep = [deep]
    sent = {**hall.event("case.accepted", kind="simple"), "deep": deep}
    (result,) = hall.send(sent)
    assert result["status"] == "applied"
    (row,) = hall.rows(tables.inbox)
    assert "deep" in bodies.body(row)


def test_a_rejected_body_that_was_corrected_is_kept_whole(hall):
    hall.says("case.accepted", kind="simple")
    wrong = {**hall.event("case.resumed", event_id="r"), "trace": "x"}
    hall.send(wrong)
    hall.send({**hall.event("case.progressed", event_id="r", text="好")})
    (kept,) = hall.rows(tables.kept)
    assert json.loads(kept["raw"]) == wrong
