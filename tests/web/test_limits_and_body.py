"""The bucket of tokens, the memory for keys, and unpacking: small parts with sharp edges."""

from __future__ import annotations

import asyncio
import gzip
import random
from contextlib import suppress
from urllib.parse import quote

import pytest
from door import at
from hypothesis import given
from hypothesis import strategies as st

from sla_service.web.api.params import pack_cursor, unpack_cursor
from sla_service.web.body import unpack
from sla_service.web.border import in_segment, segments
from sla_service.web.keys import REMEMBERED, Keys
from sla_service.web.limits import Rate
from sla_service.web.problems import Problem

NOW = at("2026-11-20 10:12")
KEY = "sla_0a1b_secret"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time():
    clock = Clock()
    rate = Rate(6, clock=clock)
    assert [rate.take("a") for _ in range(6)] == [0.0] * 6
    assert rate.take("a") == pytest.approx(10)
    assert rate.take("b") == 0.0
    clock.now += 9.9
    assert rate.take("a") == pytest.approx(0.1)
    clock.now += 0.1
    assert rate.take("a") == 0.0
    clock.now += 3600
    assert [rate.take("a") for _ in range(7)].count(0.0) == 6


def test_no_limit_is_no_limit():
    rate = Rate(0)
    assert {rate.take("a") for _ in range(1000)} == {0.0}


def test_a_flood_of_addresses_does_not_fill_the_memory():
    clock = Clock()
    rate = Rate(2, clock=clock)
    for i in range(30_000):
        rate.take(f"address {i}")
    assert len(rate._known) <= 10_001


# -- keys -----------------------------------------------------------------------------------------------------------


class Sources:
    """A database of one key that counts how often it was asked."""

    def __init__(self, owner="hall"):
        self.owner, self.asked, self.touched = owner, 0, []

    async def lookup(self, key, now):
        assert now == NOW
        self.asked += 1
        await asyncio.sleep(0.01)
        return self.owner if key == KEY else None

    def touch(self, key, now):
        self.touched.append((key, now))


def keys_of(sources, clock):
    return Keys(sources.lookup, sources.touch, requests=Rate(0), failures=Rate(60), clock=clock)


def test_a_key_is_looked_up_once_for_all_that_arrive_together_and_again_after_seconds():
    sources, clock = Sources(), Clock()
    keys = keys_of(sources, clock)

    async def use(n=1):
        return await asyncio.gather(*(keys.source(f"Bearer {KEY}", "a", NOW) for _ in range(n)))

    async def story():
        assert await use(50) == ["hall"] * 50
        assert sources.asked == 1
        clock.now += REMEMBERED - 0.1
        await use()
        assert sources.asked == 1
        clock.now += 0.2
        await use()
        assert sources.asked == 2
        assert len(sources.touched) == 1, "its use is noted to the minute"
        clock.now += 60
        await use()
        assert len(sources.touched) == 2

    asyncio.run(story())


def test_a_key_that_was_taken_away_stops_within_seconds():
    sources, clock = Sources(), Clock()
    keys = keys_of(sources, clock)

    async def story():
        await keys.source(f"Bearer {KEY}", "a", NOW)
        sources.owner = None
        clock.now += REMEMBERED + 0.1
        with pytest.raises(Problem) as refused:
            await keys.source(f"Bearer {KEY}", "a", NOW)
        assert refused.value.status == 401

    asyncio.run(story())


# -- gzip -----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=3000), st.integers(1, 3))
def test_what_was_packed_in_any_number_of_members_comes_out(content, members):
    size = len(content) // members + 1
    packed = b"".join(gzip.compress(content[i : i + size]) for i in range(0, len(content), size)) or gzip.compress(b"")
    assert unpack(packed, 1 << 20) == content


@given(st.integers(0, 400_000), st.integers(1, 300_000))
def test_beyond_the_limit_unpacking_stops_one_byte_later(size, limit):
    found = unpack(gzip.compress(b"a" * size, 1), limit)
    assert found is not None
    assert len(found) == min(size, limit + 1)


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_refused_and_never_an_error(garbage):
    assert unpack(garbage, 1000) is None


def test_every_cut_of_a_packed_body_is_refused():
    packed = gzip.compress(random.Random(1).randbytes(500))
    assert [unpack(packed[:n], 10_000) for n in range(1, len(packed))] == [None] * (len(packed) - 1)


# -- names in paths and cursors ---------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_name_survives_its_way_through_a_path(name):
    path = segments(f"/v1/cases/hall/{quote(name, safe='')}".encode())
    assert path.count("/") == 4
    assert in_segment(path.split("/")[4]) == name


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40), st.integers(0, 2**60))
def test_a_cursor_comes_back_as_it_was(text, number):
    assert unpack_cursor(pack_cursor(text, number), str, int) == [text, number]


@given(st.text(max_size=40))
def test_an_invented_cursor_is_refused_or_harmless(text):
    with suppress(Problem):
        assert unpack_cursor(text, str, str) is not None
