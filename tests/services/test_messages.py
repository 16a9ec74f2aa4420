"""Was the leader told, and when? One line has the answer."""

from __future__ import annotations

import pytest
from story import story
from test_dispatch import BEGIN, Provider, Providers

from sla_service.delivery import outcome as o
from sla_service.delivery.receipts import Report
from sla_service.services import acknowledge, messages, receipts
from sla_service.services import words as said
from sla_service.store.queries import MessageFilter


def lines(hall, **wanted):
    return [m["text"] for m in messages.listed(hall.app, MessageFilter(**wanted))]


def test_one_line_says_who_was_told_what_when_and_what_became_of_it(db_url):
    with story(db_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(script=[o.refused("81013")]), sms=Provider("yunmas"))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-25 10:00")
        refused, told, due = reversed(lines(hall))
        assert refused.endswith(
            " 承办人张三（企业微信）：BBC-1 到期前 1 个工作日提醒，到期日 11-25，没有发到（服务商拒收：81013）"
        )
        assert told == "11-24 08:31 科长李四（企业微信）：BBC-1 到期前 1 个工作日提醒，到期日 11-25，已发出"
        assert due == "11-25 08:31 承办人张三（企业微信）：BBC-1 到期当天提醒，到期日 11-25，已发出"


def test_receipt_and_acknowledgement_stand_in_the_same_line(db_url):
    with story(db_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(), sms=Provider("yunmas"))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-26 09:00")
        receipts.take(hall.app, "sms", [Report("p1", delivered=True, code="CM:0000")], now=hall.now)
        acknowledge.by_person(hall.app, "hall", "BBC-1", "lisi", now=hall.now)
        (line,) = [text for text in lines(hall, recipients=("lisi",)) if "超期督办" in text and "短信" in text]
        assert "；11-26 09:00 知道了（业务系统）" in line
        assert any("；11-26 09:00 回执：已送达" in text for text in lines(hall, states=("delivered",)))


def test_what_waits_says_what_for(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.says("case.closed", outcome="resolved")
        hall.says("case.reopened", reason="重办")
        hall.until("2026-11-24 09:00")
        assert all("：BBC-1 " in text for text in lines(hall))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("limit recipient 2/86400s", "发送限额：每人每天最多 2 条"),
        ("limit channel 20/60s", "发送限额：整个渠道每分钟最多 20 条"),
        ("send_window", "等上班时间"),
        ("receipt: MK:0001", "回执说没有送到：MK:0001"),
        ("refused: 60020", "服务商拒收：60020"),
        ("unavailable 6 times: connect", "服务商不可用，试了 6 次：connect"),
        ("rate_limited: 45009, not before 0:02:00", "服务商限速：45009"),
        ("unclear: read_timeout, a repeat might be shown twice", "没有等到服务商的回答，重发可能重复：read_timeout"),
        ("partial", "服务商没有收下这个人"),
        ("limit content 50/604800s", "发送限额：同样内容每人每 7 天最多 50 条"),
    ],
)
def test_reasons_are_said_in_words(reason, words):
    assert said.why(reason) == words
