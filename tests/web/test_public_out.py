"""What is answered without a key: due dates, calendars, health, the contract itself."""

from __future__ import annotations

import json
import re

import pytest
from door import at, case_path, open_door, problem

from sla_service.store import engine, tables

# rules.md, worked pauses and reference table: start, days, pauses, due date, why the row is here
DUE = [
    ("2022-06-25", 3, [], "2022-06-29", "received on a Saturday"),
    ("2026-02-12", 15, [], "2026-03-11", "before Spring Festival"),
    ("2026-09-19", 10, [], "2026-10-09", "off, same as the Friday before"),
    ("2026-09-20", 15, [], "2026-10-16", "received on a make-up day"),
    ("2026-11-02T09:00:00+08:00", 3, [], "2026-11-05", "no pause"),
    (
        "2026-11-02T09:00:00+08:00",
        3,
        ["2026-11-03T10:00:00+08:00/2026-11-04T10:00:00+08:00"],
        "2026-11-06",
        "costs Tuesday",
    ),
    ("2026-11-02T09:00:00+08:00", 3, ["2026-11-03T10:00:00+08:00/2026-11-03T15:00:00+08:00"], "2026-11-05", "same day"),
    (
        "2026-11-02T09:00:00+08:00",
        3,
        ["2026-11-03T18:00:00+08:00/2026-11-04T09:00:00+08:00"],
        "2026-11-05",
        "overnight",
    ),
    (
        "2026-11-02T09:00:00+08:00",
        3,
        ["2026-11-07T10:00:00+08:00/2026-11-08T10:00:00+08:00"],
        "2026-11-05",
        "over already",
    ),
    (
        "2026-09-30T16:00:00+08:00",
        10,
        ["2026-10-01T09:00:00+08:00/2026-10-07T18:00:00+08:00"],
        "2026-10-20",
        "days off",
    ),
    (
        "2026-09-30T16:00:00+08:00",
        10,
        ["2026-10-09T09:00:00+08:00/2026-10-12T09:00:00+08:00"],
        "2026-10-22",
        "make-up day",
    ),
    (
        "2026-11-02",
        3,
        ["2026-11-04/2026-11-05", "2026-11-03/2026-11-04"],
        "2026-11-09",
        "two pauses in the wrong order, as plain dates",
    ),
    ("2026-11-02T23:30:00Z", 3, [], "2026-11-06", "already the 3rd in Beijing"),
]


@pytest.mark.parametrize(("start", "days", "pauses", "due_on", "why"), DUE, ids=[row[-1] for row in DUE])
def test_due_dates_are_those_of_the_reference(lite, start, days, pauses, due_on, why):
    found = lite.get("/v1/due", key=None, start=start, days=days, pause=pauses)
    assert found.status_code == 200, found.text
    assert found.json()["due_on"] == due_on
    assert found.json()["due_at"] == f"{due_on}T17:30:00+08:00"
    assert [d["n"] for d in found.json()["account"] if d["n"]] == list(range(1, days + 1))


@pytest.mark.parametrize(
    ("kind", "due_on"), [("simple", "2026-11-25"), ("complex", "2026-12-04"), ("special", "2026-12-11")]
)
def test_a_kind_has_the_limit_of_the_policy(lite, kind, due_on):
    found = lite.get("/v1/due", key=None, start="2026-11-20", kind=kind).json()
    assert (found["kind"], found["due_on"]) == (kind, due_on)


def test_the_plus_of_an_offset_may_have_become_a_blank(lite):
    path = "/v1/due?start=2026-11-20T10:12:00+08:00&days=3&pause=2026-11-23T10:00:00+08:00/2026-11-24T10:00:00+08:00"
    assert lite.get(path, key=None).json()["due_on"] == "2026-11-26"
    assert lite.get(path.replace("+", "%2B"), key=None).json()["due_on"] == "2026-11-26"


def test_a_pause_without_an_end_leaves_no_due_date(lite):
    found = lite.get("/v1/due", key=None, start="2026-11-02", days=3, pause="2026-11-03/").json()
    assert (found["due_on"], found["due_at"]) == (None, None)
    assert found["account"][-1]["state"] == "paused"


