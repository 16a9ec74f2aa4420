"""Was the leader told, and when? One line has the answer."""

from __future__ import annotations

import pytest
from story import story
from test_dispatch import BEGIN, Provider, Providers

from sla_service.delivery import outcome as o
from sla_service.delivery.receipts import Report
from sla_service.services import acknowledge, messages, receipts
from sla_service.store.queries import MessageFilter


def lines(hall, **wanted):
    return [m["text"] for m in messages.listed(hall.app, MessageFilter(**wanted))]


def test_one_line_says_who_was_told_what_when_and_what_became_of_it(db_url):
    with story(db_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(script=[o.refused("81013")]), sms=Provider("yunmas"))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-25 10:00")
        refused, told, due = reversed(lines(hall))
        assert refused.endswith("wecom 承办人张三：BBC-1 due-1wd（到期日 11-25），没有发到（81013，refused: 81013）")
        assert told.startswith("11-24 08:31 wecom 科长李四：BBC-1 due-1wd（到期日 11-25），服务商已收下（")
        assert due.startswith("11-25 08:31 wecom 承办人张三：BBC-1 due-0wd")


def test_receipt_and_acknowledgement_stand_in_the_same_line(db_url):
    with story(db_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(), sms=Provider("yunmas"))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-26 09:00")
        receipts.take(hall.app, "sms", [Report("p1", delivered=True, code="CM:0000")], now=hall.now)
        acknowledge.by_person(hall.app, "hall", "BBC-1", "lisi", now=hall.now)
        (line,) = [text for text in lines(hall, recipients=("lisi",)) if "breach" in text and " sms " in text]
        assert "；11-26 09:00 知道了（业务系统）" in line
        assert any("；11-26 09:00 回执已送达" in text for text in lines(hall, states=("delivered",)))


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
        ("limit recipient 2/86400s", "发送限额：每人 1 天最多 2 条"),
        ("limit channel 20/60s", "发送限额：整个渠道 1 分钟最多 20 条"),
        ("send_window", "等上班时间"),
        ("receipt: MK:0001", "回执：MK:0001"),
        ("refused: 60020", "refused: 60020"),
    ],
)
def test_reasons_are_said_in_words(reason, words):
    assert messages.why(reason) == words
