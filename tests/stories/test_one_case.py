"""One case from acceptance to silence: each person, each hour, each message."""

from __future__ import annotations

import pytest
from story import story

from sla_service.store import tables


def test_a_case_nobody_acts_on_climbs_the_ladder_to_the_bureau_leader(db_url):
    with story(db_url, "2026-11-20 10:12") as hall:
        case = hall.says(
            "case.accepted", kind="simple", title="诊所名称核准", department="社会事务科", handler="zhangsan"
        )
        assert (case["due_at"], case["light"], case["remaining_days"]) == ("2026-11-25T17:30:00+08:00", "green", 3)
        hall.until("2026-11-25 17:29")
        hall.expect(
            "11-24 08:30 wecom 张三 【即将到期】BBC-1",
            "11-25 08:30 wecom 张三 【今天到期】BBC-1",
            "11-25 14:00 wecom 李四 【今天到期】BBC-1",
        )
        hall.until("2026-11-26 08:30")
        hall.expect(
            "11-26 08:30 wecom 张三 【超期】BBC-1",
            "11-26 08:30 sms 张三 【超期】BBC-1",
            "11-26 08:30 wecom 李四 【超期】BBC-1",
            "11-26 08:30 sms 李四 【超期】BBC-1",
        )
        hall.until("2026-12-02 09:00")
        hall.expect(
            "11-27 08:30 wecom 李四 【超期】BBC-1",  # station chief
            "11-30 08:30 wecom 王五 【超期】BBC-1",  # bureau leader
            "12-02 08:30 wecom 李四 【超期】BBC-1",
            "12-02 08:30 wecom 王五 【超期】BBC-1",
        )
        hall.says("case.closed", outcome="explained", replied_at="2026-12-02")
        hall.until("2027-01-31 17:00")
        hall.expect()


def test_a_case_closed_in_time_is_silent_after_it(db_url):
    with story(db_url, "2026-11-20 10:12") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-24 12:00")
        hall.expect("11-24 08:30 wecom 张三 【即将到期】BBC-1")
        case = hall.says("case.closed", outcome="resolved", replied_at="2026-11-24T12:00:00+08:00")
        assert (case["state"], case["verdict"], case["light"]) == ("closed", "met", "grey")
        hall.until("2026-12-31 17:00")
        hall.expect()


def test_closing_between_decision_and_sending_suppresses_the_message(db_url):
    with story(db_url, "2026-11-20 10:12") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-25 20:00")  # the breach of 17:30 waits for the morning
        hall.news()
        hall.says("case.closed", outcome="resolved", replied_at="2026-11-25")
        hall.until("2026-12-10 17:00")
        hall.expect()
        waited = [m for m in hall.rows(tables.messages) if m["step"] == "breach"]
        assert {(m["state"], m["reason"]) for m in waited} == {("suppressed", "closed")}
        assert (hall.case()["verdict"], hall.case()["late_days"]) == ("breached", 0)


def test_a_close_that_arrives_late_takes_the_breach_back_and_says_so(db_url):
    with story(db_url, "2026-11-20 10:12") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-26 09:00")
        hall.news()
        case = hall.says("case.closed", "2026-11-25 17:30", outcome="resolved", replied_at="2026-11-25")
        assert (case["verdict"], case["late_days"]) == ("met", None)
        notes = [(j["what"], j["detail"]) for j in hall.rows(tables.journal)]
        assert [what for what, _ in notes] == ["breached", "breach_withdrawn"]
        assert notes[1][1]["old"].startswith("2026-11-25")


def test_a_paused_clock_is_silent_until_the_pause_should_end(db_url):
    with story(db_url, "2026-11-02 09:00") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        case = hall.says(
            "case.paused", reason="hearing", applicant_informed_at="2026-11-02", expected_until="2026-11-11"
        )
        assert (case["state"], case["due_at"], case["light"]) == ("paused", None, "grey")
        hall.until("2026-11-12 12:00")
        hall.expect("11-11 08:30 wecom 张三 【挂起到期】BBC-1", "11-12 08:30 wecom 李四 【挂起到期】BBC-1")
        case = hall.says("case.resumed")
        assert case["due_on"] == "2026-11-16"


