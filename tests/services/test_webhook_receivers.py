"""Receivers that are away, slow, gone or elsewhere: nobody waits for them but their own events."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hooked import hook, hooked
from receiver import Receiver

from sla_service.services import webhook_sending, webhooks
from sla_service.store import sources


@pytest.fixture
def told(db_url):
    with hooked(db_url) as made:
        yield made


def test_410_disables_and_what_waits_can_be_repeated_at_a_new_address(told):
    told.receiver.answer = 410
    told.put("A", "A", "B")
    told.send(threads=1)
    assert set(told.states()) == {"dead"}
    assert len(told.receiver.got) == 1
    assert webhooks.get(told.hall.app, "hall", now=told.hall.now).state == "disabled"
    told.moves("Z")
    assert len(told.outbox()) == 3, "nothing is written for it any more"
    assert {level for level, _, _ in webhooks.troubles(told.hall.app, now=told.hall.now)} == {"warning", "error"}
    told.receiver.answer = 200
    assert webhooks.put(told.hall.app, "hall", told.receiver.url, who="test", now=told.hall.now).secret is None
    assert webhooks.repeat(told.hall.app, source="hall", event_id=None, who="test", now=told.hall.now) == 3
    told.send()
    assert told.states() == ["sent"] * 3


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_for_the_whole_receiver(told, status):
    told.receiver.answer = (status, {"Retry-After": "1800"}, b"")
    told.put("A")
    told.send()
    told.put("B")
    told.receiver.answer = 200
    told.hall.now += timedelta(minutes=29)
    assert told.send() == 0
    told.hall.now += timedelta(minutes=1, seconds=1)
    told.send()
    assert told.states() == ["sent", "sent"]


def test_redirects_are_failures_and_are_not_followed(told):
    with Receiver() as elsewhere:
        told.receiver.answer = (307, {"Location": elsewhere.url}, b"")
        told.put("A")
        told.send()
        assert elsewhere.got == []
    assert (told.states(), told.outbox()[0]["status"]) == (["waiting"], 307)


def test_a_receiver_that_is_away_is_left_alone_and_catches_up_at_once_when_it_is_back(told):
    told.receiver.answer = 500
    told.put(*(f"N{i}" for i in range(50)))
    told.send()
    assert len(told.receiver.got) <= webhook_sending.PER_SOURCE
    for _ in range(20):  # most of an hour
        told.hall.now += timedelta(minutes=2.6)
        told.send()
    assert len(told.receiver.got) < 30
    told.receiver.answer = 200
    told.hall.now += timedelta(minutes=6)
    told.send()
    assert told.states() == ["sent"] * 50


def test_a_receiver_away_for_good_has_no_endless_backlog(told):
    told.receiver.answer = 500
    told.put(*(f"N{i}" for i in range(20)))
    told.send()
    told.hall.now += timedelta(hours=85)
    told.send()
    states = told.states()
    assert states.count("dead") >= 15
    assert states.count("waiting") <= 5


def test_one_that_hangs_holds_up_nobody(told):
    let_go = threading.Event()
    with told.hall.app.db.write() as conn:
        sources.add(conn, "slow", hall="main", test=False, go_live=told.hall.now, now=told.hall.now)
    with Receiver(answer=lambda _: (let_go.wait(20), 200)[1]) as slow:
        hook(told.hall.app, slow, "slow", now=told.hall.now)
        told.put(*(f"S{i}" for i in range(30)), source="slow")
        told.put(*(f"N{i}" for i in range(40)))
        sending = threading.Thread(target=told.send)
        sending.start()
        for _ in range(200):
            if len(told.receiver.taken) == 40:
                break
            sending.join(0.1)
        assert len(told.receiver.taken) == 40
        assert len(slow.got) <= webhook_sending.PER_SOURCE
        assert slow.taken == []
        let_go.set()
        sending.join(30)
    assert set(told.states()) == {"sent"}


def test_a_receiver_that_refuses_one_event_is_not_away(told):
    told.receiver.answer = 500
    told.put("A", "B", "C")
    told.send(threads=1)
    told.receiver.answer = lambda t: 422 if t.event["subject"] == "A" else 200
    told.hall.now += timedelta(seconds=6)
    told.send(threads=1)
    assert told.states() == ["waiting", "sent", "sent"]
    assert webhooks.get(told.hall.app, "hall", now=told.hall.now).state == "active"