def test_a_date_beyond_the_notices_is_provisional_with_its_bounds(lite):
    found = lite.get("/v1/due", key=None, start="2026-12-25", days=10).json()
    assert found["provisional"]
    assert found["due_earliest"] <= found["due_on"] <= found["due_latest"]
    assert "due_earliest" not in lite.get("/v1/due", key=None, start="2026-11-20", days=3).json()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"start": "2026-11-20"}, "kind 和 days"),
        ({"start": "2026-11-20", "days": 3, "kind": "simple"}, "kind 和 days"),
        ({"days": 3}, "start 必填"),
        ({"start": "2026-11-20T10:12:00", "days": 3}, "start"),  # no offset
        ({"start": "2026-02-30", "days": 3}, "start"),
        ({"start": "20.11.2026", "days": 3}, "start"),
        ({"start": "2026-11-20", "days": 0}, "days"),
        ({"start": "2026-11-20", "days": 1001}, "days"),
        ({"start": "2026-11-20", "days": "three"}, "days"),
        ({"start": "2026-11-20", "days": 10**30}, "days"),
        ({"start": "2026-11-20", "kind": "urgent"}, "kind"),
        ({"start": "1999-01-01", "days": 3}, "日历"),
        ({"start": "2050-12-30", "days": 900}, "日历"),
        ({"start": "2026-11-20", "days": 3, "pause": "2026-11-23"}, "pause"),
        ({"start": "2026-11-20", "days": 3, "pause": "2026-11-24/2026-11-23"}, "早于开始"),
        ({"start": "2026-11-20", "days": 3, "pause": "/2026-11-23"}, "pause"),
    ],
)
def test_what_cannot_be_counted_is_422_with_one_sentence(lite, query, words):
    assert words in problem(lite.get("/v1/due", key=None, **query), 422)["detail"]


# -- calendar -------------------------------------------------------------------------------------------------------


def test_a_year_shows_what_differs_from_the_plain_week(lite):
    year = lite.get("/v1/calendar/2026", key=None).json()
    assert (year["year"], year["status"]) == (2026, "published")
    days = {d["date"]: d for d in year["days"]}
    assert (days["2026-10-10"]["kind"], days["2026-10-01"]["kind"]) == ("makeup", "holiday")
    assert days["2026-10-01"]["name"] == "国庆节"
    assert year["working_days"] == 248
    assert "chinese_calendar" in year["source"]


@pytest.mark.parametrize(("year", "status"), [(2027, "projected"), (2019, "amended")])
def test_a_year_says_how_far_it_can_be_relied_on(lite, year, status):
    assert lite.get(f"/v1/calendar/{year}", key=None).json()["status"] == status


@pytest.mark.parametrize(("year", "status"), [("1999", 404), ("2051", 404), ("0", 404), ("next", 422), ("9" * 30, 404)])
def test_other_years_are_refused(lite, year, status):
    problem(lite.get(f"/v1/calendar/{year}", key=None), status)


# -- health ---------------------------------------------------------------------------------------------------------


def test_alive_and_ready(door):
    assert door.get("/healthz", key=None).json() == {"status": "ok"}
    assert door.get("/readyz", key=None).json() == {"status": "ok"}


def test_not_ready_on_a_database_of_another_version(door):
    with door.hall.app.db.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    response = door.get("/readyz", key=None)
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")
    assert engine.HEAD in response.json()["problem"]
    assert door.get("/healthz", key=None).status_code == 200


