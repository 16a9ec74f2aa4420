"""``POST /v1/events``: what gets in, in which form, and what is kept."""

from __future__ import annotations

import gzip
import json

import pytest
from door import BATCH, STRUCTURED, problem

from sla_service.store import tables


def test_an_event_is_answered_with_the_case_and_its_due_date(door):
    response = door.post(door.accepted(title="诊所名称核准", handler="zhangsan", department="社会事务科"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    [result] = response.json()["results"]
    assert result["id"] == "accepted/BBC-1"
    assert result["status"] == "applied"
    case = result["case"]
    assert (case["state"], case["light"], case["due_on"], case["remaining_days"]) == (
        "running",
        "green",
        "2026-11-25",
        3,
    )
    assert case["due_at"] == "2026-11-25T17:30:00+08:00"
    assert case["findings"] == []


def test_sent_again_it_is_a_duplicate_and_with_other_content_a_conflict(door):
    first = door.accepted()
    statuses = [door.post(e).json()["results"][0]["status"] for e in (first, first, {**first, "data": {}})]
    assert statuses == ["applied", "duplicate", "conflict"]


def test_single_events_that_wait_or_are_rejected_are_200_with_their_status(door):
    waiting = door.post(door.hall.event("case.signed", no="BBC-9"))
    door.post(door.accepted())
    rejected = door.post(door.hall.event("case.resumed"))
    assert [r.status_code for r in (waiting, rejected)] == [200, 200]
    assert waiting.json()["results"][0]["status"] == "waiting"
    assert "case" not in waiting.json()["results"][0]
    [result] = rejected.json()["results"]
    assert result["status"] == "rejected"
    assert "办理中" in result["problem"]
    assert result["case"]["state"] == "running"


def test_a_batch_is_not_refused_for_a_bad_event_or_one_of_another_source(door):
    door.new_source("other")
    good, bad, foreign = door.accepted("A"), {**door.accepted("B"), "data": {"kind": "urgent"}}, door.accepted("C")
    foreign["source"] = "other"
    response = door.post([good, bad, foreign, 17, door.accepted("D")], BATCH)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [r["status"] for r in results] == ["applied", "invalid", "invalid", "invalid", "applied"]
    assert [r["id"] for r in results] == ["accepted/A", "accepted/B", "accepted/C", None, "accepted/D"]
    assert "data.kind" in results[1]["problem"]
    assert "密钥" in results[2]["problem"]
    assert "case" not in results[1]
    kept = door.rows(tables.kept)
    assert [k["source"] for k in kept] == ["hall"] * 3, "kept under whose key they came with, not whom they name"


def test_results_show_the_state_after_the_batch(door):
    closing = door.hall.event("case.closed", outcome="resolved", replied_at="2026-11-20")
    results = door.post([closing, door.accepted()], BATCH).json()["results"]
    assert [r["status"] for r in results] == ["applied", "applied"]
    assert {r["case"]["state"] for r in results} == {"closed"}


@pytest.mark.parametrize("media", [BATCH, "application/json", "application/json; charset=UTF-8"])
def test_an_array_is_a_batch(lite, media):
    assert len(lite.post([lite.accepted("A"), lite.accepted("B")], media).json()["results"]) == 2


@pytest.mark.parametrize("media", [STRUCTURED, "application/json", "Application/CloudEvents+JSON;charset=utf-8"])
def test_an_object_is_an_event(lite, media):
    assert lite.post(lite.accepted(), media).json()["results"][0]["status"] == "applied"


def test_an_empty_batch_is_answered_with_no_results(lite):
    assert lite.post([], BATCH).json() == {"results": []}


def test_a_batch_of_a_thousand_is_taken_and_one_more_is_not(lite):
    events = [lite.accepted(f"N{i}") for i in range(1001)]
    problem(lite.post(events, BATCH), 413)
    response = lite.post(events[:1000], BATCH)
    assert {r["status"] for r in response.json()["results"]} == {"applied"}
    assert len(lite.rows(tables.cases)) == 1000


# -- binary mode ----------------------------------------------------------------------------------------------------


def binary(event):
    names = ("specversion", "id", "source", "type", "subject", "time")
    return {f"ce-{name}": event[name] for name in names if name in event}


def test_binary_mode_has_attributes_in_headers_and_data_in_the_body(door):
    event = door.accepted("〔2026〕3号/甲")
    headers = binary(event) | {
        "ce-id": "accepted%2F%E7%94%B2",
        "ce-subject": "%E3%80%942026%E3%80%953%E5%8F%B7%2F%E7%94%B2",
        "ce-traceparent": "00-abc",
    }
    response = door.post(event["data"], "application/json", headers=headers)
    [result] = response.json()["results"]
    assert (result["id"], result["case"]["no"]) == ("accepted/甲", "〔2026〕3号/甲")
    assert door.post({**event, "id": "accepted/甲"}).json()["results"][0]["status"] == "duplicate"


def test_binary_mode_without_a_body_is_an_event_without_data(lite):
    lite.post(lite.accepted())
    response = lite.post(b"", None, headers=binary(lite.hall.event("case.signed")))
    assert response.json()["results"][0]["status"] == "applied"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ('"a b"', "a b"),
        (r'"a\"b"', 'a"b'),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("100%25", "100%"),
        ("50%", "50%"),  # not an escape, so it stands for itself
    ],
)
def test_header_values_are_unquoted_then_percent_decoded(lite, value, meant):
    event = lite.accepted()
    response = lite.post(event["data"], "application/json", headers=binary(event) | {"ce-subject": value})
    assert response.json()["results"][0]["case"]["no"] == meant


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ce-subject": "%FF%FE"}, "subject"),
        ({"ce-time": "2026-11-20 10:12"}, "time"),
        ({"ce-specversion": "0.3"}, "specversion"),
        ({"ce-type": "case.opened"}, "type"),
    ],
)
def test_a_wrong_header_is_named_and_the_event_kept(lite, change, field):
    event = lite.accepted()
    response = lite.post(event["data"], "application/json", headers=binary(event) | change)
    assert problem(response, 422)["field"] == field
    assert len(lite.rows(tables.kept)) == 1


