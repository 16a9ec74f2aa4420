"""``sla messages``: anyone who asks "was the leader told, and when?" has the answer in one line."""

from __future__ import annotations

import pytest
from builders import at
from command_line import Shell, accepted
from story import make_app

from sla_service.services import acknowledge, dispatch, ticking


def looks(shell: Shell, text: str) -> None:
    """Somebody looks, and sends, at that time."""
    app = make_app(shell.env["SLA_DATABASE_URL"], clock=lambda: at(text))
    ticking.fire_due(app, now=at(text))
    dispatch.deliver_all(app, clock=lambda: at(text))
    app.db.dispose()
    shell.clock(text)


@pytest.fixture
def hall(both: Shell) -> Shell:
    """A case accepted on Friday the 20th, due on Wednesday the 25th."""
    both.clock("2026-11-20 10:12")
    both.ok("source", "add", "hall", "--go-live", "2026-11-01")
    both.ok("ingest", both.write("e.jsonl", [accepted()]))
    for day in ("2026-11-24 08:30", "2026-11-25 08:30", "2026-11-25 14:00", "2026-11-26 08:30"):
        looks(both, day)
    return both


def test_each_message_is_a_line_newest_first_and_what_comes_next_stands_below(hall):
    lines = hall.ok("messages", "--case", "BBC-1").lines
    assert sorted(lines[:4], reverse=True) + lines[4:] == [
        "11-26 08:30 科长李四（短信）：BBC-1 超期督办，到期日 11-25，已发出",
        "11-26 08:30 科长李四（企业微信）：BBC-1 超期督办，到期日 11-25，已发出",
        "11-26 08:30 承办人张三（短信）：BBC-1 超期督办，到期日 11-25，已发出",
        "11-26 08:30 承办人张三（企业微信）：BBC-1 超期督办，到期日 11-25，已发出",
        "11-25 14:00 科长李四（企业微信）：BBC-1 到期当天 14:00 提醒，到期日 11-25，已发出",
        "11-25 08:30 承办人张三（企业微信）：BBC-1 到期当天提醒，到期日 11-25，已发出",
        "11-24 08:30 承办人张三（企业微信）：BBC-1 到期前 1 个工作日提醒，到期日 11-25，已发出",
        "11-27 08:30 会告诉站长：BBC-1 超期 2 个工作日督办",
        "11-30 08:30 会告诉局长：BBC-1 超期 3 个工作日督办",
        "12-02 08:30 会告诉站长、局长：BBC-1 超期 5 个工作日督办",
    ]


def test_was_the_leader_told_and_when(hall):
    not_yet = hall.ok("messages", "--case", "BBC-1", "--role", "bureau_leader")
    assert not_yet.lines[:2] == ["没有这样的消息。", "11-30 08:30 会告诉局长：BBC-1 超期 3 个工作日督办"]
    looks(hall, "2026-11-27 08:30")
    looks(hall, "2026-11-30 08:30")
    told = hall.ok("messages", "--case", "BBC-1", "--role", "bureau_leader")
    assert told.lines[0] == "11-30 08:30 局长王五（企业微信）：BBC-1 超期 3 个工作日督办，到期日 11-25，已发出"
    app = make_app(hall.env["SLA_DATABASE_URL"])
    acknowledge.by_person(app, "hall", "BBC-1", "王五", now=at("2026-11-30 09:02"))
    app.db.dispose()
    told = hall.ok("messages", "--case", "BBC-1", "--role", "bureau_leader")
    assert told.lines[0].endswith("已发出；11-30 09:02 知道了（业务系统）")
    assert "王五已知晓" in hall.ok("show", "hall", "BBC-1").out


def test_what_waits_says_what_for_and_until_when(hall):
    hall.ok("messages", "hold", "--until", "2026-11-27 12:00", "--channel", "wecom")
    looks(hall, "2026-11-27 08:30")
    line = hall.ok("messages", "--case", "BBC-1", "--role", "station_chief").lines[0]
    assert line == (
        "11-27 12:00 以后 站长李四（企业微信）：BBC-1 超期 2 个工作日督办，到期日 11-25，待发（渠道维护中）"
    )
    hall.ok("messages", "resume", "--channel", "wecom")
    looks(hall, "2026-11-27 08:40")
    line = hall.ok("messages", "--case", "BBC-1", "--role", "station_chief").lines[0]
    assert line.endswith("，已发出")


def test_scripts_get_every_field(hall):
    row = hall.ok("messages", "--case", "BBC-1", "--to", "lisi", "--limit", 1, "--json").json[0]
    assert (row["step"], row["role"], row["to"], row["state"]) == ("breach", "section_head", "lisi", "accepted")
    assert (row["due_on"], row["sent_at"]) == ("2026-11-25", "2026-11-26T08:30:00+08:00")


def test_nothing_found_is_said(hall):
    assert hall.ok("messages", "--case", "BBC-9").lines == ["没有这样的消息。"]
    assert hall("messages", "--state", "lost").code == 2


def test_the_address_for_receipts_carries_the_token(hall):
    url = hall.ok("messages", "receipt-url", "sms").out.strip()
    assert url.startswith("http://127.0.0.1:8000/v1/receipts/sms?token=")
    assert hall.ok("messages", "receipt-url", "sms").out.strip() == url
    assert "没有渠道 fax" in hall("messages", "receipt-url", "fax").err
