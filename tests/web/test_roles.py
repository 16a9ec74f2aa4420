"""What each role of the pages sees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from logins import add, browser, log_in, open_

from sla_service.domain.scope import Scope
from sla_service.store import queries, tables
from sla_service.store.queries import CaseFilter

CASES = (
    ("MINE", {"handler": "zhangsan", "department": "社会事务科"}),
    ("BY-NUMBER", {"handler": "10023", "department": "社会事务科"}),
    ("OTHERS", {"handler": "lisi", "department": "社会事务科"}),
    ("NOBODYS", {"department": "社会事务科"}),
    ("NO-DEPARTMENT", {"handler": "zhangsan"}),
    ("ELSEWHERE", {"handler": "unknown", "department": "别的科"}),
)


@pytest.fixture
def hall(door):
    door.send(*(door.accepted(no, kind="complex", **data) for no, data in CASES))
    return door


@pytest.mark.parametrize(
    ("name", "role", "person", "sees"),
    [
        ("zhangsan", "staff", None, {"MINE", "BY-NUMBER", "NO-DEPARTMENT"}),
        (
            "lisi",
            "leader",
            None,
            {"MINE", "BY-NUMBER", "OTHERS", "NOBODYS", "NO-DEPARTMENT", "ELSEWHERE"},
        ),  # station chief
        ("head", "leader", "王五", {"MINE", "BY-NUMBER", "OTHERS", "NOBODYS", "NO-DEPARTMENT", "ELSEWHERE"}),
        ("clerk", "viewer", None, {no for no, _ in CASES}),
        ("boss", "admin", None, {no for no, _ in CASES}),
    ],
)
def test_each_role_sees_what_is_its_own(hall, name, role, person, sees):
    add(hall, name, role, person=person)
    hall.hall.now += timedelta(days=13)  # all of them have run out
    with browser(hall) as client:
        log_in(client, name)
        listed = open_(client, "/").text
        assert {no for no, _ in CASES if f">{no}<" in listed or f"/{no}" in listed} == sees
        assert f"<b>{len(sees)}</b>" in listed
        for no, _ in CASES:
            assert open_(client, f"/cases/hall/{no}").status_code == (200 if no in sees else 404)
        assert open_(client, "/sandbox").status_code == (200 if role == "admin" else 403)


def test_a_leader_of_a_department_sees_its_cases_and_those_of_its_people_that_have_none():
    scope = Scope("main", True, ("l",), ("社会事务科",), ("zhangsan",))
    rows = [
        ({"hall": "main", "handler": "x", "department": "社会事务科"}, True),
        ({"hall": "main", "handler": "zhangsan", "department": None}, True),
        ({"hall": "main", "handler": "zhangsan", "department": "别的科"}, False),
        ({"hall": "main", "handler": "l", "department": "别的科"}, True),
        ({"hall": "main", "handler": None, "department": None}, False),
        ({"hall": "north", "handler": "l", "department": "社会事务科"}, False),
    ]
    assert [scope.sees(row) for row, _ in rows] == [seen for _, seen in rows]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope("main"),
        Scope("north"),
        Scope("main", True),
        Scope("main", True, ("zhangsan", "10023")),
        Scope("main", True, ("lisi",), ("社会事务科",), ("zhangsan",)),
        Scope(None, True, (), ("别的科",), ("zhangsan",)),
    ],
)
def test_the_scope_says_the_same_in_python_and_in_sql(hall, scope):
    rows = hall.rows(tables.cases)
    with hall.hall.app.db.read() as conn:
        found = queries.cases(conn, CaseFilter(within=scope), now=hall.hall.now, limit=100)
    assert {r["no"] for r in found} == {r["no"] for r in rows if scope.sees(r)}
