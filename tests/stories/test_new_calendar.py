"""A notice comes: dates move, each holder is told once, nothing is told twice, no breach vanishes in silence."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from builders import at
from notices import AMENDED_2026, BRIDGED_2027, LONG_2027, PLAIN_2027
from story import CONFIG, story

from sla_service.domain.directory import Hall
from sla_service.services import calendar_admin, calendar_follow, calendar_force
from sla_service.services.config import load_config
from sla_service.store import sources, tables

KINDS = ("simple", "complex", "special")


@contextmanager
def hall_with_calendars(url, begins, **options):
    """A story whose calendars stand in the database."""
    with story(url, begins, **options) as hall:
        app = hall.app
        app.calendars = calendar_force.open_calendars(app.db, app.config.directory, now=hall.now)
        yield hall


def notice_comes(hall, text, **options):
    return calendar_admin.apply(hall.app, calendar_admin.notices(text), who="admin", clock=lambda: hall.now, **options)


def accept(hall, no="BBC-1", kind="complex", **data):
    return hall.says("case.accepted", no=no, kind=kind, department="社会事务科", handler="zhangsan", **data)


def journal(hall, what):
    return [(j["no"], j["detail"]) for j in hall.rows(tables.journal) if j["what"] == what]


def due(hall, no="BBC-1"):
    row = hall.case(no)
    return row["due_on"].isoformat(), row["provisional"]


def test_a_notice_moves_the_due_date_and_tells_the_holder_once(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        for n in range(3):
            case = accept(hall, f"BBC-{n}")
        assert (case["due_on"], case["provisional"]) == ("2027-01-12", True)
        hall.sleep_until("2026-12-28 11:00")
        assert notice_comes(hall, BRIDGED_2027).followed.cases == 3
        assert due(hall) == ("2027-01-11", False)
        hall.until("2026-12-28 12:00")
        hall.expect("12-28 11:00 wecom 张三 【到期日有变】3 件")
        assert "BBC-0" in hall.bodies()[0]
        assert "1月12日改为1月11日，还剩 10 个工作日" in hall.bodies()[0]
        assert "国办发明电〔2026〕98号" in hall.bodies()[0]
        ((_, detail), *_) = journal(hall, "due_changed")
        assert (detail["old"], detail["new"], detail["reason"]) == ("2027-01-12", "2027-01-11", "calendar")
        hall.until("2027-01-11 12:00")
        hall.expect(
            "01-07 08:30 wecom 张三 【办件提醒】3 件待办",
            "01-09 08:30 wecom 张三 【办件提醒】3 件待办",  # the Saturday that is worked now
            "01-11 08:30 wecom 张三 【办件提醒】3 件今天到期",
        )


def test_a_notice_that_moves_nothing_settles_the_dates_and_says_nothing(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        accept(hall)
        notice_comes(hall, PLAIN_2027)
        assert due(hall) == ("2027-01-12", False)
        hall.until("2026-12-29 12:00")
        hall.expect()
        assert hall.rows(tables.journal) == []


def test_a_reminder_that_was_sent_is_not_sent_again(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        accept(hall)
        hall.until("2027-01-11 12:00")  # due on the 12th: the day before has been said
        hall.expect("01-07 08:30 wecom 张三 【即将到期】BBC-1", "01-11 08:30 wecom 张三 【即将到期】BBC-1")
        notice_comes(hall, PLAIN_2027)
        hall.until("2027-01-12 12:00")
        hall.expect("01-12 08:30 wecom 张三 【今天到期】BBC-1")


def test_a_breach_that_a_calendar_takes_back_is_withdrawn_with_both_dates_and_told(db_url):
    with hall_with_calendars(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.until("2026-12-18 10:00")  # due on the 17th
        hall.news()
        notice_comes(hall, AMENDED_2026)  # 17th and 18th were days off
        assert due(hall) == ("2026-12-21", False)
        ((_, detail),) = journal(hall, "breach_withdrawn")
        assert (detail["old"][:10], detail["new"][:10], detail["reason"]) == ("2026-12-17", "2026-12-21", "calendar")
        hall.until("2026-12-21 08:00")
        hall.expect()  # the 18th is off now
        hall.until("2026-12-21 12:00")
        lines = hall.news()
        assert [line for line in lines if "李四" in line] == ["12-21 08:30 wecom 李四 【到期日有变】BBC-1"]
        assert any("原来记的超期随之撤销" in body for body in hall.bodies())
        hall.until("2026-12-22 09:00")
        assert len(journal(hall, "breached")) == 2  # the new date has run out as well
        assert "12-22 08:30 wecom 张三 【超期】BBC-1" in hall.news()


def test_a_closed_case_keeps_its_verdict_and_the_calendar_it_was_judged_under(db_url):
    with hall_with_calendars(db_url, "2026-12-14 10:00") as hall:
        accept(hall, kind="simple")
        hall.sleep_until("2026-12-18 10:00")
        hall.says("case.closed", outcome="resolved", replied_at="2026-12-18")
        before = hall.case()
        notice_comes(hall, AMENDED_2026)
        hall.says("case.progressed", "2026-12-15 09:00", text="补记")
        after = hall.case()
        kept = ("verdict", "late_days", "due_on", "calendar_version")
        assert [after[k] for k in kept] == [before[k] for k in kept]
        assert (after["verdict"], after["late_days"]) == ("breached", 1)


@pytest.mark.parametrize("text", [PLAIN_2027, BRIDGED_2027, LONG_2027], ids=["plain", "bridged", "long"])
def test_a_whole_december_counts_alike_before_and_after_the_notice(db_url, text):
    special = {"limit_days": 15, "reason": "会商", "applicant_informed_at": "2026-12-01"}
    with hall_with_calendars(db_url, "2026-11-30 10:00") as hall:
        for day in range(1, 32):
            hall.sleep_until(f"2026-12-{day:02} 10:00")
            for kind in KINDS:
                accept(hall, f"early-{day}-{kind}", kind, **(special if kind == "special" else {}))
        first = {r["no"]: r for r in hall.rows(tables.cases)}
        notice_comes(hall, text)
        for day in range(1, 32):
            when = f"2026-12-{day:02} 10:00"
            for kind in KINDS:
                more = special if kind == "special" else {}
                event = hall.event(
                    "case.accepted", when, no=f"late-{day}-{kind}", kind=kind, handler="zhangsan", **more
                )
                hall.send(event)
        last = {r["no"]: r for r in hall.rows(tables.cases)}
        for day in range(1, 32):
            for kind in KINDS:
                early, late = last[f"early-{day}-{kind}"], last[f"late-{day}-{kind}"]
                counted = ("due_on", "due_latest", "provisional", "calendar_version", "yellow_on")
                assert [early[k] for k in counted] == [late[k] for k in counted], (day, kind)
                was = first[f"early-{day}-{kind}"]
                if text is PLAIN_2027:  # what the rules foresee stays within what was said
                    assert was["due_earliest"] <= early["due_on"] <= was["due_latest"]
                assert was["provisional"] or early["due_on"] == was["due_on"] or text is LONG_2027


class Killed(BaseException):
    """As kill -9: nothing after it runs."""


def test_an_import_that_is_killed_half_way_goes_on_where_it_was_and_tells_each_holder_once(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        hall.send(*(hall.event("case.accepted", no=f"C-{n}", kind="complex", handler="zhangsan") for n in range(50)))

        def dies(done, whole):
            if done >= 20:
                raise Killed

        with pytest.raises(Killed):
            notice_comes(hall, BRIDGED_2027, advance=dies, batch=10)
        moved = [r for r in hall.rows(tables.cases) if not r["provisional"]]
        assert 20 <= len(moved) < 50
        hall.until("2026-12-28 11:00")
        hall.expect()  # nobody hears half of it
        done = calendar_follow.go_on(hall.app, clock=lambda: hall.now, batch=10)
        assert done.cases == 50 - len(moved)
        assert {r["due_on"].isoformat() for r in hall.rows(tables.cases)} == {"2027-01-11"}
        assert len(journal(hall, "due_changed")) == 50
        hall.until("2026-12-28 12:00")
        hall.expect("12-28 11:00 wecom 张三 【到期日有变】50 件")
        assert calendar_follow.go_on(hall.app, clock=lambda: hall.now).cases == 0


def test_a_case_that_an_event_or_a_tick_touches_meanwhile_follows_with_it(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        for n in range(3):
            accept(hall, f"C-{n}")

        def dies(done, whole):
            raise Killed

        with pytest.raises(Killed):
            notice_comes(hall, BRIDGED_2027, advance=dies, batch=1)
        case = hall.says("case.progressed", no="C-1", text="已联系")
        assert (case["due_on"], case["provisional"]) == ("2027-01-11", False)
        hall.until("2027-01-07 09:00")  # C-2 is touched by its reminder, three days before the new date
        assert due(hall, "C-2") == ("2027-01-11", False)
        assert len(journal(hall, "due_changed")) == 3


def test_another_process_notices_the_new_calendar_with_its_next_batch(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        other = replace(
            hall.app, calendars=calendar_force.open_calendars(hall.app.db, hall.app.config.directory, now=hall.now)
        )
        calendar_admin.apply(other, calendar_admin.notices(BRIDGED_2027), who="admin", clock=lambda: hall.now)
        case = accept(hall)
        assert (case["due_on"], case["provisional"]) == ("2027-01-11", False)


def test_two_halls_count_by_their_own_calendars(db_url, tmp_path):
    config = load_config(CONFIG)
    halls = (Hall("main"), Hall("nanning", "南宁", calendar="guangxi"))
    config = replace(config, directory=replace(config.directory, halls=halls))
    with hall_with_calendars(db_url, "2026-04-13 10:00", config=config) as hall:
        with hall.app.db.write() as conn:
            sources.add(conn, "south", hall="nanning", test=False, go_live=hall.now, now=hall.now)

        def both():
            dues = []
            for source in ("hall", "south"):
                event = hall.event("case.accepted", no=f"C-{hall._ids}", kind="complex") | {"source": source}
                dues.append(hall.send(event)[0]["case"]["due_on"])
            return dues

        assert both() == ["2026-04-27", "2026-04-27"]
        path = tmp_path / "guangxi.yaml"
        path.write_text(
            "name: 广西\ndays:\n  - {from: 2026-04-20, to: 2026-04-21, off: 壮族三月三}\n", encoding="utf-8"
        )
        draft = calendar_admin.local(path, calendar_admin.calendars_for(hall.app, path, ()))
        done = calendar_admin.apply(hall.app, draft, who="admin", clock=lambda: hall.now)
        assert list(done.calendars) == ["guangxi"]
        assert done.followed.cases == 1
        assert both() == ["2026-04-27", "2026-04-29"]
        dues = {r["source"]: r["due_on"].isoformat() for r in hall.rows(tables.cases)}
        assert dues == {"hall": "2026-04-27", "south": "2026-04-29"}


def test_a_hall_that_is_given_another_calendar_follows_it_from_the_next_start(db_url):
    with hall_with_calendars(db_url, "2026-04-13 10:00") as hall:
        accept(hall)
        app = hall.app
        directory = replace(app.config.directory, halls=(Hall("main", calendar="guangxi"),))
        app.config = replace(app.config, directory=directory)
        app.calendars = calendar_force.open_calendars(app.db, directory, now=hall.now)
        draft = calendar_admin.single_day(at("2026-04-20").date(), off=True, name="三月三", calendars=["guangxi"])
        calendar_admin.apply(app, draft, who="admin", clock=lambda: hall.now)
        assert due(hall) == ("2026-04-28", False)
        back = replace(directory, halls=(Hall("main"),))
        app.config = replace(app.config, directory=back)
        app.calendars = calendar_force.open_calendars(app.db, back, now=hall.now)
        calendar_follow.go_on(app, clock=lambda: hall.now)
        assert due(hall) == ("2026-04-27", False)