def test_with_the_database_away_it_is_503_everywhere_and_nothing_is_half_done(door):
    door.post(door.accepted("A"))
    away = door.hall.app.db
    closed = engine.Database("postgresql://127.0.0.1:1/gone?connect_timeout=1")
    door.hall.app.db = closed
    refused = [
        door.post(door.accepted("B")),
        door.post([door.accepted("C")], "application/cloudevents-batch+json"),
        door.post(b"{"),
        door.get("/v1/cases"),
        door.get(case_path("A", "explain")),
        door.get("/v1/cases", key="sla_0a_unknown"),
    ]
    for response in refused:
        problem(response, 503)
        assert int(response.headers["retry-after"]) >= 1
    assert door.get("/readyz", key=None).status_code == 503
    assert door.client.get("/", headers={"Accept": "text/html"}).status_code == 503
    assert door.get("/v1/due", key=None, start="2026-11-20", days=3).status_code == 200
    closed.dispose()
    door.hall.app.db = away
    assert [r["no"] for r in door.rows(tables.cases)] == ["A"]
    assert door.post(door.accepted("B")).status_code == 200, "and it goes on where it was"


# -- the contract ---------------------------------------------------------------------------------------------------

ROUTES = {
    "/v1/events": "post",
    "/v1/cases": "get",
    "/v1/cases/{source}/{no}": "get",
    "/v1/cases/{source}/{no}/timeline": "get",
    "/v1/cases/{source}/{no}/explain": "get",
    "/v1/cases/{source}/{no}/ack": "post",
    "/v1/notifications": "get",
    "/v1/webhook": "delete get put",
    "/v1/webhook/secret": "post",
    "/v1/receipts/{channel}": "post",
    "/v1/due": "get",
    "/v1/calendar/{year}": "get",
    "/v1/stats": "get",
    "/feeds/{token}.ics": "get",
    "/healthz": "get",
    "/readyz": "get",
    "/metrics": "get",
}


def test_openapi_describes_every_route_with_examples_and_problem_documents(lite):
    document = lite.get("/openapi.json", key=None).json()
    assert document["openapi"].startswith("3.1")
    assert {path: " ".join(sorted(methods)) for path, methods in document["paths"].items()} == ROUTES
    for path, operation in ((p, o) for p, methods in document["paths"].items() for o in methods.values()):
        assert operation["summary"], path
        for media, good in operation["responses"].get("200", {}).get("content", {}).items():  # a DELETE says nothing
            if media == "application/json":
                assert good["example"], path
                assert "$ref" in good["schema"], path
            else:  # figures and calendars are texts of forms of their own
                assert path in ("/metrics", "/feeds/{token}.ics")
        for status, response in operation["responses"].items():
            if int(status) >= 400 and path != "/readyz":
                assert response["content"]["application/problem+json"]["example"]["status"] == int(status)
        locked = ("/v1/events", "/v1/cases", "/v1/notifications", "/v1/webhook", "/v1/stats")
        assert bool(operation.get("security")) == path.startswith(locked)
    door_statuses = set(document["paths"]["/v1/events"]["post"]["responses"])
    assert door_statuses == {"200", "400", "401", "403", "408", "413", "415", "422", "429", "503"}


def test_every_reference_in_openapi_leads_somewhere(lite):
    text = lite.get("/openapi.json", key=None).text
    schemas = json.loads(text)["components"]["schemas"]
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in schemas


def test_the_events_example_of_openapi_is_taken_as_it_stands(lite):
    lite.hall.now = at("2026-11-24 10:00")
    body = lite.get("/openapi.json", key=None).json()["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    for media, content in body.items():
        for example in content["examples"].values():
            statuses = {r["status"] for r in lite.post(example["value"], media).json()["results"]}
            assert statuses <= {"applied", "duplicate"}


def test_answers_carry_the_headers_that_keep_browsers_in_bounds(lite):
    for path in ("/", "/v1/cases", "/docs", "/nothing"):
        headers = lite.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_head_is_get_without_the_body(lite):
    response = lite.client.request("HEAD", "/healthz")
    assert (response.status_code, response.content) == (200, b"")
    assert lite.client.request("HEAD", "/v1/nothing").status_code == 404


def test_a_fault_of_ours_is_500_as_a_problem_document_without_its_text(sqlite_url, caplog):
    with open_door(sqlite_url) as door:

        @door.api.get("/fault")
        async def fault() -> None:
            raise ZeroDivisionError("secret")

        detail = problem(door.get("/fault"), 500)["detail"]
        assert "secret" not in detail
        assert "ZeroDivisionError" in caplog.text
