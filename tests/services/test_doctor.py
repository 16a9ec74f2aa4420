"""The doctor: finds what was made wrong on purpose, says what mends it, and is quiet where all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import at
from story import CONFIG, story
from visit import BEGIN, change, examine, runs, wrong

from sla_service.calendars.layers import base_layers, build
from sla_service.services import doctor, ticking
from sla_service.services.config import ChannelConf, load_config
from sla_service.services.recompute import recompute
from sla_service.store import tables


@pytest.fixture
def hall(db_url):
    """One case accepted on Monday 2026-09-07, due on Thursday, the service running."""
    with story(db_url, BEGIN) as found:
        found.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        found.tick()
        runs(found)
        yield found


def test_all_is_well_and_every_check_says_so(hall):
    found = examine(hall)
    assert {level for level, _, _ in found.values()} <= {"ok", "warning"}
    assert wrong(hall) == {}
    assert {"config", "channels", "clocks", "overdue", "tick", "messages", "waiting", "calendar", "broker"} <= set(
        found
    )


def test_a_clock_that_nobody_will_look_at_again_is_found_and_mended(hall):
    change(hall, tables.clocks, next_at=None)
    level, text, fix = wrong(hall)["clocks"]
    assert (level, text) == ("error", "抽查 1 件，1 件与事件不一致，例如 hall/BBC-1：resolve 的下一次提醒没有安排上")
    assert "sla recompute" in fix
    ((n, (found,)),) = recompute(hall.app, [], now=hall.now, dry_run=False)
    assert (n, found.next_look) == (1, True)
    assert wrong(hall) == {}


def test_a_look_that_comes_too_late_is_found(hall):
    change(hall, tables.clocks, next_at=at("2026-09-10 08:30"))
    assert "下一次提醒没有安排上" in wrong(hall)["clocks"][1]


def test_a_due_date_that_does_not_follow_from_the_events_is_found_and_mended(hall):
    change(hall, tables.clocks, due_on=at("2026-09-30").date())
    change(hall, tables.cases, due_on=at("2026-09-30").date())
    assert "resolve 的到期日应为 2026-09-10，库里是 2026-09-30" in wrong(hall)["clocks"][1]
    ((_, (found,)),) = recompute(hall.app, [("hall", "BBC-1")], now=hall.now, dry_run=True)
    assert (str(found.before["due_on"]), str(found.after["due_on"])) == ("2026-09-30", "2026-09-10")
    assert "clocks" in wrong(hall)
    list(recompute(hall.app, [("hall", "BBC-1")], now=hall.now, dry_run=False))
    assert wrong(hall) == {}


def test_a_state_and_a_missing_clock_are_found(hall):
    change(hall, tables.cases, state="paused")
    assert "状态应为 running，库里是 paused" in wrong(hall)["clocks"][1]
    change(hall, tables.cases, state="running")
    with hall.app.db.write() as conn:
        conn.execute(tables.clocks.delete())
    assert "缺少 resolve 的计时" in wrong(hall)["clocks"][1]


def test_an_outage_shows_in_the_heart_and_in_what_is_overdue(hall):
    hall.sleep_until("2026-09-09 09:30")
    found = wrong(hall)
    assert found["tick"] == ("error", "服务没有在运行，最后一次检查是 1 天前", "sla up")
    assert found["overdue"][1] == "1 个计时过了时间还没处理，最早的晚了 1 小时"
    hall.tick()
    runs(hall)
    assert wrong(hall) == {}


def test_a_service_that_never_ran_says_so(db_url):
    with story(db_url, BEGIN) as hall:
        assert examine(hall)["tick"] == ("error", "服务还没有运行过，提醒不会发出", "sla up")


def test_messages_that_are_stuck_are_counted_by_channel(hall):
    hall.sleep_until("2026-09-09 08:30")
    ticking.fire_due(hall.app, now=hall.now)
    runs(hall)
    assert "queued" not in wrong(hall)
    hall.sleep_until("2026-09-09 08:50")
    runs(hall)
    level, text, _ = wrong(hall)["queued"]
    assert (level, text) == ("error", "消息积压超过 15 分钟：wecom 1 条")


@pytest.mark.parametrize(
    ("state", "reason", "name", "words"),
    [
        ("failed", "no_recipient", "no_recipient", "1 条消息没有人可发，例如 hall/BBC-1"),
        ("failed", "refused", "failed", "1 条消息没有发出（refused），例如 hall/BBC-1"),
        ("unknown", "parked", "unknown", "1 条消息不清楚有没有发出（wecom），例如 hall/BBC-1"),
    ],
)
def test_messages_that_came_to_nothing_are_told_while_the_case_is_open(hall, state, reason, name, words):
    hall.until("2026-09-09 09:00")
    runs(hall)
    change(hall, tables.messages, state=state, reason=reason)
    level, text, fix = wrong(hall)[name]
    assert (level, text) == ("error", words)
    assert "sla show hall BBC-1" in fix
    hall.says("case.closed", outcome="resolved", replied_at="2026-09-09")
    assert name not in wrong(hall)


def test_a_test_sources_troubles_are_nobodys(db_url):
    with story(db_url, BEGIN, test=True) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-09-09 09:00")
        runs(hall)
        change(hall, tables.messages, state="failed", reason="no_recipient")
        assert wrong(hall) == {}


def test_a_send_that_was_cut_off_and_taken_up_by_nobody_is_found(hall):
    hall.until("2026-09-09 09:00")
    runs(hall)
    change(hall, tables.deliveries, state="sending", lease_until=at("2026-09-09 08:40"))
    assert wrong(hall)["leases"][1] == "1 个发送中断后没有人接手"


def test_events_that_wait_for_more_than_a_day_are_the_integrators(hall):
    hall.send(hall.event("case.closed", no="BBC-9", outcome="resolved"))
    assert "waiting" not in wrong(hall)
    hall.sleep_until("2026-09-08 10:30")
    level, text, fix = wrong(hall)["waiting"]
    assert (level, text) == ("error", "1 个事件等受理等了一天以上，例如 hall/BBC-9 的 case.closed")
    assert "case.accepted" in fix


def test_a_year_without_its_notice_is_said_in_time(sqlite_url):
    with story(sqlite_url, BEGIN) as hall:
        for now, level in (("2049-10-31 10:00", "error"), ("2026-10-31 10:00", "ok"), ("2026-11-01 10:00", "warning")):
            hall.now = at(now)
            assert examine(hall)["calendar"][0] == level
        assert "2027 年的放假安排还没有导入" in examine(hall)["calendar"][1]


def test_cases_that_a_new_calendar_has_not_reached_are_counted(hall):
    other = build(2000, 2040, base_layers(2000, 2040))
    hall.app.calendars.current = other
    level, text, _ = wrong(hall)["followed"]
    assert (level, text) == ("error", "1 件在办的件还没有按现行日历重算")


def test_a_database_on_another_clock_is_found(hall):
    found = wrong(hall, skew=timedelta(minutes=2))
    if hall.app.db.sqlite:  # has no clock of its own
        assert found == {}
    else:
        assert found["clock"][1].startswith("数据库的时钟比本机慢 1 分钟") or found["clock"][1].endswith("2 分钟")


def test_a_broker_that_does_not_answer_is_told_as_it_is(hall):
    assert wrong(hall, broker="连不上")["broker"][:2] == ("error", "连不上")


def test_a_channel_that_cannot_be_opened_is_wrong_if_the_ladder_uses_it(db_url):
    config = load_config(CONFIG)
    broken = {"sms": ChannelConf("sms", "wecomapp://kaputt"), "post": ChannelConf("post", "wecomapp://kaputt")}
    with story(db_url, BEGIN, config=replace(config, channels={**config.channels, **broken})) as hall:
        found = doctor.examine(hall.app, now=hall.now, real_now=lambda: hall.now, broker=lambda: None)
        levels = {c.text.split()[1]: c.level for c in found if c.name == "channels"}
        assert levels == {"sms": "error", "post": "warning"}


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=3, hours=5), "3 天"),
        (timedelta(hours=2), "2 小时"),
        (timedelta(minutes=5), "5 分钟"),
        (timedelta(seconds=8), "8 秒"),
    ],
)
def test_spans_are_told_in_their_largest_unit(length, words):
    assert doctor.span(length) == words
