"""Alerts as people get them: each story names every message, one too many or too few fails it.

The shipped ladder: the handler (张三) at due-1wd and due-0wd, the section head (李四) at 14:00 of the due date, both by
WeCom and SMS on the breach, the station chief (李四) two, the bureau leader (王五) three working days later.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from story import CONFIG, Story, story, trouble

from sla_service.delivery import outcome as o
from sla_service.delivery.limits import Per, Window
from sla_service.delivery.receipts import Report
from sla_service.services import acknowledge, holding, receipts, ticking
from sla_service.services.config import Config, load_config
from sla_service.store import tables

BEGIN = "2026-11-20 10:12"  # a Friday: three working days end on Wednesday the 25th


@pytest.fixture
def hall(db_url):
    with story(db_url, BEGIN) as made:
        yield made


def accept(hall: Story, no: str = "BBC-1", **more: str) -> None:
    hall.says("case.accepted", no=no, **{"kind": "simple", "department": "社会事务科", "handler": "zhangsan"} | more)


def waiting(hall: Story) -> set[str]:
    return {m["reason"] for m in hall.rows(tables.messages) if m["state"] == "queued"}


def with_step(key: str, **changes: object) -> Config:
    """The shipped configuration with one step of its ladder changed."""
    found = load_config(CONFIG)
    target = found.policy.targets[0]
    ladder = tuple(replace(s, **changes) if s.key == key else s for s in target.ladder)
    return replace(found, policy=replace(found.policy, version=key, targets=(replace(target, ladder=ladder),)))


# -- hours ----------------------------------------------------------------------------------------------------


def test_what_falls_outside_working_hours_waits_for_the_next_opening(db_url):
    with story(db_url, "2026-09-30 16:00") as hall:
        accept(hall)  # due on Saturday 10 October, which is worked for National Day
        hall.until("2026-10-08 23:00")
        hall.expect()
        hall.until("2026-10-13 12:00")
        hall.expect(
            "10-09 08:30 wecom 张三 【即将到期】BBC-1",
            "10-10 08:30 wecom 张三 【今天到期】BBC-1",
            "10-10 14:00 wecom 李四 【今天到期】BBC-1",
            "10-12 08:30 wecom 张三 【超期】BBC-1",  # the breach was on Saturday at 17:30
            "10-12 08:30 sms 张三 【超期】BBC-1",
            "10-12 08:30 wecom 李四 【超期】BBC-1",
            "10-12 08:30 sms 李四 【超期】BBC-1",
            "10-13 08:30 wecom 李四 【超期】BBC-1",
        )


def test_a_step_may_be_told_at_any_hour(db_url):
    with story(db_url, BEGIN, config=with_step("breach", window="always", via=("wecom",), all=False)) as hall:
        accept(hall)
        hall.until("2026-11-25 17:00")
        hall.news()
        hall.until("2026-11-26 12:00")
        hall.expect("11-25 17:30 wecom 张三 【超期】BBC-1", "11-25 17:30 wecom 李四 【超期】BBC-1")


def test_an_urging_at_night_is_told_in_the_morning_once(hall):
    accept(hall)
    hall.until("2026-11-20 22:15")
    hall.says("case.urged", by="市民热线", text="请尽快")
    hall.says("case.urged", by="市民热线", text="又来电")
    hall.until("2026-11-23 12:00")
    hall.expect("11-23 08:30 wecom 张三 【催办】BBC-1")


def test_maintenance_holds_and_loses_nothing(hall):
    accept(hall)
    hall.until("2026-11-24 08:00")
    holding.pause(hall.app, channel="wecom", until=hall.now.replace(hour=11), now=hall.now)
    hall.until("2026-11-24 10:59")
    hall.expect()
    assert waiting(hall) == {"maintenance"}
    hall.until("2026-11-24 12:00")
    hall.expect("11-24 11:00 wecom 张三 【即将到期】BBC-1")


# -- bundles --------------------------------------------------------------------------------------------------


def test_what_waits_for_one_person_on_one_channel_is_one_message(hall):
    for no in ("A", "B", "C"):
        accept(hall, no)
    accept(hall, "W", handler="wangwu")
    hall.until("2026-11-24 12:00")
    hall.expect("11-24 08:30 wecom 张三 【办件提醒】3 件待办", "11-24 08:30 wecom 王五 【即将到期】W")
    hall.until("2026-11-26 12:00")
    hall.expect(
        "11-25 08:30 wecom 张三 【办件提醒】3 件今天到期",
        "11-25 08:30 wecom 王五 【今天到期】W",
        "11-25 14:00 wecom 李四 【办件提醒】4 件今天到期",
        "11-26 08:30 wecom 张三 【办件提醒】3 件超期",
        "11-26 08:30 sms 张三 【办件提醒】3 件超期",
        "11-26 08:30 wecom 王五 【超期】W",
        "11-26 08:30 sms 王五 【超期】W",
        "11-26 08:30 wecom 李四 【办件提醒】4 件超期",
        "11-26 08:30 sms 李四 【办件提醒】4 件超期",
    )


def test_a_leader_gets_one_sms_a_day_and_what_had_to_wait_says_so(db_url):
    """Two cases reach the bureau leader at different hours of one day: the second waits for the next day's SMS."""
    with story(db_url, BEGIN, config=with_step("breach+3wd", via=("sms",))) as hall:
        trouble(hall, schemes={"sms": "yunmas"})
        accept(hall, "A", handler="wangwu")
        hall.until("2026-11-30 08:00")
        hall.news()
        hall.says("case.escalated", no="A", to="bureau_leader", by="站长", reason="请协调")
        hall.until("2026-11-30 12:00")
        came = hall.news()
        assert [line for line in came if " sms " in line] == []  # nobody hears of his own case from above
        accept(hall, "B", handler="zhangsan")
        hall.until("2026-12-08 07:00")
        hall.news()
        hall.until("2026-12-08 12:00")
        assert [line for line in hall.news() if " sms 王五" in line] == ["12-08 08:30 sms 王五 【超期】B"]