def test_an_attribute_written_twice_is_refused(lite):
    event = lite.accepted()
    pairs = [*lite.headers(**binary(event)).items(), ("ce-id", "e-2"), ("Content-Type", "application/json")]
    response = lite.client.post("/v1/events", content=json.dumps(event["data"]), headers=pairs)
    assert problem(response, 422)["field"] == "id"


# -- gzip -----------------------------------------------------------------------------------------------------------


def test_a_gzip_body_is_unpacked(door):
    packed = gzip.compress(json.dumps([door.accepted("A"), door.accepted("B")]).encode())
    results = door.post(packed, BATCH, headers={"Content-Encoding": "gzip"}).json()["results"]
    assert [r["status"] for r in results] == ["applied", "applied"]


def test_a_gzip_body_of_several_members_is_one_body(lite):
    text = json.dumps(lite.accepted()).encode()
    packed = gzip.compress(text[:40]) + gzip.compress(text[40:])
    assert lite.post(packed, headers={"Content-Encoding": "x-gzip"}).json()["results"][0]["status"] == "applied"


# -- dry run --------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_as_in_earnest_and_keeps_nothing(door):
    door.post(door.accepted("OLD"))
    before = {t.name: door.rows(t) for t in (tables.inbox, tables.cases, tables.clocks, tables.kept, tables.messages)}
    one = door.post(door.accepted(), params={"dry_run": "true"})
    assert one.json()["results"][0]["case"]["due_on"] == "2026-11-25"
    again = door.post([door.accepted("OLD"), door.accepted("NEW"), {}], BATCH, params={"dry_run": "1"})
    assert [r["status"] for r in again.json()["results"]] == ["duplicate", "applied", "invalid"]
    problem(door.post({**door.accepted(), "time": "x"}, params={"dry_run": "true"}), 422)
    problem(door.post(b"{", params={"dry_run": "true"}), 400)
    after = {t.name: door.rows(t) for t in (tables.inbox, tables.cases, tables.clocks, tables.kept, tables.messages)}
    assert after == before


# -- nothing that came in with a valid key is lost -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"specversion": "1.0", "id": "x1"', 400),
        ("受理".encode("gb18030"), 400),
        (b'{"specversion": "1.0", "id": "x1", "data": "\\u0000"}', 422),
        (b'{"specversion": "1.0", "id": "\\ud800"}', 422),
        (b"[]", 422),  # an array is no structured event
        (b"null", 422),
        (b'{"specversion": "1.0", "id": "x1", "source": "other"}', 403),
    ],
)
def test_what_does_not_fit_is_kept_with_its_raw_body(door, body, status):
    problem(door.post(body), status)
    [kept] = door.rows(tables.kept)
    assert (kept["status"], kept["source"], kept["door"]) == ("invalid", "hall", "http")
    assert kept["raw"]
    assert kept["problem"]


def test_a_lone_surrogate_in_an_id_comes_back_as_the_escape_that_it_came_as(lite):
    response = lite.post(b'[{"specversion": "1.0", "id": "a\\ud800"}]', BATCH)
    assert response.status_code == 200
    assert rb'"id":"a\ud800"' in response.content
