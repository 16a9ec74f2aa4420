"""When nobody looked: one message per person, the handler first, nobody twice."""

from __future__ import annotations

from story import story

from sla_service.services import ticking
from sla_service.store import tables


def test_after_five_days_down_each_person_gets_one_message(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        for n in range(1, 4):
            hall.says("case.accepted", no=f"BBC-{n}", kind="simple", department="社会事务科", handler="zhangsan")
        hall.sleep_until("2026-12-01 10:00")  # due 11-25; breach, +2, +3 have all passed
        hall.tick()
        hall.expect(
            "12-01 10:00 wecom 张三 【办件提醒】3 件超期",
            "12-01 10:00 sms 张三 【办件提醒】3 件超期",
            "12-01 10:00 wecom 李四 【办件提醒】3 件超期",
            "12-01 10:00 sms 李四 【办件提醒】3 件超期",
        )
        due = {j["detail"]["due"] for j in hall.rows(tables.journal)}
        assert {d[:16] for d in due} == {"2026-11-25T17:30"}  # the breach has its true time
        hall.until("2026-12-02 08:31")
        hall.expect(
            "12-02 08:30 wecom 李四 【办件提醒】3 件超期",  # higher roles a working day later
            "12-02 08:30 wecom 王五 【办件提醒】3 件超期",
        )


def test_higher_roles_hear_nothing_if_the_handler_acts_on_the_catch_up(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.sleep_until("2026-12-01 10:00")
        hall.tick()
        hall.news()
        hall.says("case.closed", outcome="resolved", replied_at="2026-12-01")
        hall.until("2026-12-20 10:00")
        hall.expect()


def test_ticking_twice_at_once_adds_nothing(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.sleep_until("2026-11-24 08:30")
        assert ticking.fire_due(hall.app, now=hall.now).messages == 1
        assert ticking.fire_due(hall.app, now=hall.now).clocks == 0
        hall.tick()
        hall.tick()
        hall.expect("11-24 08:30 wecom 张三 【即将到期】BBC-1")


def test_a_test_source_alerts_the_sandbox_only(db_url):
    with story(db_url, "2026-11-20 09:00", test=True) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-24 09:00")
        hall.expect("11-24 08:30 sandbox 张三 【即将到期】BBC-1")


def test_history_before_go_live_gives_the_handler_one_list_and_leaders_nothing(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        old = hall.event(
            "case.accepted", "2026-10-12 09:00", no="OLD-1", kind="simple", department="社会事务科", handler="zhangsan"
        )
        new = hall.event(
            "case.accepted", "2026-11-19 09:00", no="OLD-2", kind="complex", department="社会事务科", handler="zhangsan"
        )
        hall.send(old, new)
        hall.until("2026-11-20 18:00")
        hall.expect("11-20 09:05 wecom 张三 【办件提醒】1 件超期，1 件待办")


def test_a_silent_import_sends_nothing_of_the_past(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        old = hall.event(
            "case.accepted", "2026-11-20 08:00", no="OLD-1", kind="simple", department="社会事务科", handler="zhangsan"
        )
        hall.sleep_until("2026-12-10 09:00")
        hall.send(old, silent=True)
        hall.until("2026-12-10 18:00")
        hall.expect()
