"""Requests that are signed instead of carrying a key (Standard Webhooks)."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import timedelta

import pytest
from door import BATCH, STRUCTURED, open_door, problem
from signer import ROUTE, Signer, sign

from sla_service.delivery import standard_webhooks as scheme
from sla_service.services import sources
from sla_service.store import tables, tables_webhooks


@pytest.fixture
def signer(door):
    return Signer(door)


@pytest.fixture
def lite_signer(lite):
    return Signer(lite)


def test_the_specifications_own_example_is_reproduced():
    """https://github.com/standard-webhooks/standard-webhooks (tests of the reference libraries)."""
    from datetime import UTC, datetime

    key = scheme.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    made = scheme.sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signed_event_is_taken_for_the_source_whose_secret_it_is(signer):
    response = signer.post(signer.door.accepted())
    assert response.status_code == 200, response.text
    assert response.json()["results"][0]["status"] == "applied"
    [row] = signer.door.rows(tables.inbox)
    assert (row["source"], row["door"]) == ("hall", "http")


def test_a_batch_may_be_signed_and_an_event_of_another_source_in_it_is_invalid(signer):
    signer.door.new_source("other")
    foreign = {**signer.door.accepted("B"), "source": "other"}
    response = signer.post([signer.door.accepted("A"), foreign], BATCH)
    assert [r["status"] for r in response.json()["results"]] == ["applied", "invalid"]


def test_the_source_may_stand_in_the_address(lite_signer):
    named = "/v1/events?source=hall"
    problem(lite_signer.post(b"{not json", path=named), 400)
    problem(lite_signer.post(b"{not json"), 401)
    other = {**lite_signer.door.accepted(), "source": "other"}
    problem(lite_signer.post(other, path=named), 403)
    assert lite_signer.post(lite_signer.door.accepted(), path=named).status_code == 200


def test_a_repeat_within_the_tolerance_meets_its_own_event(signer):
    event = signer.door.accepted()
    assert [signer.post(event).json()["results"][0]["status"] for _ in range(2)] == ["applied", "duplicate"]
    signer.door.hall.now += timedelta(minutes=4)
    assert signer.post(event, at=signer.door.hall.now - timedelta(minutes=4)).status_code == 200
    assert len(signer.door.rows(tables.inbox)) == 1


def test_the_same_id_with_another_body_is_refused(signer):
    event = signer.door.accepted("A")
    signer.post(event)
    forged = json.dumps({**event, "subject": "B"}, ensure_ascii=False).encode()
    problem(signer.post(event, sent=forged), 401)
    assert [r["no"] for r in signer.door.rows(tables.cases)] == ["A"]


@pytest.mark.parametrize("off", [timedelta(minutes=-5, seconds=-1), timedelta(minutes=5, seconds=1)])
def test_beyond_five_minutes_either_way_it_is_refused(lite_signer, off):
    said = problem(lite_signer.post(lite_signer.door.accepted(), at=lite_signer.door.hall.now + off), 401)
    assert "5 分钟" in said["detail"]
    inside = off * (299 / 301)
    assert lite_signer.post(lite_signer.door.accepted(), at=lite_signer.door.hall.now + inside).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": "a.b"},
        {"webhook-id": ""},
        {"webhook-timestamp": "17000000000000000000"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": "v1," * 5000},
    ],
)
def test_forged_headers_are_401(lite_signer, headers):
    problem(lite_signer.post(lite_signer.door.accepted(), headers=headers), 401)
    assert lite_signer.door.rows(tables.inbox) == []
    assert lite_signer.door.rows(tables.kept) == []


def test_a_wrong_secret_and_a_source_that_is_not_there_get_the_same_answer(lite_signer):
    lite_signer.door.new_source("other")  # has no signing secret
    lite_signer.secret = scheme.new_secret()
    answers = [
        problem(lite_signer.post({**lite_signer.door.accepted(), "source": name}), 401)["detail"]
        for name in ("hall", "other", "nobody", "\x00", "x" * 300)
    ]
    assert len(set(answers)) == 1


def test_of_several_signatures_one_has_to_be_right(lite_signer):
    event = lite_signer.door.accepted()
    body = json.dumps(event, ensure_ascii=False).encode()
    right = sign(lite_signer.secret, body, lite_signer.door.hall.now)["webhook-signature"]
    wrong = sign(scheme.new_secret(), body, lite_signer.door.hall.now)["webhook-signature"]
    many = f"v1a,xxxx {wrong} {right}"
    assert lite_signer.post(body, headers={"webhook-signature": many}).status_code == 200


def test_secrets_overlap_while_they_are_rotated(signer):
    old = signer.secret
    new = Signer(signer.door, signer.rotate())
    signer.forget()
    assert signer.post(signer.door.accepted("A")).status_code == 200
    assert new.post(signer.door.accepted("B")).status_code == 200
    signer.door.hall.now += timedelta(hours=1)
    signer.forget()
    assert signer.secret == old
    problem(signer.post(signer.door.accepted("C")), 401)
    assert new.post(signer.door.accepted("D")).status_code == 200


