"""Sending windows and hours: what must wait stays queued with its reason, what comes meanwhile joins it, nobody is
sent more than the provider bears, however many workers there are.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import at
from story import CONFIG, Story, story
from test_dispatch import BEGIN, Provider, Providers, states

from sla_service.delivery import outcome as o
from sla_service.delivery.limits import Per, Window
from sla_service.delivery.message import Message
from sla_service.domain.policy import BEIJING
from sla_service.services import dispatch, holding, ticking
from sla_service.services.claiming import PEOPLE
from sla_service.services.config import Config, load_config
from sla_service.store import tables


def config(*ladder: str, via: tuple[str, ...] = ("sms",), limits: tuple[Window, ...] | None = None) -> Config:
    """The shipped configuration with everything over ``via``, and windows on sms; only these steps of the ladder."""
    found = load_config(CONFIG)
    target = found.policy.targets[0]
    steps = tuple(replace(s, via=via, all=False) for s in target.ladder if not ladder or s.key in ladder)
    policy = replace(found.policy, version="via", targets=(replace(target, ladder=steps),))
    channels = {**found.channels, "sms": replace(found.channels["sms"], limits=limits)}
    return replace(found, policy=policy, channels=channels)


def accept(hall: Story, *numbers: int, handler: str = "zhangsan", time: str | None = None) -> None:
    for n in numbers:
        hall.says("case.accepted", time, no=f"C{n}", kind="simple", department="社会事务科", handler=handler)


class Timed(Provider):
    """Notes when it was asked, by the story's clock."""

    hall: Story

    def deliver(self, message: Message) -> o.Outcome:
        self.times.append(self.hall.now)
        return super().deliver(message)

    times: list[datetime]


def timed(hall: Story, scheme: str) -> Timed:
    made = Timed(scheme)
    made.hall, made.times = hall, []
    return made


def shown(times: list[datetime]) -> list[str]:
    return [t.astimezone(BEIJING).strftime("%m-%d %H:%M") for t in times]


def test_what_comes_while_a_window_is_full_joins_what_waits_in_it(db_url):
    with story(db_url, "2026-11-19 09:00", config=config("due-1wd", limits=(Window(Per.RECIPIENT, 1, 90000),))) as hall:
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)  # due on the 24th
        hall.until("2026-11-20 09:00")
        accept(hall, 2, 3)  # due on the 25th
        hall.until("2026-11-23 09:00")
        accept(hall, 4, 5, 6)
        hall.until("2026-11-25 17:00")  # 25 hours after the first, and 25 hours after the second
        assert shown(sms.times) == ["11-23 08:30", "11-24 09:30", "11-25 10:30"]
        assert [m.title for m in sms.asked][1:] == ["【办件提醒】2 件待办", "【办件提醒】3 件待办"]


def test_what_must_wait_says_why_and_goes_when_the_window_opens(db_url):
    with story(db_url, BEGIN, config=config("breach", limits=(Window(Per.RECIPIENT, 1, 1800),))) as hall:
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)
        hall.sleep_until("2026-11-26 09:00")
        hall.tick()
        accept(hall, 2, time="2026-11-20 10:12")  # comes late, has run out
        hall.now = at("2026-11-26 09:10")
        hall.tick()
        (waiting,) = [m for m in hall.rows(tables.messages) if m["no"] == "C2" and m["recipient"] == "zhangsan"]
        assert (waiting["state"], waiting["reason"]) == ("queued", "limit recipient 1/1800s")
        assert waiting["not_before"].astimezone(BEIJING).strftime("%H:%M") == "09:30"
        hall.until("2026-11-26 12:00")
        assert shown(sms.times) == ["11-26 09:00", "11-26 09:00", "11-26 09:30", "11-26 09:30"]


def test_a_window_that_opens_at_night_waits_for_the_hall_to_open(db_url):
    with story(db_url, BEGIN, config=config("due-1wd", limits=(Window(Per.RECIPIENT, 1, 15 * 3600),))) as hall:
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)
        hall.until("2026-11-24 09:00")
        accept(hall, 2, time="2026-11-20 11:00")  # comes late: its step has passed too
        hall.until("2026-11-25 12:00")
        assert shown(sms.times) == ["11-24 08:30", "11-25 08:30"]


def test_a_channels_own_window_counts_everybody(db_url):
    one_a_minute = config("breach", limits=(Window(Per.CHANNEL, 1, 60),))
    with story(db_url, BEGIN, config=one_a_minute) as hall:
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)
        hall.until("2026-11-26 12:00")  # handler and section head
        assert shown(sms.times) == ["11-26 08:30", "11-26 08:31"]


def test_what_certainly_did_not_go_out_takes_no_place_in_a_window(db_url):
    with story(db_url, BEGIN, config=config("due-1wd", limits=(Window(Per.RECIPIENT, 1, 3600),))) as hall:
        sms = timed(hall, "yunmas")
        sms.script = [o.unavailable("503")]
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)
        hall.until("2026-11-24 08:40")
        assert len(sms.times) == 2
        assert states(hall, step="due-1wd") == [("sms", "zhangsan", "accepted")]


def test_leaders_get_one_bundle_a_day_by_sms(db_url):
    with story(db_url, BEGIN, config=config("breach+2wd", limits=())) as hall:
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        accept(hall, 1)
        hall.until("2026-11-27 09:00")
        accept(hall, 2, time="2026-11-20 10:12")
        hall.until("2026-11-27 17:00")
        assert shown(sms.times) == ["11-27 08:30"]
        hall.until("2026-11-30 17:00")
        assert shown(sms.times)[1:] == ["11-30 08:30"]