def test_sms_beyond_the_providers_limit_waits_and_says_what_for(db_url):
    """One a day per number here: the second waits for the window, and for the hall to open."""
    found = load_config(CONFIG)
    sms = replace(found.channels["sms"], limits=(Window(Per.RECIPIENT, 1, 86400),))
    with story(db_url, BEGIN, config=replace(found, channels={**found.channels, "sms": sms})) as hall:
        accept(hall, "A", handler="wangwu")
        hall.until("2026-11-23 10:00")
        accept(hall, "B", handler="wangwu")
        hall.until("2026-11-26 12:00")
        assert [line for line in hall.news() if " sms 王五" in line] == ["11-26 08:30 sms 王五 【超期】A"]
        hall.until("2026-11-27 08:29")
        assert [line for line in hall.news() if " sms " in line] == []
        hall.until("2026-11-27 12:00")
        assert [line for line in hall.news() if " sms 王五" in line] == ["11-27 08:30 sms 王五 【超期】B"]


# -- fallback -------------------------------------------------------------------------------------------------


def test_refused_by_one_channel_it_goes_by_the_next_at_once(hall):
    accept(hall)
    hall.until("2026-11-27 08:00")
    hall.news()
    trouble(hall, wecom=[o.refused("81013")])
    hall.until("2026-11-27 12:00")
    hall.expect("11-27 08:30 sms 李四 【超期】BBC-1")


def test_refused_by_every_channel_it_goes_to_the_next_role_up(hall):
    accept(hall)
    hall.until("2026-11-27 08:00")
    hall.news()
    trouble(hall, wecom=[o.refused("81013")], sms=[o.refused("InvalidMobile")])
    hall.until("2026-11-27 12:00")
    hall.expect("11-27 08:30 sms 王五 【超期】BBC-1")
    assert "李四的短信消息没有发到，改为通知局长王五" in str(hall.case()["falls"])


def test_an_unclear_answer_is_repeated_not_sent_another_way(hall):
    """The provider drops the repeat: one message is shown, and none by SMS."""
    accept(hall)
    hall.until("2026-11-27 08:00")
    hall.news()
    trouble(hall, schemes={"wecom": "wecomapp"}, wecom=[o.unknown("read_timeout")])
    hall.until("2026-11-27 12:00")
    hall.expect("11-27 08:31 wecom 李四 【超期】BBC-1")
    (tries,) = {r["attempt"] for r in hall.rows(tables.deliveries) if r["urgent"] and r["attempt"] > 1}
    assert tries == 2


def test_a_provider_that_is_away_is_tried_again_before_another_way_is_taken(hall):
    accept(hall)
    trouble(hall, wecom=[o.unavailable("connect"), o.unavailable("connect")])
    hall.until("2026-11-24 12:00")
    (line,) = hall.news()
    assert line.endswith("wecom 张三 【即将到期】BBC-1")


# -- receipts -------------------------------------------------------------------------------------------------


