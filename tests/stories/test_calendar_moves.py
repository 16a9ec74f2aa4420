"""Calendars that change again before anybody was told, and clocks that run on after a case was closed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from builders import FOLLOW_UP, at, step
from notices import AMENDED_2026, BRIDGED_2027, PLAIN_2027
from story import CONFIG
from test_new_calendar import accept, due, hall_with_calendars, journal, notice_comes

from sla_service.services import calendar_admin, explaining
from sla_service.services.config import load_config
from sla_service.services.recompute import recompute
from sla_service.store import tables

# -- twice in a row ---------------------------------------------------------------------------------------------


def day(hall, date, *, off=True, name="临时安排"):
    draft = calendar_admin.single_day(at(date).date(), off=off, name=name, calendars=["main"])
    return calendar_admin.apply(hall.app, draft, who="admin", clock=lambda: hall.now)


def back(hall):
    """The layer that came last is taken back."""
    newest = max(r["id"] for r in hall.rows(tables.calendar_layers) if r["ended_at"] is None)
    return calendar_admin.apply(hall.app, calendar_admin.withdrawal(newest), who="admin", clock=lambda: hall.now)


def test_two_changes_before_anybody_was_told_are_one_message_from_the_first_date_to_the_last(db_url):
    with hall_with_calendars(db_url, "2026-11-13 20:00") as hall:  # Friday evening
        accept(hall)
        assert due(hall)[0] == "2026-11-27"
        day(hall, "2026-11-23")
        day(hall, "2026-11-24")
        assert due(hall)[0] == "2026-12-01"
        hall.until("2026-11-16 12:00")
        hall.expect("11-16 08:30 wecom 张三 【到期日有变】BBC-1")
        assert "11月27日（周五）改为12月1日（周二）" in hall.bodies()[0]
        assert [d["new"] for _, d in journal(hall, "due_changed")] == ["2026-11-30", "2026-12-01"]


def test_a_date_that_came_back_before_anybody_was_told_is_told_to_nobody(db_url):
    with hall_with_calendars(db_url, "2026-11-13 20:00") as hall:
        accept(hall)
        day(hall, "2026-11-23")
        back(hall)
        assert due(hall)[0] == "2026-11-27"
        hall.until("2026-11-16 12:00")
        hall.expect()
        assert len(journal(hall, "due_changed")) == 2  # both stand in the case's history


def test_there_and_back_and_there_again_is_one_message(db_url):
    with hall_with_calendars(db_url, "2026-11-13 20:00") as hall:
        accept(hall)
        day(hall, "2026-11-23")
        back(hall)
        day(hall, "2026-11-23", name="再次安排")
        hall.until("2026-11-16 12:00")
        hall.expect("11-16 08:30 wecom 张三 【到期日有变】BBC-1")
        assert "再次安排" in hall.bodies()[0]


def test_a_change_after_the_telling_is_told_from_the_date_that_was_told(db_url):
    with hall_with_calendars(db_url, "2026-11-13 10:00") as hall:
        accept(hall)
        day(hall, "2026-11-23")
        hall.until("2026-11-13 12:00")
        hall.expect("11-13 10:00 wecom 张三 【到期日有变】BBC-1")
        day(hall, "2026-11-24")
        hall.until("2026-11-13 13:00")
        hall.expect("11-13 12:00 wecom 张三 【到期日有变】BBC-1")
        assert "11月30日（周一）改为12月1日（周二）" in hall.bodies()[1]


def test_a_withdrawn_breach_is_told_to_whoever_heard_of_it_though_another_change_came_in_between(db_url):
    with hall_with_calendars(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.until("2026-12-18 10:00")  # due on the 17th
        hall.news()
        hall.sleep_until("2026-12-18 18:00")
        notice_comes(hall, AMENDED_2026)  # the 17th and 18th were days off
        day(hall, "2026-12-21")
        assert due(hall)[0] == "2026-12-22"
        hall.until("2026-12-22 08:29")
        hall.expect()
        hall.until("2026-12-22 08:31")
        hall.expect("12-22 08:30 wecom 张三 【今天到期】BBC-1", "12-22 08:30 wecom 李四 【到期日有变】BBC-1")
        for body in hall.bodies()[-2:]:
            assert "由12月17日（周四）改为12月22日（周二）" in body
            assert "原来记的超期随之撤销" in body


# -- after closing ----------------------------------------------------------------------------------------------


@contextmanager
def hall_that_follows_up(url, begins):
    ladder = (step("due-0wd", "handler"), step("breach", "section_head"))
    config = load_config(CONFIG)
    targets = (*config.policy.targets, replace(FOLLOW_UP, ladder=ladder))
    config = replace(config, policy=replace(config.policy, version="follows up", targets=targets))
    with hall_with_calendars(url, begins, config=config) as hall:
        yield hall


def clock(hall, target="follow_up"):
    (row,) = (r for r in hall.rows(tables.clocks) if r["target"] == target)
    return row


def close(hall):
    hall.says("case.closed", outcome="resolved", replied_at=hall.now.isoformat())


def test_a_follow_up_that_runs_on_moves_and_the_frozen_verdict_does_not(db_url):
    with hall_that_follows_up(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.sleep_until("2026-12-18 09:00")
        hall.news()
        close(hall)  # one working day late: the 17th was due; to be followed up by the 25th
        assert clock(hall)["due_on"].isoformat() == "2026-12-25"
        before = hall.case()
        day(hall, "2026-12-21")
        assert clock(hall)["due_on"].isoformat() == "2026-12-28"
        notice_comes(hall, AMENDED_2026)  # would take the breach back, were it not judged
        assert clock(hall)["due_on"].isoformat() == "2026-12-28"
        after = hall.case()
        kept = ("verdict", "late_days", "due_on", "calendar_version", "state")
        assert [after[k] for k in kept] == [before[k] for k in kept]
        assert clock(hall, "resolve")["verdict"] == "breached"
        ((_, detail),) = journal(hall, "due_changed")
        assert (detail["target"], detail["reason"]) == ("follow_up", "calendar")
        hall.until("2026-12-22 12:00")
        lines = hall.news()
        assert "12-22 08:30 wecom 张三 【到期日有变】BBC-1" in lines
        assert "还剩 4 个工作日，12月28日（周一）到期。\n到期日由12月25日（周五）改为" in hall.bodies()[-1]
        hall.until("2026-12-29 12:00")
        hall.expect("12-28 08:30 wecom 张三 【今天到期】BBC-1", "12-29 08:30 wecom 李四 【超期】BBC-1")


def test_a_follow_up_that_was_made_keeps_its_verdict_under_a_later_calendar(db_url):
    with hall_that_follows_up(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.sleep_until("2026-12-14 11:00")
        close(hall)  # on the day itself: to be followed up by the 21st
        day(hall, "2026-12-16")
        assert clock(hall)["due_on"].isoformat() == "2026-12-22"
        hall.sleep_until("2026-12-22 10:00")
        hall.says("case.followed_up", satisfied=True)
        made = clock(hall)
        assert (made["verdict"], made["counted_by"]) == ("met", hall.app.calendar().version)
        back(hall)  # by the calendar of the closing it would have been late
        hall.says("case.progressed", "2026-12-14 10:30", text="补记")
        assert clock(hall) == made
        account = explaining.explain(hall.app, "hall", "BBC-1", now=hall.now)
        shown = next(c for c in account.clocks if c.target == "follow_up")
        assert (shown.due_on.isoformat(), shown.verdict) == ("2026-12-22", "met")
        assert shown.account[-1].state == "due"


def test_verdicts_of_earlier_rounds_stay_under_a_later_calendar(db_url):
    with hall_with_calendars(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.sleep_until("2026-12-18 09:00")
        close(hall)
        hall.sleep_until("2026-12-18 10:00")
        hall.says("case.reopened", reason="当事人有新材料")
        notice_comes(hall, AMENDED_2026)
        rounds = {r["round"]: r for r in hall.rows(tables.clocks)}
        assert (rounds[1]["verdict"], rounds[1]["late_days"], rounds[1]["due_on"].day) == ("breached", 1, 17)
        assert rounds[2]["due_on"].isoformat() == "2026-12-23"
        hall.sleep_until("2026-12-18 11:00")
        assert hall.says("case.progressed", text="已联系")["due_on"] == "2026-12-23"
        assert {r["round"]: r["verdict"] for r in hall.rows(tables.clocks)}[1] == "breached"
        assert [found for _, found in recompute(hall.app, (), now=hall.now, dry_run=True)] == [[]]


def test_an_answer_owed_is_asked_for_on_the_new_calendars_mornings(db_url):
    with hall_with_calendars(db_url, "2026-12-30 10:00") as hall:
        accept(hall)
        hall.says("case.closed", outcome="explained")
        notice_comes(hall, PLAIN_2027)
        day(hall, "2026-12-31")
        hall.until("2027-01-04 09:00")
        lines = [line for line in hall.news() if "待答复" in line]
        assert lines == ["01-04 08:30 wecom 张三 【待答复】BBC-1"]


def test_a_moved_follow_up_needs_no_notice_of_its_own_to_count_provisionally(db_url):
    with hall_that_follows_up(db_url, "2026-12-25 10:00") as hall:
        accept(hall, kind="simple")
        close(hall)
        assert (clock(hall)["due_on"].isoformat(), clock(hall)["provisional"]) == ("2027-01-04", True)
        notice_comes(hall, BRIDGED_2027)
        assert (clock(hall)["due_on"].isoformat(), clock(hall)["provisional"]) == ("2027-01-04", False)
