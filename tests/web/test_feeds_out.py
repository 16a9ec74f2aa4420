"""``GET /feeds/{token}.ics``: a person's deadlines in his own calendar."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from door import problem

from sla_service.services import feeds, links


def token(door, who="zhangsan"):
    return feeds.token(door.hall.app, door.hall.app.config.directory.person(who), now=door.hall.now)


def feed(door, given, status=200):
    response = door.client.get(f"/feeds/{given}.ics")
    assert response.status_code == status, response.text
    return response


@pytest.fixture
def busy(door):
    door.send(
        door.accepted("A", title="诊所名称核准；第二行", handler="zhangsan", department="社会事务科"),
        door.accepted("B", title="x\r\nDTSTART:19700101", handler="10023", kind="complex"),
        door.accepted("C", handler="lisi"),
        door.accepted("D", handler="zhangsan"),
        door.hall.event("case.closed", no="D", outcome="withdrawn"),
        door.accepted("E", handler="张三"),
        door.hall.event("case.paused", no="E", reason="test"),
    )
    return door


def test_each_running_case_of_his_is_a_day_in_his_calendar(busy):
    response = feed(busy, token(busy))
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    text = re.sub(r"\r\n[ \t]", "", response.text)
    assert all(line.endswith("\r") for line in text.split("\n")[:-1])
    assert re.findall(r"SUMMARY:(.*)\r", text) == ["到期 A 诊所名称核准；第二行", "到期 B x  DTSTART:19700101"]
    assert re.findall(r"\nDTSTART;VALUE=DATE:(.*)\r", text) == ["20261125", "20261204"]
    assert "\nDTSTART:1970" not in text
    assert max(len(line.encode()) for line in response.text.split("\r\n")) <= 75
    busy.hall.now += timedelta(days=6)
    assert "SUMMARY:超期 到期 A" in feed(busy, token(busy)).text


def test_the_same_event_keeps_its_identity(busy):
    ids = [re.findall(r"UID:(.*)\r", feed(busy, token(busy)).text) for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


@pytest.mark.parametrize("change", ["", "x", "signature", "person", "expiry", "other"])
def test_a_forged_address_opens_nothing(busy, change):
    who, expires, mac = token(busy).split(".")
    forged = {
        "": "",
        "x": "x" * 700,
        "signature": f"{who}.{expires}.{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}",
        "person": f"{token(busy, 'lisi').split('.')[0]}.{expires}.{mac}",
        "expiry": f"{who}.{int(expires) + 1}.{mac}",
        "other": links.sign(busy.hall.app, 1, busy.hall.now + timedelta(days=1)),  # an acknowledgement link
    }[change]
    problem(feed(busy, forged, 404), 404)


def test_an_address_ends_with_its_time_and_with_its_person(lite):
    given = token(lite)
    assert feed(lite, given).status_code == 200
    app = lite.hall.app
    kept, directory = app.config, app.config.directory
    people = tuple(p for p in directory.people if p.id != "zhangsan")
    app.config = replace(kept, directory=replace(directory, people=people))
    feed(lite, given, 404)
    app.config = kept
    lite.hall.now += feeds.VALID
    feed(lite, given, 404)
