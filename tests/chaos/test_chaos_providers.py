"""Providers that take a message and say nothing, say nonsense, refuse, or stand still; the other channel goes on."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from arena import arena
from hall_files import person
from ledger import settle, shown

from sla_service.store import tables

pytestmark = [pytest.mark.slow, pytest.mark.long_form]

GROUP = 4
#: What the provider does -> the outcome that must stand in the books (channels.md).
FAULTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("timeout_after", {"seconds": 5}, "unknown"),
    ("status", {"status": 500}, "unavailable"),
    ("status", {"status": 502, "accept": True}, "unknown"),
    ("code", {"code": 45009}, "rate_limited"),
    ("half gone", {}, "refused"),
    ("garbage", {}, "unknown"),
    ("stall", {"seconds": 30}, "unknown"),
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_a_provider_does_has_its_outcome_and_holds_up_no_other_channel(kind, url, redis_url, tmp_path, book):
    with arena(url, redis_url, tmp_path, people=GROUP * len(FAULTS)) as field:
        field.beat()
        field.worker()
        field.wait(lambda: "succeeded" in field.logs("worker"))
        due, gone = [], set()
        for n, (fault, how, outcome) in enumerate(FAULTS):
            begin, end = n * GROUP, (n + 1) * GROUP
            if fault == "half gone":
                gone = {person(i) for i in range(begin, begin + GROUP // 2)}
                field.stub.fault("invalid", provider="wecomapp", users=sorted(gone))
            else:
                field.stub.fault(fault, provider="wecomapp", times=GROUP, **how)
            group = field.overdue(begin, end)
            texts = {t for t in group if t[0] == "yunmas"}
            field.wait(lambda texts=texts: texts <= set(shown(field)))  # while WeCom is still at it
            people = [person(i) for i in range(begin, end)]
            field.wait(lambda people=people, n=outcome: n in _outcomes(field, people))
            field.stub.control(clear=True)
            due += [t for t in group if t[1] not in gone]
        heads = [("wecomapp", person(0), f"C{int(who[1:]):05}") for who in gone]  # who cannot be told: the next role up
        field.settle()
        settle(field, "provider's faults", due + heads, book)
        failed = field.rows(sa.select(tables.messages.c.recipient).where(tables.messages.c.state == "failed"))
        assert {r["recipient"] for r in failed} == gone


def _outcomes(field, people: list[str]) -> set[str]:
    a, d = tables.attempts, tables.deliveries
    query = sa.select(a.c.outcome).join(d, d.c.id == a.c.delivery)
    return {r["outcome"] for r in field.rows(query.where(d.c.recipient.in_(people), d.c.channel == "wecom"))}
