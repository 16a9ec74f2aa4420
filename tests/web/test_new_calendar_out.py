"""A notice that another process has put in force is in the next answer."""

from __future__ import annotations

from dataclasses import replace

from notices import BRIDGED_2027

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