def test_nothing_goes_out_after_hours_even_if_the_workers_were_away_until_then(db_url):
    with story(db_url, BEGIN) as hall:
        accept(hall, 1)
        hall.sleep_until("2026-11-24 12:00")
        ticking.fire_due(hall.app, now=hall.now)
        hall.sleep_until("2026-11-24 20:00")
        hall.tick()
        hall.expect()
        hall.until("2026-11-25 08:30")
        assert hall.news()[0] == "11-25 08:30 wecom 张三 【今天到期】C1"


def test_a_step_that_may_go_at_any_hour_goes_at_any_hour(db_url):
    found = load_config(CONFIG)
    target = found.policy.targets[0]
    ladder = tuple(replace(s, window="always") if s.key == "breach" else s for s in target.ladder)
    always = replace(found, policy=replace(found.policy, version="a", targets=(replace(target, ladder=ladder),)))
    with story(db_url, BEGIN, config=always) as hall:
        accept(hall, 1)
        hall.until("2026-11-25 17:29")
        hall.news()
        hall.until("2026-11-25 17:31")
        assert {line[:11] for line in hall.news()} == {"11-25 17:30"}


def test_maintenance_holds_without_losing_and_can_end_early(db_url):
    with story(db_url, BEGIN) as hall:
        accept(hall, 1)
        hall.until("2026-11-24 08:00")
        holding.pause(hall.app, channel="wecom", until=at("2026-11-24 12:00"), now=hall.now)
        hall.until("2026-11-24 11:00")
        hall.expect()
        (waiting,) = hall.rows(tables.messages)
        assert (waiting["state"], waiting["reason"]) == ("queued", "maintenance")
        assert holding.resume(hall.app, channel="wecom", now=hall.now) == 1
        hall.tick()
        hall.expect("11-24 11:00 wecom 张三 【即将到期】C1")
        holding.pause(hall.app, channel=None, until=at("2026-11-25 15:00"), now=hall.now)
        hall.until("2026-11-25 15:00")
        hall.expect("11-25 15:00 wecom 张三 【今天到期】C1", "11-25 15:00 wecom 李四 【今天到期】C1")


def test_first_sends_keep_out_of_the_crowded_minute_of_a_real_wecom(db_url):
    with story(db_url, BEGIN) as hall:
        wecom = timed(hall, "wecomapp")
        hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
        accept(hall, 1)
        hall.until("2026-11-24 09:00")
        (sent,) = wecom.times
        assert timedelta(minutes=1) <= sent - at("2026-11-24 08:30") <= timedelta(seconds=90)


@pytest.mark.parametrize("workers", [4])
def test_workers_that_claim_at_the_same_time_keep_one_window_together(pg_url, workers):
    from concurrent.futures import ThreadPoolExecutor

    with story(pg_url, BEGIN, config=config("due-1wd", limits=(Window(Per.CHANNEL, 7, 60),))) as hall:
        people = tuple(
            replace(hall.app.config.directory.people[0], id=f"p{n}", name=f"员工{n}", aliases=()) for n in range(40)
        )
        directory = replace(hall.app.config.directory, people=(*hall.app.config.directory.people, *people))
        hall.app.config = replace(hall.app.config, directory=directory)
        sms = timed(hall, "yunmas")
        hall.app.channels = Providers(sms=sms)
        for n in range(40):
            accept(hall, n, handler=f"p{n}")
        hall.sleep_until("2026-11-24 08:31")
        ticking.fire_due(hall.app, now=hall.now)
        with ThreadPoolExecutor(workers) as pool:
            for work in [
                pool.submit(dispatch.deliver, hall.app, "sms", clock=lambda: hall.now) for _ in range(workers)
            ]:
                work.result()
        assert len(sms.times) == 7
        hall.until("2026-11-24 08:37")
        assert [shown(sms.times).count(f"11-24 08:{m}") for m in range(31, 37)] == [7, 7, 7, 7, 7, 5]


def test_workers_that_repeat_at_the_same_time_keep_one_window_together(pg_url):
    """Each worker locks other envelopes than the rest: only the channel's lock holds their windows together."""
    from concurrent.futures import ThreadPoolExecutor

    workers, places = 4, 7
    limited = config("due-1wd", limits=(Window(Per.CHANNEL, places, 3600),))
    with story(pg_url, BEGIN, config=config("due-1wd", limits=())) as hall:
        first = hall.app.config.directory.people[0]
        people = tuple(replace(first, id=f"p{n}", name=f"员工{n}", aliases=()) for n in range(PEOPLE * workers))
        directory = replace(hall.app.config.directory, people=people)
        hall.app.config = replace(hall.app.config, directory=directory)
        sms = timed(hall, "yunmas")
        sms.script = [o.unavailable("connect") for _ in people]
        hall.app.channels = Providers(sms=sms)
        given = {"kind": "simple", "department": "社会事务科"}
        hall.send(*(hall.event("case.accepted", no=f"C{n}", handler=p.id, **given) for n, p in enumerate(people)))
        hall.sleep_until("2026-11-24 08:31")
        hall.tick()
        assert len(sms.times) == len(people)
        hall.app.config = replace(limited, directory=directory)
        hall.sleep_until("2026-11-24 08:35")
        with ThreadPoolExecutor(workers) as pool:
            done = [pool.submit(dispatch.deliver, hall.app, "sms", clock=lambda: hall.now) for _ in range(workers)]
        assert sum(one.result() for one in done) == places
