"""``GET /v1/cases`` and what belongs to one case."""

from __future__ import annotations

import pytest
from builders import CALENDAR
from door import at, case_path, problem

from sla_service.domain.directory import MAIN_HALL
from sla_service.services.views import light
from sla_service.store import queries, tables
from sla_service.store.queries import CaseFilter

ODD = "〔2026〕3号/甲%2F?#"


def numbers(door, **query):
    response = door.get("/v1/cases", **query)
    assert response.status_code == 200, response.text
    return [c["no"] for c in response.json()["cases"]]


@pytest.fixture
def hall(door):
    """Six cases of which, on Wednesday the 25th at 10:00, each light is shown by one or two."""
    door.send(
        door.accepted("A-red", "2026-11-16 09:00", title="诊所名称核准", matter="登记"),
        door.accepted("B-yellow", "2026-11-20 09:00", department="社会事务科", handler="lisi"),
        door.accepted("C-yellow", "2026-11-20 09:00", kind=None),
        door.accepted("D-green", "2026-11-20 09:00", kind="complex", title="100%_做到"),
        door.accepted("E-paused", "2026-11-16 09:00"),
        door.hall.event("case.paused", "2026-11-17 09:00", no="E-paused", reason="hearing"),
        door.accepted("F-closed", "2026-11-16 09:00"),
        door.hall.event("case.closed", "2026-11-17 09:00", no="F-closed", outcome="explained", replied_at="2026-11-17"),
    )
    door.post(door.hall.event("case.signed", no="G-waiting"))
    door.hall.now = at("2026-11-25 10:00")
    return door


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "A B C D E F"),
        ({"light": "red"}, "A"),
        ({"light": "yellow"}, "B C"),
        ({"light": "green"}, "D"),
        ({"light": "grey"}, "E F"),
        ({"light": ["red", "yellow"]}, "A B C"),
        ({"state": "running"}, "A B C D"),
        ({"state": "paused"}, "E"),
        ({"state": ["paused", "closed"], "light": "grey"}, "E F"),
        ({"state": "closed", "light": "red"}, ""),
        ({"department": "社会事务科"}, "B"),
        ({"handler": "lisi"}, "B"),
        ({"handler": ["lisi", "nobody"]}, "B"),
        ({"kind": "complex"}, "D"),
        ({"kind": "simple"}, "A B C E F"),
        ({"matter": "登记"}, "A"),
        ({"hall": "main"}, "A B C D E F"),
        ({"hall": "other"}, ""),
        ({"source": "hall"}, "A B C D E F"),
        ({"source": "other"}, ""),
        ({"q": "名称"}, "A"),
        ({"q": "b-YELLOW"}, "B"),
        ({"q": "100%_"}, "D"),  # no wildcards
        ({"q": "1_0"}, ""),
        ({"q": "登记"}, "A"),
    ],
)
def test_filters_find_the_cases_that_they_name(hall, query, found):
    assert [no[0] for no in numbers(hall, **query)] == found.split()


@pytest.mark.parametrize(
    "now",
    [
        "2026-11-19 17:30",
        "2026-11-19 17:31",
        "2026-11-24 00:00",
        "2026-11-24 23:59",
        "2026-11-25 17:30",
        "2026-12-05 08:00",
    ],
)
def test_the_light_in_sql_is_the_light_of_the_case_object(hall, now):
    hall.hall.now = at(now)
    for case in hall.get("/v1/cases").json()["cases"]:
        assert case["no"] in numbers(hall, light=case["light"]), case
    rows = [r for r in hall.rows(tables.cases) if r["accepted_at"] is not None]
    with hall.hall.app.db.read() as conn:
        counts = queries.light_counts(conn, now=hall.hall.now)
    opened = [light(r, hall.hall.now) for r in rows if r["state"] != "closed"]
    assert {name: n for name, n in counts.items() if name != "today"} == {
        name: opened.count(name) for name in ("red", "yellow", "green", "grey")
    }