def test_a_receipt_that_it_did_not_arrive_sends_it_another_way(db_url):
    with story(db_url, BEGIN, config=with_step("breach+2wd", via=("sms", "wecom"))) as hall:
        accept(hall)
        hall.until("2026-11-27 09:00")
        assert hall.news()[-1] == "11-27 08:30 sms 李四 【超期】BBC-1"
        sent = max((d for d in hall.rows(tables.deliveries) if d["channel"] == "sms"), key=lambda d: d["id"])
        report = Report(sent["provider_id"], delivered=False, code="MK:0001")
        assert [receipts.take(hall.app, "sms", [report], now=hall.now) for _ in range(2)] == [1, 0]
        hall.until("2026-11-27 12:00")
        hall.expect("11-27 09:00 wecom 李四 【超期】BBC-1")


def test_a_receipt_that_it_arrived_sends_nothing(hall):
    accept(hall)
    hall.until("2026-11-26 09:00")
    hall.news()
    for sent in hall.rows(tables.deliveries):
        if sent["channel"] == "sms":
            receipts.take(hall.app, "sms", [Report(sent["provider_id"], delivered=True, code="CM:0000")], now=hall.now)
    hall.until("2026-11-26 17:00")
    hall.expect()
    assert {d["state"] for d in hall.rows(tables.deliveries) if d["channel"] == "sms"} == {"delivered"}


# -- acknowledgement ------------------------------------------------------------------------------------------


def test_seen_rests_what_still_waits_for_that_person_alone(hall):
    accept(hall)
    hall.until("2026-11-25 18:00")  # the breach waits for the morning
    hall.news()
    acknowledge.by_person(hall.app, "hall", "BBC-1", "zhangsan", now=hall.now)
    hall.until("2026-11-27 12:00")
    hall.expect(
        "11-26 08:30 wecom 李四 【超期】BBC-1",
        "11-26 08:30 sms 李四 【超期】BBC-1",
        "11-27 08:30 wecom 李四 【超期】BBC-1",  # the ladder goes on
    )


def test_signing_for_it_acknowledges_what_the_handler_was_told(db_url):
    with story(db_url, BEGIN, config=with_step("due-1wd", repeat=1, until="acknowledged")) as hall:
        accept(hall)
        hall.until("2026-11-24 12:00")
        hall.expect("11-24 08:30 wecom 张三 【即将到期】BBC-1")
        hall.says("case.signed", handler="zhangsan")
        hall.until("2026-11-25 12:00")
        hall.expect("11-25 08:30 wecom 张三 【今天到期】BBC-1")  # the next step, no repeat of the last


# -- suppression ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("case.closed", {"outcome": "resolved", "replied_at": "2026-11-23"}),
        ("case.paused", {"reason": "hearing", "expected_until": "2026-12-31"}),
        ("case.classified", {"kind": "complex"}),
    ],
)
def test_what_no_longer_stands_when_its_hour_comes_is_not_sent(hall, event, data):
    accept(hall)
    hall.until("2026-11-23 16:00")
    with hall.app.db.write() as conn:  # the tick ran early, the sender late
        conn.execute(tables.clocks.update().values(next_at=hall.now))
    hall.sleep_until("2026-11-24 08:30")
    ticking.fire_due(hall.app, now=hall.now)
    hall.says(event, **data)
    hall.until("2026-11-24 12:00")
    hall.expect()


def test_a_voided_acceptance_takes_its_messages_along(hall):
    hall.send(hall.event("case.accepted", event_id="a1", kind="simple", department="社会事务科", handler="zhangsan"))
    hall.until("2026-11-24 07:00")
    (done,) = hall.send(hall.event("event.voided") | {"data": {"event_id": "a1", "reason": "录错"}})
    assert done["status"] == "applied"
    hall.until("2026-11-30 12:00")
    hall.expect()


def test_the_new_handler_is_told_instead_of_the_old_one(hall):
    accept(hall)
    hall.sleep_until("2026-11-24 08:30")
    ticking.fire_due(hall.app, now=hall.now)
    hall.says("case.assigned", handler="wangwu")
    hall.until("2026-11-24 12:00")
    hall.expect("11-24 08:30 wecom 王五 【即将到期】BBC-1")


def test_a_reminder_is_not_sent_after_the_fact(hall):
    """Nobody looked for a day: the handler hears what is true now, once."""
    accept(hall)
    hall.sleep_until("2026-11-25 10:00")
    hall.tick()
    hall.expect("11-25 10:00 wecom 张三 【今天到期】BBC-1")