def test_a_new_handler_is_told_the_latest_step_and_the_old_one_nothing_more(db_url):
    with story(db_url, "2026-11-20 10:12") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-24 15:00")
        hall.news()
        hall.says("case.assigned", handler="wangwu")
        hall.until("2026-11-25 08:30")
        hall.expect("11-24 15:00 wecom 王五 【即将到期】BBC-1", "11-25 08:30 wecom 王五 【今天到期】BBC-1")
        assert "此件已转给您，请接手办理。" in hall.bodies()[1]


def test_a_closed_case_without_an_answer_is_called_to_mind_each_working_morning(db_url):
    with story(db_url, "2026-11-19 10:00") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        case = hall.says("case.closed", outcome="resolved")
        assert [f["code"] for f in case["findings"]] == ["no_reply"]
        hall.until("2026-11-23 12:00")
        hall.expect("11-20 08:30 wecom 张三 【待答复】BBC-1", "11-23 08:30 wecom 张三 【待答复】BBC-1")
        assert hall.says("case.replied")["findings"] == []
        hall.until("2026-12-15 12:00")
        hall.expect()


def test_urging_reaches_the_handler_in_the_next_window_once_a_day(db_url):
    with story(db_url, "2026-11-20 20:00") as hall:  # a Friday evening
        hall.says("case.accepted", kind="complex", department="社会事务科", handler="zhangsan")
        hall.says("case.urged", by="市民热线", text="请尽快回复")
        hall.says("case.urged", by="市民热线", text="再催一次")
        hall.until("2026-11-23 09:00")
        hall.expect("11-23 08:30 wecom 张三 【催办】BBC-1")
        assert "市民热线：请尽快回复" in hall.bodies()[0]


def test_an_urging_that_came_before_the_acceptance_is_passed_on_with_it(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        hall.send(hall.event("case.urged", "2026-11-20 09:00", by="市民热线", text="请尽快回复"))
        hall.until("2026-11-20 10:00")
        hall.expect()
        hall.send(
            hall.event("case.accepted", "2026-11-20 08:50", kind="complex", department="社会事务科", handler="zhangsan")
        )
        hall.until("2026-11-20 10:01")
        assert "11-20 10:00 wecom 张三 【催办】BBC-1" in hall.news()


def test_one_urging_a_day_even_if_the_due_date_moves_in_between(db_url):
    with story(db_url, "2026-11-20 09:00") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.says("case.urged", text="一")
        hall.until("2026-11-20 09:30")
        hall.says("case.classified", kind="complex")
        hall.says("case.urged", text="二")
        hall.until("2026-11-20 12:00")
        hall.expect("11-20 09:00 wecom 张三 【催办】BBC-1")


def test_events_at_midnight_send_nothing_before_the_hall_opens(db_url):
    with story(db_url, "2026-09-30 23:50") as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.says("case.escalated", to="station_chief", by="张三", reason="需跨部门协调")
        hall.until("2026-10-10 17:00")
        lines = hall.news()
        assert lines[0] == "10-08 08:30 wecom 李四 【上报】BBC-1"  # National Day is over
        hours = {line.split(" ")[1] for line in lines}
        assert all("08:30" <= h < "17:30" for h in hours)


@pytest.mark.parametrize("kind", ["simple", "complex"])
def test_the_answer_to_an_acceptance_carries_the_due_date(db_url, kind):
    with story(db_url, "2026-09-18 09:00") as hall:
        case = hall.says("case.accepted", kind=kind)
        assert case["due_on"] == {"simple": "2026-09-22", "complex": "2026-10-09"}[kind]
