"""A notice that another process has put in force is in the next answer."""

from __future__ import annotations

from dataclasses import replace

from builders import on
from notices import BRIDGED_2027

from sla_service.domain.directory import Department
from sla_service.services import calendar_admin, calendar_force


def test_answers_count_by_a_calendar_that_came_into_force_meanwhile(door):
    app, now = door.hall.app, door.hall.now
    app.calendars = calendar_force.open_calendars(app.db, app.config.directory, now=now)
    asked = {"start": "2026-12-28", "days": "10"}
    assert door.get("/v1/due", key=None, **asked).json()["due_on"] == "2027-01-12"
    assert door.get("/v1/calendar/2027", key=None).json()["status"] == "projected"
    other = replace(app, calendars=calendar_force.open_calendars(app.db, app.config.directory, now=now))
    calendar_admin.apply(other, calendar_admin.notices(BRIDGED_2027), who="admin", clock=lambda: now)
    assert door.get("/v1/due", key=None, **asked).json()["due_on"] == "2027-01-11"
    year = door.get("/v1/calendar/2027", key=None).json()
    assert (year["status"], year["source"]) == ("published", "国办发明电〔2026〕98号")


def test_a_department_with_a_calendar_of_its_own_is_asked_for_by_name(door):
    app, now = door.hall.app, door.hall.now
    directory = replace(app.config.directory, departments=(Department("民族科", calendar="guangxi"),))
    app.config = replace(app.config, directory=directory)
    app.calendars = calendar_force.open_calendars(app.db, directory, now=now)
    draft = calendar_admin.single_day(on("2026-04-20"), off=True, name="三月三", calendars=["guangxi"])
    calendar_admin.apply(app, draft, who="admin", clock=lambda: now)
    asked = {"start": "2026-04-13", "days": "10"}
    assert door.get("/v1/due", key=None, **asked).json()["due_on"] == "2026-04-27"
    assert door.get("/v1/due", key=None, **asked, department="民族科").json()["due_on"] == "2026-04-28"
    assert door.get("/v1/due", key=None, **asked, hall="nowhere").status_code == 422
    year = door.get("/v1/calendar/2026", key=None, name="guangxi").json()
    assert "2026-04-20" in [d["date"] for d in year["days"]]
    assert "2026-04-20" not in [d["date"] for d in door.get("/v1/calendar/2026", key=None).json()["days"]]
    assert door.get("/v1/calendar/2026", key=None, name="x").status_code == 404
