"""Next year's notice is missing: the station chief is told, not too often, until it is there."""

from __future__ import annotations

from dataclasses import replace

from notices import PLAIN_2027
from story import CONFIG
from test_new_calendar import hall_with_calendars, notice_comes

from sla_service.services import calendar_watch
from sla_service.services.config import Watch, load_config


def days_pass(hall, first, last):
    """Looks every few hours, as the upkeep does more often."""
    for day in range(first, last + 1):
        month, on = (11, day) if day <= 30 else (12, day - 30)
        for hour in (7, 9, 20):
            hall.until(f"2026-{month}-{on:02} {hour:02}:00")
            calendar_watch.watch(hall.app, now=hall.now)
    hall.tick()


def test_november_says_it_once_december_each_working_day_until_the_year_is_there(db_url):
    with hall_with_calendars(db_url, "2026-10-31 09:00") as hall:
        calendar_watch.watch(hall.app, now=hall.now)
        days_pass(hall, 1, 30)
        hall.expect("11-02 09:00 wecom 李四 【放假安排】2027 年的通知还没有导入")
        days_pass(hall, 31, 37)  # to 7 December, a Monday
        hall.expect(*(f"12-0{n} 09:00 wecom 李四 【放假安排】2027 年的通知还没有导入" for n in (1, 2, 3, 4, 7)))
        notice_comes(hall, PLAIN_2027)
        days_pass(hall, 38, 50)
        hall.expect()
        assert "sla calendar import" in hall.bodies()[0]


def test_the_words_say_how_many_running_cases_depend_on_it(sqlite_url):
    with hall_with_calendars(sqlite_url, "2026-12-21 10:00") as hall:
        hall.says("case.accepted", kind="special", limit_days=15, reason="会商", applicant_informed_at="2026-12-21")
        calendar_watch.watch(hall.app, now=hall.now)
        hall.tick()
        assert "现有 1 件在办件的到期日落在其中，是暂定的。" in hall.bodies()[0]


def test_a_year_that_has_begun_without_its_notice_is_said_each_working_day(sqlite_url):
    with hall_with_calendars(sqlite_url, "2027-01-05 10:00") as hall:
        calendar_watch.watch(hall.app, now=hall.now)
        hall.tick()
        hall.expect("01-05 10:00 wecom 李四 【放假安排】2027 年的通知还没有导入")


def test_who_is_told_is_the_policys_to_say_and_each_person_is_told_once(db_url):
    config = load_config(CONFIG)
    watch = Watch(("joint_committee", "bureau_leader", "station_chief"), ("sms",))
    with hall_with_calendars(db_url, "2026-11-02 08:00", config=replace(config, watch=watch)) as hall:
        days_pass(hall, 2, 4)
        hall.expect(
            "11-02 09:00 sms 王五 【放假安排】2027 年的通知还没有导入",  # of the committee; nobody is the hall's leader
            "11-02 09:00 sms 李四 【放假安排】2027 年的通知还没有导入",
        )
