"""A department with a calendar of its own: its cases count by it, and a case that comes to it counts anew."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from builders import at
from notices import BRIDGED_2027
from story import CONFIG
from test_new_calendar import due, hall_with_calendars, journal, notice_comes

from schemas.events import parse
from sla_service.domain.directory import Department, Hall
from sla_service.domain.events import Event
from sla_service.services import calendar_admin, calendar_follow, calendar_force, calendar_moves, calendar_watch, doctor
from sla_service.services.config import load_config
from sla_service.services.recompute import recompute
from sla_service.services.simulation import simulate
from sla_service.store import tables

FESTIVAL = at("2026-04-20").date()  # a Monday


def directory_with(**calendars):
    """The shipped directory with more departments, by the name of their calendar."""
    shipped = load_config(CONFIG).directory
    more = tuple(Department(name, head="lisi", leader="wangwu", calendar=c) for name, c in calendars.items())
    return replace(shipped, departments=(*shipped.departments, *more))


@contextmanager
def hall_with(url, begins, **calendars):
    config = replace(load_config(CONFIG), directory=directory_with(**calendars))
    with hall_with_calendars(url, begins, config=config) as hall:
        yield hall


def day_off(hall, *calendars):
    draft = calendar_admin.single_day(FESTIVAL, off=True, name="三月三", calendars=calendars)
    return calendar_admin.apply(hall.app, draft, who="admin", clock=lambda: hall.now)


def accept(hall, no, department, kind="complex"):
    return hall.says("case.accepted", no=no, kind=kind, department=department, handler="zhangsan")


def test_a_department_counts_by_its_own_calendar_and_its_neighbour_by_the_halls(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        accept(hall, "C-1", "民族科")
        accept(hall, "C-2", "民 族 科")  # as some case system writes it
        accept(hall, "C-3", "社会事务科")
        accept(hall, "C-4", None)
        assert {due(hall, f"C-{n}") for n in range(1, 5)} == {("2026-04-27", False)}
        done = day_off(hall, "guangxi")
        assert (list(done.calendars), done.followed.cases) == (["guangxi"], 2)
        dues = [due(hall, f"C-{n}")[0] for n in range(1, 5)]
        assert dues == ["2026-04-28", "2026-04-28", "2026-04-27", "2026-04-27"]
        assert accept(hall, "C-5", "民族科")["due_on"] == "2026-04-28"
        assert accept(hall, "C-6", "社会事务科")["due_on"] == "2026-04-27"
        hall.until("2026-04-13 12:00")
        hall.expect("04-13 10:00 wecom 张三 【到期日有变】2 件")


def test_the_preview_names_the_cases_of_that_department_only(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        accept(hall, "C-1", "民族科")
        accept(hall, "C-2", "社会事务科")
        draft = calendar_admin.single_day(FESTIVAL, off=True, name="三月三", calendars=["guangxi"])
        found = calendar_admin.preview(hall.app, draft)
        moved = list(calendar_moves.moves(hall.app, calendar_admin.trial(hall.app, found), now=hall.now))
        assert [(m.no, m.new.isoformat()) for m in moved] == [("C-1", "2026-04-28")]


def test_a_case_that_is_given_to_a_department_with_another_calendar_counts_anew(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        day_off(hall, "guangxi")
        accept(hall, "C-1", "社会事务科")
        assert due(hall, "C-1")[0] == "2026-04-27"
        case = hall.says("case.assigned", no="C-1", department="民族科")
        assert case["due_on"] == "2026-04-28"
        ((_, detail),) = journal(hall, "due_changed")
        assert (detail["old"], detail["new"], detail["reason"]) == ("2026-04-27", "2026-04-28", "events")
        assert hall.says("case.assigned", no="C-1", department="社会事务科")["due_on"] == "2026-04-27"
        assert calendar_follow.go_on(hall.app, clock=lambda: hall.now).cases == 0
        hall.until("2026-04-14 12:00")
        hall.expect()  # no calendar has changed: whoever gave it away knows


def test_late_and_shuffled_events_lead_to_the_same_date(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        day_off(hall, "guangxi")
        hall.send(hall.event("case.assigned", "2026-04-13 09:30", no="C-1", department="民族科"))
        hall.send(
            hall.event("case.accepted", "2026-04-13 09:00", no="C-1", kind="complex", department="社会事务科"),
            hall.event("case.progressed", "2026-04-13 09:10", no="C-1", text="已联系"),
        )
        assert due(hall, "C-1")[0] == "2026-04-28"


def test_reminders_go_by_the_departments_days(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        day_off(hall, "guangxi")
        accept(hall, "C-1", "民族科", kind="simple")  # due on the 16th
        hall.until("2026-04-16 10:00")
        hall.news()
        hall.until("2026-04-22 23:00")  # a breach and two days: the 17th, the 21st, since the 20th is off
        assert [line[:5] for line in hall.news() if "wecom 李四" in line] == ["04-16", "04-17", "04-21"]


def test_a_closed_case_keeps_the_calendar_of_the_department_that_closed_it(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        accept(hall, "C-1", "民族科")
        hall.sleep_until("2026-04-28 10:00")
        hall.says("case.closed", no="C-1", outcome="resolved", replied_at="2026-04-28")
        before = hall.case("C-1")
        assert (before["verdict"], before["due_on"].isoformat()) == ("breached", "2026-04-27")
        day_off(hall, "guangxi")
        hall.says("case.progressed", "2026-04-15 09:00", no="C-1", text="补记")
        after = hall.case("C-1")
        kept = ("verdict", "late_days", "due_on", "calendar_version")
        assert [after[k] for k in kept] == [before[k] for k in kept]


def test_a_department_that_is_given_another_calendar_follows_it_from_the_next_start(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科=None) as hall:
        accept(hall, "C-1", "民族科")
        accept(hall, "C-2", "社会事务科")
        for calendar, date in (("guangxi", "2026-04-28"), (None, "2026-04-27")):
            directory = directory_with(民族科=calendar)
            hall.app.config = replace(hall.app.config, directory=directory)
            hall.app.calendars = calendar_force.open_calendars(hall.app.db, directory, now=hall.now)
            calendar_follow.go_on(hall.app, clock=lambda: hall.now)
            if calendar:
                day_off(hall, calendar)
            assert [due(hall, no)[0] for no in ("C-1", "C-2")] == [date, "2026-04-27"]
        hall.until("2026-04-14 12:00")
        hall.expect()  # there and back before anybody was told


def test_a_departments_calendar_comes_before_that_of_its_hall(db_url):
    directory = replace(directory_with(民族科="main"), halls=(Hall("main", calendar="guangxi"),))
    config = replace(load_config(CONFIG), directory=directory)
    with hall_with_calendars(db_url, "2026-04-13 10:00", config=config) as hall:
        day_off(hall, "guangxi")
        assert accept(hall, "C-1", "民族科")["due_on"] == "2026-04-27"
        assert accept(hall, "C-2", "社会事务科")["due_on"] == "2026-04-28"


@pytest.mark.parametrize("killed", [False, True])
def test_status_and_recompute_look_at_each_department_under_its_calendar(db_url, killed):
    with hall_with(db_url, "2026-12-28 10:00", 民族科="guangxi") as hall:
        accept(hall, "C-1", "民族科")
        accept(hall, "C-2", "社会事务科")
        accept(hall, "C-3", "社会事务科")
        counts = {c: calendar_watch.standing(hall.app, now=hall.now, calendar=c) for c in ("main", "guangxi")}
        assert {c: s.horizon.provisional for c, s in counts.items()} == {"main": 2, "guangxi": 1}
        if killed:
            with pytest.raises(RuntimeError):
                notice_comes(hall, BRIDGED_2027, batch=1, advance=dies)
            waiting = [calendar_watch.standing(hall.app, now=hall.now, calendar=c).waiting for c in counts]
            assert sum(waiting) == 2
            calendar_follow.go_on(hall.app, clock=lambda: hall.now)
        else:
            notice_comes(hall, BRIDGED_2027)
        assert {r["due_on"].isoformat() for r in hall.rows(tables.cases)} == {"2027-01-11"}
        assert [found for _, found in recompute(hall.app, (), now=hall.now, dry_run=True)] == [[]]


def dies(done, whole):
    raise RuntimeError("as if killed")


def test_the_simulation_foretells_what_the_departments_will_be_told(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:
        day_off(hall, "guangxi")
        history = [
            hall.event("case.accepted", no="C-1", kind="complex", department="社会事务科", handler="zhangsan"),
            hall.event("case.assigned", "2026-04-14 09:00", no="C-1", department="民族科"),
        ]
        hall.send(history[0])
        hall.until("2026-04-14 09:00")
        hall.send(history[1])
        hall.until("2026-05-08 18:00")
        sent = {
            (m["step"], m["recipient"], m["due_on"]) for m in hall.rows(tables.messages) if m["state"] == "accepted"
        }
        events = [parse(raw, now=hall.now) for raw in history]
        plain = [Event(e.source, e.id, e.type, e.subject, e.time, e.data) for e in events]
        config = hall.app.config

        def calendar(department):
            return hall.app.calendar("main", department)

        foretold = simulate(plain, config.policy, config.directory, calendar, end=hall.now)
        assert {(m.step, m.to, m.due_on) for m in foretold.messages} == sent
        assert {due_on.isoformat() for _, _, due_on in sent} == {"2026-04-28"}


def test_the_doctor_asks_about_a_calendar_that_nobody_has_filled(db_url):
    with hall_with(db_url, "2026-04-13 10:00", 民族科="guangxi") as hall:

        def said():
            found = doctor.examine(hall.app, now=hall.now, real_now=lambda: hall.now, broker=lambda: None)
            return [c.text for c in found if c.name == "calendar" and c.level == "warning"]

        assert said() == ["日历 guangxi 里没有自己的假日，与全国的一样"]
        day_off(hall, "guangxi")
        assert said() == []
        draft = calendar_admin.withdrawal(max(r["id"] for r in hall.rows(tables.calendar_layers)))
        calendar_admin.apply(hall.app, draft, who="admin", clock=lambda: hall.now)
        assert said() != []
