"""Sending to case systems: at least once, in order per case, nobody held up, given up only where it is seen."""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from hooked import hooked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from receiver import Receiver

from sla_service.delivery.webhook_client import Answer
from sla_service.services import webhook_sending, webhooks
from sla_service.store import tables_webhooks


@pytest.fixture
def told(db_url):
    with hooked(db_url) as made:
        yield made


def ids(receiver: Receiver) -> list[str]:
    return [t.id for t in receiver.taken]


def test_moves_of_one_case_arrive_in_order_and_are_done(told):
    told.moves("A", 4)
    told.send()
    assert [t.event["data"]["new_due_on"] for t in told.told()] == [None, "2026-11-25"] * 2
    assert told.states() == ["sent"] * 4
    assert told.send() == 0


def test_a_failure_is_tried_again_by_the_schedule_with_the_same_id_and_body_and_a_new_time(told):
    told.receiver.answer = 500
    told.put("A")
    told.send()
    assert told.states() == ["waiting"]
    [row] = told.outbox()
    assert timedelta(seconds=5) <= row["not_before"] - told.hall.now <= timedelta(seconds=5.5)
    assert (row["status"], row["answer"]) == (500, "HTTP 500")
    assert told.send() == 0, "not before its time"
    told.receiver.answer = 204
    told.hall.now += timedelta(seconds=6)
    told.send()
    first, second = told.receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 6
    assert second.signed_by(told.secret)
    assert told.states() == ["sent"]


def test_ten_tries_over_three_days_then_it_is_dead_and_a_command_repeats_it(told):
    told.receiver.answer = (503, {}, b"busy " * 1000)
    told.put("A")
    began = told.hall.now
    while told.states() == ["waiting"]:
        told.hall.now = told.outbox()[0]["not_before"]
        told.send()
    assert len(told.receiver.got) == 10
    assert timedelta(hours=75) < told.hall.now - began < timedelta(hours=84)
    [row] = told.outbox()
    assert (row["state"], row["status"]) == ("dead", 503)
    assert len(row["answer"]) <= 1024
    [(level, trouble, fix)] = webhooks.troubles(told.hall.app, now=told.hall.now)
    assert level == "error"
    assert "1 个事件没有发到 hall" in trouble
    assert "sla webhooks retry" in fix
    told.receiver.answer = 200
    told.hall.now += timedelta(minutes=6)
    assert webhooks.repeat(told.hall.app, source="hall", event_id=None, who="test", now=told.hall.now) == 1
    told.send()
    assert told.states() == ["sent"]
    assert len({t.id for t in told.receiver.got}) == 1
    assert webhooks.troubles(told.hall.app, now=told.hall.now) == []


def test_a_later_one_waits_for_the_earlier_of_its_case_and_other_cases_go_on(told):
    told.receiver.answer = lambda t: 422 if t.id == "evt_hall0" else 200
    told.put("A", "A", "B", "A", "C")
    told.send()
    assert sorted(ids(told.receiver)) == ["evt_hall2", "evt_hall4"]
    told.receiver.answer = 200
    told.hall.now += timedelta(seconds=6)
    told.send()
    assert ids(told.receiver)[2:] == ["evt_hall0", "evt_hall1", "evt_hall3"]


def test_after_a_dead_one_the_later_ones_of_its_case_go_out(told):
    told.receiver.answer = lambda t: 400 if t.id == "evt_hall0" else 200
    told.put("A", "A")
    while told.states()[0] == "waiting":
        told.hall.now = told.outbox()[0]["not_before"]
        told.send()
    assert told.states() == ["dead", "sent"]


def test_who_comes_back_after_his_lease_records_nothing(told, caplog):
    told.put("A")

    class Late:
        def post(self, *_):
            told.hall.now += webhook_sending.LEASE + timedelta(seconds=1)
            told.send()  # somebody else takes it over meanwhile
            return Answer(500, "too late")

    webhook_sending.send(told.hall.app, Late(), clock=lambda: told.hall.now)
    [row] = told.outbox()
    assert (row["state"], row["attempt"], row["status"]) == ("sent", 2, 200)
    assert "fenced off" in caplog.text


def test_a_secret_that_does_not_open_is_said_and_nothing_is_lost(told, caplog):
    with told.hall.app.db.write() as conn:
        conn.execute(tables_webhooks.signing_secrets.update().values(secret="v1.00000000.AAAA"))
    told.put("A")
    assert told.send() == 0
    assert "SLA_DATA_KEY" in caplog.text
    assert told.states() == ["waiting"]
    told.hall.now += timedelta(minutes=6)
    new = webhooks.renew(told.hall.app, "hall", overlap=timedelta(), who="test", now=told.hall.now).secret
    told.send()
    assert told.receiver.taken[0].signed_by(new)