def test_every_case_comes_once_over_the_pages_whatever_is_added_meanwhile(hall):
    first = hall.get("/v1/cases", limit=2).json()
    assert [c["no"][0] for c in first["cases"]] == ["A", "B"]
    hall.send(hall.accepted("A-late"), hall.accepted("Z-new"))
    second = hall.get("/v1/cases", limit=2, cursor=first["next"]).json()
    third = hall.get("/v1/cases", limit=2, cursor=second["next"]).json()
    fourth = hall.get("/v1/cases", limit=2, cursor=third["next"]).json()
    pages = [[c["no"][0] for c in page["cases"]] for page in (second, third, fourth)]
    assert pages == [["C", "D"], ["E", "F"], ["Z"]]
    assert fourth["next"] is None


def test_the_last_full_page_says_that_it_is_the_last(hall):
    assert hall.get("/v1/cases", limit=6).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"light": "blue"}, "light"),
        ({"state": "open"}, "state"),
        ({"q": "a\x00b"}, "q"),
        ({"handler": "x" * 201}, "handler"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WzEsMl0"}, "cursor"),
        ({"cursor": "WyJcdWQ4MDAiLCAiYSJd"}, "cursor"),  # a lone surrogate inside
        ({"cursor": "é" * 9}, "cursor"),
        ({"cursor": "W" * 1001}, "cursor"),
    ],
)
def test_a_parameter_that_does_not_do_is_422_and_named(lite, query, field):
    assert problem(lite.get("/v1/cases", **query), 422)["field"] == field


def test_without_a_key_bad_parameters_are_not_even_looked_at(lite):
    problem(lite.get("/v1/cases", key=None, limit=0), 401)


# -- one case -------------------------------------------------------------------------------------------------------


def test_the_case_object_is_the_one_of_the_events_answer(door):
    answered = door.post(door.accepted(title="诊所")).json()["results"][0]["case"]
    assert door.get(case_path("BBC-1")).json() == answered
    assert door.get("/v1/cases").json()["cases"] == [answered]


@pytest.mark.parametrize("no", [ODD, "a/b", "a/timeline", "%2F", "%252F", "100%", "a b+c", "é", "?x=1"])
def test_numbers_with_slashes_and_percent_signs_are_found_by_their_encoded_form(door, no):
    door.send(door.accepted(no))
    assert door.get(case_path(no)).json()["no"] == no
    assert door.get(case_path(no, "timeline")).json()["case"]["no"] == no
    assert door.get(case_path(no, "explain")).json()["no"] == no


@pytest.mark.parametrize("more", [(), ("timeline",), ("explain",)])
def test_what_is_not_there_or_another_sources_is_the_same_404(door, more):
    other = door.new_source("other")
    door.send(door.accepted("mine"))
    mine = problem(door.get(case_path("mine", *more), key=other), 404)
    nothing = problem(door.get(case_path("nothing", *more)), 404)
    assert mine["detail"].replace("mine", "") == nothing["detail"].replace("nothing", "")
    problem(door.get(case_path("a\x00b", *more)), 404)
    problem(door.get("/v1/cases/hall/%FF/".rstrip("/")), 404)


def test_a_case_that_waits_for_its_acceptance_says_so(door):
    door.post(door.hall.event("case.signed", no="early"))
    assert "1 个事件" in problem(door.get(case_path("early")), 404)["detail"]


# -- the list for the overview ----------------------------------------------------------------------------------------


def test_the_most_urgent_come_first(hall):
    with hall.hall.app.db.read() as conn:
        rows = queries.most_urgent(conn, CaseFilter(halls=(MAIN_HALL,)), now=hall.hall.now, limit=3)
    assert [r["no"][0] for r in rows] == ["A", "B", "C"]
    assert CALENDAR.between(rows[0]["due_on"], at("2026-11-25 10:00").date()) == 4
