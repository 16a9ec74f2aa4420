"""Digests: once on their day, to each his own; nothing where there is nothing to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from story import CONFIG, Story, story

from sla_service.domain.directory import Absence
from sla_service.services import digests
from sla_service.services.config import Config, Digest, load_config
from sla_service.store import tables

STAFF = Digest(8 * 60 + 30, ("handler",), ("wecom",))
DAILY = Digest(8 * 60 + 40, ("section_head", "bureau_leader"), ("wecom",))
WEEKLY = Digest(9 * 60, ("joint_committee",), ("wecom",), "mondays")


def only(*wanted: Digest) -> Config:
    """The shipped configuration with digests and without a ladder: what comes is a digest."""
    found = load_config(CONFIG)
    quiet = replace(found.policy.targets[0], ladder=())
    return replace(found, policy=replace(found.policy, version="d", targets=(quiet,)), digests=wanted)


def accept(hall: Story, no: str, time: str | None = None, handler: str = "zhangsan", **more: str) -> None:
    hall.says("case.accepted", time, no=no, kind="simple", department="社会事务科", handler=handler, **more)


def test_each_morning_staff_get_their_own_overdue_today_and_tomorrow(db_url):
    with story(db_url, "2026-11-18 10:00", config=only(STAFF)) as hall:
        accept(hall, "A")  # due on the 23rd
        hall.until("2026-11-19 10:00")
        accept(hall, "B")  # the 24th
        accept(hall, "C", handler="wangwu")
        hall.until("2026-11-24 12:00")
        hall.expect(
            "11-20 08:30 wecom 张三 【今日办件】1 件11月23日（周一）到期",  # A, on the next working day
            "11-23 08:30 wecom 张三 【今日办件】1 件今天到期，1 件明天到期",
            "11-23 08:30 wecom 王五 【今日办件】1 件明天到期",
            "11-24 08:30 wecom 张三 【今日办件】1 件超期，1 件今天到期",
            "11-24 08:30 wecom 王五 【今日办件】1 件今天到期",
        )
        assert "● A ：已超期 1 个工作日\n○ B ：今天到期" in hall.bodies()


def test_leaders_hear_red_first_by_department_with_the_change_since_yesterday(db_url):
    with story(db_url, "2026-11-18 10:00", config=only(DAILY)) as hall:
        accept(hall, "A", title="诊所名称核准")
        accept(hall, "B")
        hall.until("2026-11-23 09:00")
        hall.expect(
            "11-23 08:40 wecom 李四 【每日督办】超期 0 件，今天到期 2 件，在办 2 件",
            "11-23 08:40 wecom 王五 【每日督办】超期 0 件，今天到期 2 件，在办 2 件",
        )
        hall.says("case.closed", no="B", outcome="resolved", replied_at="2026-11-23")
        hall.until("2026-11-24 09:00")
        assert hall.news()[0] == "11-24 08:40 wecom 李四 【每日督办】超期 1 件，今天到期 0 件，在办 1 件"
        assert hall.bodies()[-1].splitlines() == [
            "自11月23日以来：新收 0 件，办结 1 件，新超期 1 件",
            "● 社会事务科：超期 1，在办 1",
            "超期最久：",
            "● A 诊所名称核准（张三）：已超期 1 个工作日",
        ]


def test_nobody_is_sent_an_empty_digest(db_url):
    with story(db_url, "2026-11-18 10:00", config=only(STAFF, DAILY, WEEKLY)) as hall:
        hall.until("2026-11-30 12:00")
        hall.expect()


def test_the_weekly_one_moves_with_the_first_working_day_and_names_what_breaches_most(db_url):
    with story(db_url, "2026-09-22 10:00", config=only(WEEKLY)) as hall:
        for n in range(3):
            accept(hall, f"C{n}", matter="食品经营许可")
        accept(hall, "D", matter="社保转移")
        hall.until("2026-10-10 12:00")  # due on the 28th; Monday 5 October is National Day, the 8th is the first worked
        lines = hall.news()
        assert [line.partition("联合督办】")[0] for line in lines] == [
            "09-28 09:00 wecom 王五 【每周",
            "10-08 09:00 wecom 王五 【每周",
        ]
        assert "共性问题（近 90 天超期较多的事项）：食品经营许可 3 件" in hall.bodies()[-1]


def test_a_substitute_gets_the_list_of_whoever_is_away(db_url):
    found = only(STAFF)
    absent = Absence("zhangsan", "lisi", date(2026, 11, 20), date(2026, 11, 20))
    with story(db_url, "2026-11-18 10:00", config=found) as hall:
        hall.app.config = replace(found, directory=replace(found.directory, absences=(absent,)))
        accept(hall, "A")
        hall.until("2026-11-20 12:00")
        hall.expect("11-20 08:30 wecom 李四 【今日办件】1 件11月23日（周一）到期")


def test_one_digest_however_often_and_by_however_many_it_is_asked_for(db_url):
    with story(db_url, "2026-11-18 10:00", config=only(STAFF)) as hall:
        accept(hall, "A")
        hall.sleep_until("2026-11-20 08:30")
        assert [digests.fire(hall.app, now=hall.now) for _ in range(3)] == [1, 0, 0]


def test_a_digest_that_nobody_could_make_in_time_is_made_late_but_never_after_hours(db_url):
    with story(db_url, "2026-11-18 10:00", config=only(STAFF)) as hall:
        accept(hall, "A")
        hall.sleep_until("2026-11-20 11:00")
        hall.tick()
        hall.expect("11-20 11:00 wecom 张三 【今日办件】1 件11月23日（周一）到期")
        hall.sleep_until("2026-11-23 18:00")
        hall.tick()
        hall.expect()


def test_digests_stand_beside_the_ladder_not_in_its_messages(db_url):
    config = replace(load_config(CONFIG), digests=(STAFF,))
    with story(db_url, "2026-11-20 10:12", config=config) as hall:
        accept(hall, "A")
        hall.until("2026-11-24 12:00")
        hall.expect("11-24 08:30 wecom 张三 【今日办件】1 件明天到期", "11-24 08:30 wecom 张三 【即将到期】A")
        assert {m["state"] for m in hall.rows(tables.messages)} == {"accepted"}
