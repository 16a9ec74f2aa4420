"""A case system that speaks once a night: its breaches are announced when the file has had its time to come."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from story import story

from sla_service.services import doctor
from sla_service.services import sources as sources_service
from sla_service.store import sources, tables

BREACH_AT_NOON = (
    "11-26 11:30 wecom 张三 【超期】BBC-1",
    "11-26 11:30 sms 张三 【超期】BBC-1",
    "11-26 11:30 wecom 李四 【超期】BBC-1",
    "11-26 11:30 sms 李四 【超期】BBC-1",
)


@contextmanager
def nightly(db_url, hours):
    with story(db_url, "2026-11-20 10:12") as hall:
        with hall.app.db.write() as conn:
            sources.set_delay(conn, "hall", timedelta(hours=hours))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-25 17:29")
        assert len(hall.news()) == 3  # reminders are as ever
        yield hall


def test_a_breach_is_announced_only_after_the_delay(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-26 11:29")
        hall.expect()
        assert not [row for row in hall.rows(tables.journal) if row["what"] == "breached"]
        hall.until("2026-11-26 11:30")
        hall.expect(*BREACH_AT_NOON)
        (noted,) = [row for row in hall.rows(tables.journal) if row["what"] == "breached"]
        assert noted["detail"]["due"] == "2026-11-25T17:30:00+08:00"  # announced late, but true
        hall.until("2026-12-02 09:00")
        hall.expect(
            "11-27 08:30 wecom 李四 【超期】BBC-1",
            "11-30 08:30 wecom 王五 【超期】BBC-1",
            "12-02 08:30 wecom 李四 【超期】BBC-1",
            "12-02 08:30 wecom 王五 【超期】BBC-1",
        )


def test_a_closing_that_comes_with_the_nights_file_keeps_everybody_quiet(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-25 23:40")
        case = hall.says("case.closed", "2026-11-25 16:00", outcome="resolved", replied_at="2026-11-25")
        assert case["verdict"] == "met"
        hall.until("2026-12-31 17:00")
        hall.expect()
        assert not [row for row in hall.rows(tables.journal) if row["what"].startswith("breach")]


def test_steps_that_would_fall_into_the_delay_wait_for_its_end(db_url):
    with nightly(db_url, 72) as hall:
        hall.until("2026-11-30 08:29")  # the delay ends on a Saturday
        hall.expect()
        hall.until("2026-11-30 08:31")
        hall.expect(*(line.replace("11-26 11:30", "11-30 08:30") for line in BREACH_AT_NOON),
                    "11-30 08:30 wecom 王五 【超期】BBC-1")  # fmt: skip


def test_an_event_during_the_delay_neither_announces_nor_swallows_the_breach(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-26 09:00")
        hall.says("case.progressed", text="材料已补齐")
        hall.says("case.assigned", handler="lisi")
        hall.news()  # the new holder hears of the step that has passed
        hall.until("2026-11-26 11:30")
        told = [line for line in hall.news() if "【超期】" in line]
        assert told
        assert all(line.startswith("11-26 11:30") for line in told)


def test_the_audit_finds_nothing_amiss_during_the_delay(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-25 20:00")
        checks = doctor.examine(hall.app, now=hall.now, real_now=lambda: hall.now, broker=lambda: None)
        (clocks,) = [check for check in checks if check.name == "clocks"]
        assert clocks.level == "ok", clocks


def test_a_delay_that_is_taken_away_announces_what_it_held_back(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-26 09:00")
        hall.expect()
        sources_service.delay(hall.app, "hall", timedelta(), now=hall.now)
        hall.until("2026-11-26 09:01")
        hall.expect(*(line.replace("11:30", "09:00") for line in BREACH_AT_NOON))


def test_a_delay_added_later_leaves_what_was_told_as_it_is(db_url):
    with nightly(db_url, 0) as hall:
        hall.until("2026-11-26 08:31")
        assert len(hall.news()) == 4
        sources_service.delay(hall.app, "hall", timedelta(hours=18), now=hall.now)
        hall.until("2026-11-27 08:31")
        hall.expect("11-27 08:30 wecom 李四 【超期】BBC-1")
        with hall.app.db.read() as conn:
            said = conn.scalars(sa.select(tables.journal.c.what)).all()
        assert said.count("breached") == 1


def test_a_delay_that_is_shortened_twice_loses_no_breach(db_url):
    with nightly(db_url, 18) as hall:
        hall.until("2026-11-25 20:00")
        sources_service.delay(hall.app, "hall", timedelta(hours=16), now=hall.now)
        hall.until("2026-11-25 21:00")  # looked at after it had run out
        hall.expect()
        sources_service.delay(hall.app, "hall", timedelta(), now=hall.now)
        hall.until("2026-11-26 08:31")
        hall.expect(*(line.replace("11:30", "08:30") for line in BREACH_AT_NOON))
