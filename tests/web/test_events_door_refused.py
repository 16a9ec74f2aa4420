"""Whole-request errors of the door: which status, in which order, with which words."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import timedelta

import pytest
from door import BATCH, STRUCTURED, open_door, problem

from sla_service.store import sources, tables

GZIP = {"Content-Encoding": "gzip"}
GARBAGE = b"<xml/>"
FOREIGN = json.dumps({"specversion": "1.0", "id": "x", "source": "other", "type": "?"}).encode()

# Every row is wrong from its column on to the right: the contract's order 401, 413, 415, 400, 403, 422 decides.
ORDER = [
    # status  key       body                       media
    (401, "sla_0_wrong", b" " * 3000 + GARBAGE, "text/xml"),
    (413, "", b" " * 3000 + GARBAGE, "text/xml"),
    (415, "", GARBAGE, "text/xml"),
    (400, "", GARBAGE, STRUCTURED),
    (403, "", FOREIGN, STRUCTURED),
    (422, "", FOREIGN.replace(b"other", b"hall"), STRUCTURED),
]


@pytest.mark.parametrize(("status", "key", "body", "media"), ORDER)
def test_of_several_things_wrong_the_first_in_the_contracts_order_is_named(sqlite_url, status, key, body, media):
    with open_door(sqlite_url, max_body_bytes=2048) as door:
        problem(door.post(body, media, key=key), status)


# -- 401 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic aGFsbDpoYWxs",
        "Bearer wrong",
        "Bearer sla_00_00",
        "Bearer sla_zz_" + "x" * 5000,
        "Bearer slä_1_2",
    ],
)
def test_without_the_right_key_nothing_is_taken(door, header):
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    response = door.client.post("/v1/events", content=json.dumps(door.accepted()), headers=headers)
    problem(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert door.rows(tables.inbox) == door.rows(tables.kept) == []


def test_a_key_with_its_last_character_changed_is_wrong(door):
    wrong = door.key[:-1] + ("A" if door.key[-1] != "A" else "B")
    problem(door.post(door.accepted(), key=wrong), 401)


def test_the_scheme_is_read_in_any_case(lite):
    response = lite.client.post(
        "/v1/events",
        content=json.dumps(lite.accepted()),
        headers={"Authorization": f"bearer  {lite.key}", "Content-Type": STRUCTURED},
    )
    assert response.status_code == 200


def test_a_key_that_has_expired_is_wrong_and_its_use_is_noted(door):
    assert door.post(door.accepted("A")).status_code == 200
    door.client.api.state.web.committer.close()  # what it had left to do is done
    [row] = door.rows(tables.source_keys)
    assert row["last_used_at"] == door.hall.now
    with door.hall.app.db.write() as conn:
        sources.expire_keys(conn, "hall", at=door.hall.now + timedelta(hours=1))
    door.hall.now += timedelta(hours=2)
    door.client.api.state.web.keys._right.clear()  # three seconds later
    problem(door.post(door.accepted("B")), 401)


# -- 429 ------------------------------------------------------------------------------------------------------------


def test_more_requests_a_minute_than_allowed_are_429_with_retry_after(sqlite_url):
    with open_door(sqlite_url, rate_requests=5) as door:
        taken = [door.post(door.accepted(f"N{i}")).status_code for i in range(5)]
        response = door.get("/v1/cases")
        problem(response, 429)
        assert taken == [200] * 5
        assert 1 <= int(response.headers["retry-after"]) <= 12
        other = door.new_source("other")
        assert door.get("/v1/cases", key=other).status_code == 200, "each key counts for itself"


def test_an_address_that_guesses_keys_is_429_but_a_key_that_was_right_still_works_there(sqlite_url):
    with open_door(sqlite_url, rate_failures=4) as door:
        assert door.post(door.accepted("A")).status_code == 200
        guesses = [door.get("/v1/cases", key=f"sla_0a_{i}").status_code for i in range(6)]
        assert guesses == [401] * 4 + [429] * 2
        response = door.get("/v1/cases", key=None)
        problem(response, 429)
        assert int(response.headers["retry-after"]) >= 1
        door.client.api.state.web.keys._right.clear()  # not even remembered just now
        assert door.post(door.accepted("B")).status_code == 200


# -- 413 ------------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_413_whether_announced_or_not(sqlite_url):
    with open_door(sqlite_url, max_body_bytes=4096) as door:
        event = door.accepted(title="长" * 400)
        assert door.post(event).status_code == 200
        large = json.dumps({**event, "more": "x" * 4096}).encode()
        problem(door.post(large), 413)

        async def pieces():
            for at in range(0, len(large), 500):
                yield large[at : at + 500]

        response = door.client.post("/v1/events", content=pieces(), headers=door.headers(Content_Type=STRUCTURED))
        problem(response, 413)


def test_a_gzip_bomb_is_413_and_costs_no_more_than_the_limit(sqlite_url):
    with open_door(sqlite_url, max_body_bytes=65536) as door:
        bomb = gzip.compress(b" " * 50_000_000)
        assert len(bomb) < 65536
        problem(door.post(bomb, headers=GZIP), 413)


# -- 415 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "headers"),
    [
        (None, {}),
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/cloudevents+xml", {}),
        ("application/vnd.api+json", {}),
        ("text/xml", {"ce-id": "1", "ce-specversion": "1.0"}),
        ("application/json; charset=gbk", {}),
        (STRUCTURED, {"Content-Encoding": "br"}),
        (STRUCTURED, {"Content-Encoding": "gzip, gzip"}),
    ],
)
def test_other_media_types_and_codings_are_415(lite, media, headers):
    problem(lite.post(lite.accepted(), media, headers=headers), 415)


def test_an_unknown_coding_is_told_which_one_is_known(lite):
    assert lite.post(b"", headers={"Content-Encoding": "zstd"}).headers["accept-encoding"] == "gzip"


# -- 400 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1,]", b'{"a": NaN}', b"{} {}", b"\xff\xfe{}", "受理".encode("gb18030"), b"[" * 100_000, b"1" * 5000],
)
def test_what_is_not_json_is_400(lite, body):
    problem(lite.post(body, "application/json"), 400)


@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip",
        gzip.compress(b"{}" * 100)[:-9],
        gzip.compress(b"{}") + b"rest",
        zlib.compress(b"{}"),
        gzip.compress(b"{}")[:-4] + b"0000",
    ],
    ids=["no gzip", "cut off", "with a rest", "zlib", "wrong length"],  # a packed body holds the time
)
def test_a_broken_gzip_body_is_400(lite, packed):
    assert "gzip" in problem(lite.post(packed, headers=GZIP), 400)["detail"]


# -- 403 and 422 ----------------------------------------------------------------------------------------------------


def test_an_event_of_another_source_is_403_and_kept_under_the_key_it_came_with(door):
    door.new_source("other")
    found = problem(door.post({**door.accepted(), "source": "other"}), 403)
    assert found["field"] == "source"
    assert door.rows(tables.inbox) == []
    assert [k["source"] for k in door.rows(tables.kept)] == ["hall"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"source": ""}, "source"),
        ({"source": 7}, "source"),
        ({"type": "case.opened"}, "type"),
        ({"subject": " BBC"}, "subject"),
        ({"time": "2026-11-20T10:12:00"}, "time"),
        ({"time": "2026-11-20T10:30:00+08:00"}, "time"),  # eighteen minutes ahead
        ({"data": []}, "data"),
        ({"data": {"kind": "urgent"}}, "data.kind"),
        ({"data": {"handler": "a\x00b"}}, "data.handler"),
        ({"data": {"handler": 5}}, "data.handler"),
        ({"data": {"applicant": {"name": 5}}}, "data.applicant.name"),
    ],
)
def test_a_single_event_that_does_not_fit_is_422_and_names_the_field(lite, change, field):
    found = problem(lite.post({**lite.accepted(), **change}), 422)
    assert found["field"] == field
    assert field.rpartition(".")[2] in found["detail"]


def test_a_batch_that_is_no_array_is_422(lite):
    assert "数组" in problem(lite.post(lite.accepted(), BATCH), 422)["detail"]


def test_a_corrected_body_is_taken_under_the_same_id(door):
    problem(door.post({**door.accepted(), "data": {"kind": "urgent"}}), 422)
    assert door.post(door.accepted()).json()["results"][0]["status"] == "applied"


def test_dry_run_is_true_or_false(lite):
    assert problem(lite.post(lite.accepted(), params={"dry_run": "maybe"}), 422)["field"] == "dry_run"
    assert lite.post(lite.accepted(), params={"dry_run": "false"}).status_code == 200
    assert len(lite.rows(tables.inbox)) == 1


# -- 404, 405 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/v1/events/", "/v1/cases/", "/x"])
def test_unknown_addresses_are_404(lite, path):
    problem(lite.get(path), 404)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/events"), ("POST", "/v1/cases"), ("DELETE", "/healthz")])
def test_other_methods_are_405_and_told_which_ones_do(lite, method, path):
    response = lite.client.request(method, path)
    problem(response, 405)
    assert response.headers["allow"]


# -- bodies elsewhere -----------------------------------------------------------------------------------------------

ACK = "/v1/cases/hall/BBC-1/ack"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        ("张三".encode("gb18030"), 400),
        (b"[]", 422),
        (b"{}", 422),
        (b"x" * 70_000, 413),
        (b" " * 70_000, 413),
    ],
)
def test_other_routes_take_a_small_json_body_and_name_what_is_wrong(lite, body, status):
    headers = lite.headers(Content_Type="application/json")
    problem(lite.client.post(ACK, content=body, headers=headers), status)
