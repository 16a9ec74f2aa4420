"""An alert never vanishes for want of a recipient: who was told instead stands with the case."""

from __future__ import annotations

from story import story
from test_dispatch import BEGIN, Provider, Providers

from sla_service.delivery import outcome as o


def codes(case) -> list[str]:
    return [f["code"] for f in case["findings"]]


def test_a_handler_nobody_knows_is_a_finding_once_somebody_else_was_told(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="陌生人")
        hall.until("2026-11-24 09:00")
        hall.expect("11-24 08:30 wecom 李四 【即将到期】BBC-1")
        case = hall.says("case.progressed", text="在办")
        assert codes(case) == ["handler_unknown"]
        assert "改为通知科长李四" in case["findings"][0]["text"]


def test_the_finding_goes_with_the_holder_it_was_about(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="陌生人")
        hall.until("2026-11-24 09:00")
        assert codes(hall.says("case.assigned", handler="zhangsan")) == []


def test_an_urge_that_finds_no_handler_says_so_in_its_own_answer(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科")
        assert codes(hall.says("case.urged", by="热线", text="请尽快")) == ["no_handler"]


def test_whom_no_channel_reaches_is_a_finding_too(db_url):
    with story(db_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(script=[o.refused("81013")]), sms=Provider("yunmas"))
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-24 09:00")
        case = hall.says("case.progressed", text="在办")
        assert [(f["code"], f["text"]) for f in case["findings"]] == [
            ("unreachable", "张三的企业微信消息没有发到，改为通知科长李四")
        ]