def test_what_is_signed_is_the_body_as_it_came(lite_signer):
    packed = gzip.compress(json.dumps(lite_signer.door.accepted()).encode())
    assert lite_signer.post(packed, headers={"Content-Encoding": "gzip"}).status_code == 200
    unpacked = json.dumps(lite_signer.door.accepted("B")).encode()
    problem(lite_signer.post(unpacked, sent=gzip.compress(unpacked), headers={"Content-Encoding": "gzip"}), 401)


def test_the_binary_mode_is_refused_since_its_headers_are_not_signed(lite_signer):
    event = lite_signer.door.accepted()
    headers = {f"ce-{k}": event[k] for k in ("specversion", "id", "type", "subject", "time", "source")}
    for path in (ROUTE, "/v1/events?source=hall"):
        said = problem(lite_signer.post(event["data"], "application/json", headers=headers, path=path), 401)
        assert "结构化" in said["detail"]


def test_the_order_of_refusals_is_that_of_the_contract(lite_signer):
    wrong = Signer(lite_signer.door, scheme.new_secret())
    event = lite_signer.door.accepted()
    problem(wrong.post(event, "text/xml"), 401)
    problem(lite_signer.post(event, "text/xml"), 415)
    problem(lite_signer.post({**event, "data": {"kind": "urgent"}}), 422)
    problem(lite_signer.post(b"x" * ((1 << 20) + 1), at=lite_signer.door.hall.now), 413)
    problem(lite_signer.post(b"x" * ((1 << 20) + 1), at=lite_signer.door.hall.now - timedelta(hours=1)), 401)
    bomb = gzip.compress(b" " * (1 << 21))
    problem(lite_signer.post(bomb, headers={"Content-Encoding": "gzip"}), 413)


def test_a_key_comes_before_a_signature(lite_signer):
    event = lite_signer.door.accepted()
    bearer = {"Authorization": f"Bearer {lite_signer.door.key}", "webhook-signature": "v1,AAAA"}
    assert lite_signer.post(event, headers=bearer).status_code == 200
    problem(lite_signer.post(event, headers={"Authorization": "Bearer sla_00_x"}), 401)


def test_signatures_open_no_other_door(lite_signer):
    headers = sign(lite_signer.secret, b"", lite_signer.door.hall.now)
    assert lite_signer.door.client.get("/v1/cases", headers=headers).status_code == 401
    assert lite_signer.door.client.get("/v1/webhook", headers=headers).status_code == 401


def test_what_is_signed_for_a_source_does_not_open_its_door(lite_signer):
    from sla_service.services import webhooks

    out = webhooks.put(lite_signer.door.hall.app, "hall", "https://x.example/", who="t", now=lite_signer.door.hall.now)
    problem(Signer(lite_signer.door, out.secret).post(lite_signer.door.accepted()), 401)


def test_nothing_is_lost_that_a_right_signature_came_with(lite_signer):
    lite_signer.post({**lite_signer.door.accepted(), "data": {"kind": "urgent"}})
    [kept] = lite_signer.door.rows(tables.kept)
    assert (kept["source"], kept["status"]) == ("hall", "invalid")


def test_the_last_use_of_a_secret_is_noted(signer):
    signer.post(signer.door.accepted())
    signer.door.api.state.web.committer.close()
    [row] = signer.door.rows(tables_webhooks.signing_secrets)
    assert row["last_used_at"] == signer.door.hall.now
    [listed] = sources.listed(signer.door.hall.app)
    assert listed["signing"][0]["last_used_at"] == signer.door.hall.now


def test_addresses_that_guess_are_held_off_and_a_right_secret_behind_them_goes_on(sqlite_url):
    with open_door(sqlite_url, rate_failures=5) as door:
        signer = Signer(door)
        assert signer.post(door.accepted("A")).status_code == 200
        wrong, asked = Signer(door, scheme.new_secret()), []
        signatures = door.api.state.web.signatures
        real = signatures._lookup
        signatures._lookup = lambda source, now: asked.append(source) or real(source, now)
        statuses = [wrong.post({**door.accepted("B"), "source": f"s{n}"}).status_code for n in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        assert asked == [f"s{n}" for n in range(5)], "the database is left alone"
        signer.forget()
        assert signer.post(door.accepted("C")).status_code == 200


def test_the_rate_of_a_signing_source_is_limited_too(sqlite_url):
    with open_door(sqlite_url, rate_requests=2) as door:
        signer = Signer(door)
        statuses = [signer.post(door.accepted()).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_many_at_once_ask_the_database_once(lite_signer):
    web, asked = lite_signer.door.api.state.web, []
    real = web.signatures._lookup

    async def counted(source, now):
        asked.append(source)
        return await real(source, now)

    web.signatures._lookup = counted
    bodies = [json.dumps(lite_signer.door.accepted(f"N{n}")).encode() for n in range(20)]

    async def all_at_once():
        posts = (
            lite_signer.door.client.http.post(
                ROUTE,
                content=body,
                headers={**sign(lite_signer.secret, body, lite_signer.door.hall.now), "Content-Type": STRUCTURED},
            )
            for body in bodies
        )
        return await asyncio.gather(*posts)

    answers = lite_signer.door.client.run(all_at_once())
    assert {a.status_code for a in answers} == {200}
    assert asked == ["hall"]
