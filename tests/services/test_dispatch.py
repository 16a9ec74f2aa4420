"""Sending under faults: leases, fences, fallbacks, unclear answers. The channel is scripted, the database is real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from builders import at
from story import Story, story

from sla_service.delivery import outcome as o
from sla_service.delivery.message import Message
from sla_service.delivery.registry import Channel
from sla_service.services import dispatch, recording
from sla_service.store import deliveries, tables

BEGIN, DUE = "2026-11-20 10:12", "2026-11-26 09:05"


@dataclass
class Provider:
    """Answers by script, remembers what it was asked."""

    scheme: str = "wecomapp"
    script: list[o.Outcome | Callable[[], o.Outcome]] = field(default_factory=list)
    asked: list[Message] = field(default_factory=list)

    def deliver(self, message: Message) -> o.Outcome:
        self.asked.append(message)
        answer = self.script.pop(0) if self.script else o.accepted(f"p{len(self.asked)}")
        return answer() if callable(answer) else answer


class Providers:
    """Stands where ``Channels`` stands."""

    def __init__(self, **providers: Provider) -> None:
        self.of = providers

    def open(self, name: str) -> Channel:
        provider = self.of[name]
        return Channel(name, provider.scheme, f"{provider.scheme}://", 5.0, provider.deliver, lambda: None)

    def close(self) -> None: ...


@pytest.fixture
def hall(db_url):
    with story(db_url, BEGIN) as made:
        yield made


def overdue(hall: Story, wecom: Provider, sms: Provider) -> None:
    """One case whose breach is told to handler and section head on both channels, then acted on by the handler."""
    hall.app.channels = Providers(wecom=wecom, sms=sms)
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.sleep_until(DUE)
    hall.tick()


def states(hall: Story, **where: str) -> list[tuple[str, str, str]]:
    rows = [m for m in hall.rows(tables.messages) if all(m[k] == v for k, v in where.items())]
    return sorted((m["channel"], m["recipient"], m["state"]) for m in rows)


def test_accepted_is_recorded_with_the_providers_id_and_each_try(hall):
    overdue(hall, Provider(), Provider("yunmas"))
    assert {s for *_, s in states(hall)} == {"accepted"}
    rows = hall.rows(tables.deliveries)
    assert {(r["state"], r["attempt"]) for r in rows} == {("accepted", 1)}
    assert all(r["provider_id"] for r in rows)
    assert {a["outcome"] for a in hall.rows(tables.attempts)} == {"accepted"}


def test_a_refused_reminder_goes_to_the_role_above_when_no_channel_is_left(hall):
    wecom = Provider(script=[o.refused("81013", "user not found")])
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.until("2026-11-24 09:00")
    assert states(hall, step="due-1wd") == [("wecom", "lisi", "accepted"), ("wecom", "zhangsan", "failed")]


def test_a_refused_escalation_falls_to_the_next_channel_of_the_same_person(hall):
    wecom, sms = Provider(), Provider("yunmas")
    overdue(hall, wecom, sms)
    wecom.script = [o.refused("60020", "not allow to access from your ip")]
    hall.until("2026-11-27 09:05")  # station chief, wecom then sms
    assert states(hall, step="breach+2wd") == [("sms", "lisi", "accepted"), ("wecom", "lisi", "failed")]


def test_unavailable_is_tried_again_later_and_arrives_once(hall):
    wecom = Provider(script=[o.unavailable("503")] * 2)
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.until("2026-11-24 09:00")
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "accepted")]
    assert [a["outcome"] for a in hall.rows(tables.attempts)] == ["unavailable", "unavailable", "accepted"]


def test_an_unclear_wecom_send_is_repeated_byte_for_byte(hall):
    wecom = Provider(script=[o.unknown("timeout")])
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.until("2026-11-24 08:31")
    hall.says("case.progressed", text="在办")  # whatever happens meanwhile must not change the bytes
    hall.until("2026-11-24 09:00")
    first, again = wecom.asked
    assert first == again
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "accepted")]


def test_an_unclear_sms_reminder_is_parked_and_seen_not_sent_again(hall):
    config = hall.app.config
    target = config.policy.targets[0]
    from dataclasses import replace

    ladder = tuple(replace(s, via=("sms",)) for s in target.ladder)
    policy = replace(config.policy, version="sms", targets=(replace(target, ladder=ladder),))
    hall.app.config = replace(config, policy=policy)
    sms = Provider("yunmas", script=[o.unknown("timeout")])
    hall.app.channels = Providers(wecom=Provider(), sms=sms)
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.until("2026-11-24 17:00")
    assert len(sms.asked) == 1
    assert states(hall, step="due-1wd") == [("sms", "zhangsan", "unknown")]


def test_a_plugin_that_raises_loses_nothing(hall):
    def bang() -> o.Outcome:
        raise RuntimeError("secret-in-message")

    wecom = Provider(script=[bang])
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.until("2026-11-24 09:00")
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "accepted")]
    assert "secret-in-message" not in str(hall.rows(tables.attempts))


def test_a_worker_that_died_before_the_call_leaves_an_envelope_that_is_sent(hall):
    wecom = Provider()
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.sleep_until("2026-11-24 08:30")
    from sla_service.services import ticking

    ticking.fire_due(hall.app, now=hall.now)
    dispatch._claim(hall.app, "wecom", now=hall.now, lease=dispatch.LEASE)  # and the worker is gone
    hall.tick()
    assert wecom.asked == []
    hall.now += dispatch.LEASE + timedelta(seconds=1)
    hall.tick()
    assert len(wecom.asked) == 1
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "accepted")]


def test_a_worker_that_comes_back_after_its_lease_is_fenced_off(hall):
    wecom = Provider()
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.sleep_until("2026-11-24 08:32")
    from sla_service.services import ticking

    ticking.fire_due(hall.app, now=hall.now)
    (stale,) = dispatch._claim(hall.app, "wecom", now=hall.now, lease=dispatch.LEASE)
    (stale,) = dispatch._mark(hall.app, [stale], clock=lambda: hall.now, lease=dispatch.LEASE)
    hall.now += dispatch.LEASE + timedelta(seconds=1)
    hall.tick()  # found: unclear, to be repeated
    hall.now += timedelta(minutes=2)
    hall.tick()  # repeated by another worker
    recording.record(hall.app, [(stale, o.refused("81013"))], now=hall.now)
    recording.record(hall.app, [(stale, o.accepted("late"))], now=hall.now)
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "accepted")]
    assert [r["state"] for r in hall.rows(tables.deliveries)] == ["accepted"]


def test_a_repeat_too_late_for_the_providers_memory_is_not_sent(hall):
    wecom = Provider(script=[o.unknown("timeout")])
    hall.app.channels = Providers(wecom=wecom, sms=Provider("yunmas"))
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.sleep_until("2026-11-24 08:32")
    hall.tick()
    hall.sleep_until("2026-11-24 11:01")  # all workers were away
    hall.tick()
    assert len(wecom.asked) == 1
    assert states(hall, step="due-1wd") == [("wecom", "zhangsan", "unknown")]


def test_one_channel_that_cannot_be_opened_does_not_hold_up_the_others(hall):
    from sla_service.errors import ChannelError

    class Broken(Providers):
        def open(self, name: str) -> Channel:
            if name == "sms":
                raise ChannelError("渠道 sms 的地址不能用")
            return super().open(name)

    wecom = Provider()
    hall.app.channels = Broken(wecom=wecom)
    hall.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
    hall.sleep_until(DUE)
    hall.tick()
    assert states(hall, channel="wecom") == [("wecom", "lisi", "accepted"), ("wecom", "zhangsan", "accepted")]
    assert {s for *_, s in states(hall, channel="sms")} == {"queued"}


def test_two_workers_make_one_envelope_per_person(pg_url):
    with story(pg_url, BEGIN) as hall:
        hall.app.channels = Providers(wecom=Provider(), sms=Provider("yunmas"))
        for n in range(30):
            hall.says("case.accepted", no=f"C{n}", kind="simple", department="社会事务科", handler="zhangsan")
        hall.sleep_until("2026-11-24 08:30")
        from sla_service.services import ticking

        ticking.fire_due(hall.app, now=hall.now)
        with hall.app.db.write() as one, hall.app.db.write() as two:
            first = deliveries.claim_recipients(one, "wecom", now=at("2026-11-24 08:30"), limit=10)
            second = deliveries.claim_recipients(two, "wecom", now=at("2026-11-24 08:30"), limit=10)
        assert (len(first), len(second)) == (30, 0)
