""" "Seen": it rests the step for that case and person, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from builders import at
from story import CONFIG, Story, story
from test_dispatch import Provider, Providers

from sla_service.errors import NotFoundError, UsageError
from sla_service.services import acknowledge, links
from sla_service.services.config import load_config
from sla_service.settings import Settings
from sla_service.store import tables

PUBLIC = Settings(public_url="https://sla.example")
BEGIN = "2026-11-20 10:12"


def nagging(until: str = "acknowledged"):
    """The section head is told of a breach each working day until he has seen it (or it is closed)."""
    found = load_config(CONFIG)
    target = found.policy.targets[0]
    ladder = tuple(
        replace(s, repeat=1, until=until, to=("section_head",), via=("wecom",))
        for s in target.ladder
        if s.key == "breach"
    )
    return replace(found, policy=replace(found.policy, version=until, targets=(replace(target, ladder=ladder),)))


@pytest.fixture
def hall(db_url):
    with story(db_url, BEGIN, config=nagging()) as made:
        made.app.settings = PUBLIC
        made.says("case.accepted", kind="simple", title="诊所名称核准", department="社会事务科", handler="zhangsan")
        yield made


def token(hall: Story, n: int = -1) -> str:
    return urlsplit(hall.bodies()[n].splitlines()[-1]).path.removeprefix("/a/")


def breach_days(hall: Story) -> list[str]:
    return [line[:5] for line in hall.news()]


def test_nobody_acts_and_the_step_comes_back_each_working_day(hall):
    hall.until("2026-11-30 12:00")
    assert breach_days(hall) == ["11-26", "11-27", "11-30"]


def test_seen_by_the_link_ends_the_repeats_and_says_who_and_when(hall):
    hall.until("2026-11-27 12:00")
    assert breach_days(hall) == ["11-26", "11-27"]
    assert acknowledge.by_link(hall.app, token(hall), now=hall.now) == 1
    hall.until("2026-12-10 12:00")
    hall.expect()
    (row,) = hall.rows(tables.acks)
    assert (row["person"], row["step"], row["via"], row["at"]) == ("lisi", "breach", "link", at("2026-11-27 12:00"))
    (note,) = [j for j in hall.rows(tables.journal) if j["what"] == "acknowledged"]
    assert note["detail"] == {"target": "resolve", "person": "lisi", "steps": ["breach"], "via": "link"}
    assert {m["reason"] for m in hall.rows(tables.messages) if m["state"] == "suppressed"} == {"acknowledged"}


def test_looking_at_the_page_says_nothing(hall):
    hall.until("2026-11-26 12:00")
    told = acknowledge.view(hall.app, token(hall), now=hall.now)
    assert (told.person, [c.no for c in told.cases], told.all_seen) == ("李四", ["BBC-1"], False)
    assert told.cases[0].status == "已超期 1 个工作日"
    assert hall.rows(tables.acks) == []


def test_the_first_word_stands(hall):
    hall.until("2026-11-26 12:00")
    link = token(hall)
    assert acknowledge.by_link(hall.app, link, now=hall.now) == 1
    assert acknowledge.by_link(hall.app, link, now=hall.now + timedelta(hours=1)) == 0
    assert [r["at"] for r in hall.rows(tables.acks)] == [at("2026-11-26 12:00")]


def test_what_goes_on_until_closed_goes_on(db_url):
    with story(db_url, BEGIN, config=nagging("closed")) as hall:
        hall.app.settings = PUBLIC
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-26 12:00")
        acknowledge.by_link(hall.app, token(hall), now=hall.now)
        hall.until("2026-11-30 12:00")
        assert breach_days(hall) == ["11-26", "11-27", "11-30"]


def test_the_ladder_goes_on_for_everybody_else(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-26 12:00")
        hall.news()
        acknowledge.by_person(hall.app, "hall", "BBC-1", "张三", now=hall.now)
        hall.until("2026-11-30 12:00")
        hall.expect("11-27 08:30 wecom 李四 【超期】BBC-1", "11-30 08:30 wecom 王五 【超期】BBC-1")


def test_seen_between_decision_and_sending_is_not_sent(db_url):
    with story(db_url, BEGIN) as hall:
        hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.until("2026-11-25 20:00")  # the breach waits for the morning
        hall.news()
        done = acknowledge.by_person(hall.app, "hall", "BBC-1", "zhangsan", now=hall.now)
        assert [a["step"] for a in done["acknowledged"]] == ["due-1wd", "due-0wd", "breach"]
        hall.until("2026-11-26 12:00")
        hall.expect("11-26 08:30 wecom 李四 【超期】BBC-1", "11-26 08:30 sms 李四 【超期】BBC-1")


def test_a_case_or_person_that_is_not_there_is_said(hall):
    with pytest.raises(NotFoundError, match="hall/BBC-9"):
        acknowledge.by_person(hall.app, "hall", "BBC-9", "zhangsan", now=hall.now)
    with pytest.raises(UsageError, match="nobody"):
        acknowledge.by_person(hall.app, "hall", "BBC-1", "nobody", now=hall.now)


def test_a_link_opens_what_it_was_signed_for_until_it_expires(hall):
    hall.until("2026-11-26 12:00")
    link = token(hall)
    delivery, expires, mac = link.split(".")
    wrong = [
        "",
        "x",
        f"{int(delivery) + 1}.{expires}.{mac}",
        f"{delivery}.{int(expires) + 1}.{mac}",
        f"{link}A",
        "²" * 5,
    ]
    for bad in wrong:
        with pytest.raises(links.LinkError):
            links.opened(hall.app, bad, now=hall.now)
    with pytest.raises(links.LinkError) as late:
        links.opened(hall.app, link, now=hall.now + links.VALID + timedelta(days=1))
    assert late.value.expired


def test_all_processes_share_the_key_that_signs(hall):
    links.ready(hall.app, now=hall.now)
    here = links.sign(hall.app, 1, hall.now)
    hall.app.link_key = None  # another process
    links.ready(hall.app, now=hall.now)
    assert links.sign(hall.app, 1, hall.now) == here


def test_a_card_click_counts_once_and_only_for_whoever_got_the_card(hall):
    wecom = Provider()
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.until("2026-11-26 12:00")
    task = wecom.asked[-1].task
    click = {
        "Event": "template_card_event",
        "EventKey": "ack",
        "TaskId": task,
        "CreateTime": "1",
        "FromUserName": "LiSi",
    }
    assert acknowledge.by_card(hall.app, {**click, "FromUserName": "wangwu"}, now=hall.now) is None
    assert acknowledge.by_card(hall.app, {**click, "TaskId": task + "1"}, now=hall.now) is None
    assert acknowledge.by_card(hall.app, {**click, "Event": "enter_agent"}, now=hall.now) is None
    assert acknowledge.by_card(hall.app, click, now=hall.now).new == 1
    assert acknowledge.by_card(hall.app, click, now=hall.now) is None  # WeCom repeats the call
    again = acknowledge.by_card(hall.app, {**click, "CreateTime": "9", "ResponseCode": "r2"}, now=hall.now)
    assert (again.new, again.code, again.words) == (0, "r2", "李四已知晓")  # a second click greys the button out too
    assert [r["via"] for r in hall.rows(tables.acks)] == ["card"]


def test_a_repeat_of_an_unclear_card_has_the_same_task_and_link(hall):
    from sla_service.delivery import outcome as o

    wecom = Provider(script=[o.unknown("timeout")])
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.until("2026-11-26 12:00")
    first, again = wecom.asked
    assert first == again
    assert first.url.startswith("https://sla.example/a/")
    assert first.task


def test_a_card_in_english_says_so_on_its_buttons(hall):
    wecom = Provider()
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.app.settings = Settings(public_url="https://sla.example", lang="en")
    hall.until("2026-11-26 12:00")
    card = wecom.asked[-1]
    assert (card.title, card.seen, card.button) == ("[Overdue] BBC-1", "Got it", "Open")
    click = {"Event": "template_card_event", "EventKey": "ack", "TaskId": card.task, "FromUserName": "lisi"}
    assert acknowledge.by_card(hall.app, click, now=hall.now).words == "Seen by 李四"
