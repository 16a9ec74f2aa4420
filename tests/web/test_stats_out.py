"""``GET /v1/stats``: a source's own figures."""

from __future__ import annotations

import pytest
from door import at, problem


@pytest.fixture
def month(door):
    door.send(
        door.accepted("A", department="社会事务科"),
        door.accepted("B", department="社会事务科", handler="zhangsan"),
        door.hall.event("case.closed", no="A", outcome="resolved", replied_at="2026-11-20"),
    )
    return door


def test_the_figures_of_this_month_by_department(month):
    body = month.get("/v1/stats").json()
    assert (body["from"], body["to"], body["by"]) == ("2026-11-01", "2026-11-20", "department")
    assert [(g["name"], g["met"], g["running"]) for g in body["groups"]] == [("社会事务科", 1, 1)]
    assert (body["total"]["met"], body["total"]["rate"]) == (1, 1.0)


@pytest.mark.parametrize(
    ("by", "names"), [("kind", ["简单事项"]), ("handler", ["张三", "（没有承办人）"]), ("matter", ["（没有事项）"])]
)
def test_by_other_groups(month, by, names):
    assert sorted(g["name"] for g in month.get("/v1/stats", by=by).json()["groups"]) == sorted(names)


def test_a_key_sees_its_own_source_alone(month):
    key = month.new_source("other")
    assert month.get("/v1/stats", key=key).json()["total"]["accepted"] == 0
    problem(month.get("/v1/stats", key=None), 401)


@pytest.mark.parametrize(
    "query",
    [
        {"by": "mood"},
        {"from": "2026-13-01"},
        {"from": "2026-12-01", "to": "2026-11-01"},
        {"from": "1900-01-01", "to": "2026-11-01"},
    ],
)
def test_what_is_no_period_or_group_is_refused_by_name(month, query):
    assert problem(month.get("/v1/stats", **query), 422)["detail"]


def test_an_empty_period_has_no_rate(month):
    assert at("2026-11-20 10:12")
    body = month.get("/v1/stats", **{"from": "2026-10-01", "to": "2026-10-31"}).json()
    assert (body["total"]["rate"], body["total"]["met"]) == (None, 0)