def test_the_doctor_says_which_secrets_do_not_open(told):
    with told.hall.app.db.write() as conn:
        conn.execute(tables_webhooks.signing_secrets.update().values(secret="v1.00000000.AAAA"))
    [(level, text, _)] = webhooks.troubles(told.hall.app, now=told.hall.now)
    assert level == "error"
    assert "来源 hall 的签名密钥打不开" in text


def test_a_worker_that_is_to_end_begins_nothing_more(told):
    told.put(*(f"N{i}" for i in range(20)))
    told.send(stop=lambda: len(told.receiver.got) > 0)
    assert 1 <= len(told.receiver.got) <= webhook_sending.PER_SOURCE
    assert "sending" not in told.states()


def test_removing_the_address_takes_what_waits_with_it(told):
    told.receiver.answer = 500
    told.put("A", "B")
    told.send()
    assert webhooks.remove(told.hall.app, "hall", who="test", now=told.hall.now) == 2
    assert told.outbox() == []
    assert told.hall.rows(tables_webhooks.signing_secrets) == []


def test_a_fault_of_ours_is_a_failed_try_and_not_an_endless_one(told, caplog):
    class Broken:
        def post(self, *_):
            raise ZeroDivisionError

    told.put("A")
    webhook_sending.send(told.hall.app, Broken(), clock=lambda: told.hall.now)
    assert told.states() == ["waiting"]
    assert "ZeroDivisionError" in caplog.text
    told.hall.now += timedelta(seconds=6)
    told.send()
    assert told.states() == ["sent"]


def test_old_rows_go(told):
    told.put("A", "B")
    told.receiver.answer = lambda t: 200 if t.event["subject"] == "A" else 410
    told.send(threads=1)
    told.hall.now += timedelta(days=31)
    assert webhooks.prune(told.hall.app, now=told.hall.now) == 1
    told.hall.now += timedelta(days=60)
    assert webhooks.prune(told.hall.app, now=told.hall.now) == 1


def test_four_workers_send_each_once_and_in_order(told):
    cases = [f"C{n}" for n in range(8)]
    told.put(*(cases * 10))
    threads = [threading.Thread(target=told.send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(t.id for t in told.receiver.got) == sorted(r["event_id"] for r in told.outbox())
    for no in cases:
        mine = [int(t.id.removeprefix("evt_hall")) for t in told.receiver.got if t.event["subject"] == no]
        assert mine == sorted(mine)


ANSWERS = st.sampled_from([200, 200, 204, 302, 400, 404, 422, 429, 500, 503, None])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cases=st.lists(st.sampled_from("ABC"), min_size=1, max_size=12),
    answers=st.lists(ANSWERS, max_size=40),
    deaths=st.sets(st.integers(0, 40)),
)
def test_whatever_fails_each_case_is_told_everything_in_order(sqlite_url, cases, answers, deaths):
    """Random answers, and workers that die between the receiver's answer and their record of it."""
    with hooked(sqlite_url) as told:
        told.put(*cases)
        heard: list[tuple[str, int]] = []
        todo, tries = list(answers), 0

        class Fickle:
            def post(self, _url, body, headers):
                nonlocal tries
                tries += 1
                answer = todo.pop(0) if todo else 200
                number = int(headers["webhook-id"].removeprefix("evt_hall"))
                if answer in (200, 204):
                    heard.append((cases[number], number))
                if tries in deaths:
                    raise KeyboardInterrupt
                return Answer(answer, "")

        for _ in range(200):
            try:
                webhook_sending.send(told.hall.app, Fickle(), clock=lambda: told.hall.now, threads=1)
            except KeyboardInterrupt:
                told.hall.now += webhook_sending.LEASE
            if set(told.states()) <= {"sent"}:
                break
            told.hall.now += timedelta(minutes=30)
        assert set(told.states()) == {"sent"}
        firsts = defaultdict(list)
        for no, number in heard:
            if number not in firsts[no]:
                firsts[no].append(number)
        assert sum(map(len, firsts.values())) == len(cases)
        assert all(one == sorted(one) for one in firsts.values())
        webhooks.remove(told.hall.app, "hall", who="test", now=told.hall.now)
        with told.hall.app.db.write() as conn:
            conn.execute(tables_webhooks.webhook_events.delete())


def test_a_webhook_goes_out_with_the_words_of_the_contract(told):
    told.moves("BBC〔2026〕1")
    told.send()
    [one] = told.told()
    assert one.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert one.event["subject"] == "BBC〔2026〕1"
    assert one.event["source"] == "sla-service"
    assert one.event["time"] == "2026-11-20T10:01:00+08:00"
