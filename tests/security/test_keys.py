"""Keys: forged, another's, guessed a hundred thousand times, and compared without telling how much was right."""

from __future__ import annotations

import asyncio
import hmac

import pytest
from door import BATCH, case_path, open_door, problem

from sla_service.store import sources
from sla_service.web.keys import Keys
from sla_service.web.limits import Rate
from sla_service.web.problems import Problem


@pytest.fixture
def door(sqlite_url):
    with open_door(sqlite_url) as opened:
        yield opened


def test_anothers_case_is_answered_on_every_path_like_one_that_does_not_exist(door):
    door.send(door.accepted("SECRET-1", title="机密事项"))
    other = door.new_source("other")
    for more in ((), ("timeline",), ("explain",)):
        there = door.get(case_path("SECRET-1", *more), key=other)
        nowhere = door.get(case_path("NOTHING", *more), key=other)
        problem(there, 404)
        assert there.text.replace("SECRET-1", "NOTHING") == nowhere.text
    path = case_path("SECRET-1", "ack")
    asked = door.client.post(path, json={"by": "zhangsan"}, headers=door.headers(other))
    assert asked.status_code == 404
    for query in ({}, {"source": "hall"}, {"q": "机密"}, {"q": "SECRET"}):
        assert door.get("/v1/cases", key=other, **query).json()["cases"] == []
    assert "SECRET-1" not in door.get("/v1/notifications", key=other).text


def test_events_of_another_source_are_refused_alone_and_invalid_in_a_batch(door):
    other = door.new_source("other")
    event = door.accepted("X")
    problem(door.post(event, key=other), 403)
    assert [r["status"] for r in door.post([event], BATCH, key=other).json()["results"]] == ["invalid"]
    assert door.rows(sources.tables.cases) == []


def test_every_forged_key_gets_the_same_answer(door):
    prefix, key_id, secret = door.key.split("_", 2)
    other = door.new_source("other").split("_", 2)
    forged = [
        f"{prefix}_{key_id}_{other[2]}",
        f"{prefix}_{other[1]}_{secret}",
        f"{prefix}_{key_id}_{secret[:-1]}",
        f"{prefix}_{key_id}_{secret}x",
        f"{prefix}_{key_id}_{secret.swapcase()}",
        f"{prefix}_{'0' * 12}_{secret}",
        f"SLA_{key_id}_{secret}",
        f"{key_id}_{secret}",
        "' OR 1=1 --",
        "sla__",
        "x" * 10_000,
    ]
    answers = {door.get("/v1/cases", key=key).text for key in forged}
    assert len(answers) == 1
    problem(door.get("/v1/cases", key=forged[0]), 401)


def test_an_unknown_id_costs_the_same_comparison_as_a_wrong_secret(door, monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(sources.hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or real(a, b))
    prefix, key_id, secret = door.key.split("_", 2)
    with door.hall.app.db.read() as conn:
        for key in (f"{prefix}_{'0' * 12}_{secret}", f"{prefix}_{key_id}_{'x' * 43}", door.key):
            sources.owner(conn, key, now=door.hall.now)
    assert compared == [(64, 64)] * 3  # hashes, so that not even the length of a secret shows


def test_the_database_holds_no_key(door):
    with door.hall.app.db.read() as conn:
        text = str(sources.keys(conn))
    assert door.key.split("_", 2)[2] not in text


def test_a_hundred_thousand_wrong_keys_cost_few_look_ups_and_little_memory_and_lock_out_nobody_else():
    asked = []

    async def lookup(key: str, _now) -> str | None:
        asked.append(key)
        return "hall" if key.endswith("right") else None

    keys = Keys(lookup, lambda *_: None, requests=Rate(0), failures=Rate(60, clock=lambda: 1000.0))

    async def attack() -> None:
        assert await keys.source("Bearer sla_00_right", "10.0.0.9", None) == "hall"
        for n in range(100_000):
            address = "10.0.0.9" if n % 2 else f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
            with pytest.raises(Problem):
                await keys.source(f"Bearer sla_{n:x}_wrong", address, None)
        assert await keys.source("Bearer sla_00_right", "10.0.0.9", None) == "hall"

    asyncio.run(attack())
    from_one = sum(1 for key in asked if int(key.split("_")[1], 16) % 2)
    assert from_one < 1_000  # the bucket of an address is forgotten when ten thousand others came after it
    remembered = [v for v in vars(keys).values() if isinstance(v, dict)]
    assert max(map(len, remembered)) < 20_000
    assert len(keys._failures._known) <= 10_001
