"""Down for days, and everything that happens between a message's decision and its sending."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from arena import arena
from builders import at
from hall_files import person, phone
from ledger import Row, settle

from sla_service.store import tables

pytestmark = pytest.mark.slow

SHIPPED = """{at: due-1wd, to: [handler], via: [wecom]}
{at: due-0wd, to: [handler], via: [wecom]}
{at: due-0wd 14:00, to: [section_head], via: [wecom]}
{at: breach, to: [handler, section_head], via: [wecom, sms], all: true}
{at: breach+2wd, to: [section_head], via: [wecom, sms]}"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long_form)])
def test_down_for_five_days_over_several_steps_one_catch_up_message_per_person(kind, url, redis_url, tmp_path, book):
    begin = at("2026-11-03 09:00")  # a Tuesday: simple cases run out on Friday at close
    with arena(url, redis_url, tmp_path, people=3, ladder=SHIPPED, begin=begin) as field:
        for n in range(5):
            field.take(field.event("case.accepted", f"C{n:05}", begin.isoformat(), handler=person(1)))
        field.beat()
        field.worker()
        field.wait(lambda: "succeeded" in field.logs("worker"))
        field.kill_all()
        field.jump((at("2026-11-09 10:00") - field.now).total_seconds())
        field.beat()
        field.worker()
        field.settle()
        told = sorted((e["provider"], e["to"]) for e in field.stub.shown())
        wanted = sorted((p, a) for n in (0, 1) for p, a in (("wecomapp", person(n)), ("yunmas", phone(n))))
        assert told == wanted, "one message per person and channel, no storm"
        text = next(e["text"] for e in field.stub.shown() if e["provider"] == "wecomapp")
        assert all(f"C{n:05}" in text for n in range(5))
        breaches = field.rows(sa.select(tables.clocks.c.breached_at))
        assert {r["breached_at"] for r in breaches} == {at("2026-11-06 17:30")}, (
            "the true instant, not that of the look"
        )
        book(Row("down for five days", kind, field.kills, len(wanted), len(told), 0, 0, 0, 0))


@pytest.mark.parametrize("kind", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long_form)])
def test_what_happens_between_decision_and_sending_decides(kind, url, redis_url, tmp_path, book):
    opened, begin = at("2026-11-03 09:00"), at("2026-11-06 09:00")  # due today, told at the opening
    reminder = "{at: due-0wd, to: [handler], via: [wecom, sms], all: true}"
    with arena(url, redis_url, tmp_path, people=10, ladder=reminder, begin=begin) as field:
        names = {f"C{n:05}": person(n) for n in range(7)}
        field.take(*(field.event("case.accepted", no, opened.isoformat(), handler=who) for no, who in names.items()))
        assert field.look() == 14  # queued, nobody sends yet
        field.web()
        now = field.now.isoformat()
        happened = [
            field.event("case.closed", "C00000", outcome="resolved", replied_at=now),
            field.event("case.paused", "C00001", reason="hearing", applicant_informed_at=now),
            field.event("case.assigned", "C00002", handler=person(8)),
            field.event("event.voided", "C00003", event_id=_accepted(field, "C00003"), reason="重复登记"),
            field.event("case.classified", "C00004", kind="complex"),  # ten days instead of three
        ]
        status, _, body = field.post(happened)
        assert (status, {r["status"] for r in json.loads(body)["results"]}) == (200, {"applied"})
        assert field.ack("C00006", person(6))[0] == 200
        field.worker()
        field.settle()
        moved = [("wecomapp", person(8), "C00002"), ("yunmas", phone(8), "C00002")]
        settle(field, "changed before sending", [*field.due(5, 6), *moved], book)
        m = tables.messages.c
        gone = field.rows(sa.select(m.no, m.reason).where(m.state == "suppressed").distinct())
        reasons = {r["no"]: r["reason"] for r in gone}
        assert reasons == {
            "C00000": "closed",
            "C00001": "paused",
            "C00002": "reassigned",
            "C00003": "voided",
            "C00004": "moved",
            "C00006": "acknowledged",
        }


def _accepted(field, no: str) -> str:
    i = tables.inbox.c
    found = field.rows(sa.select(i.id).where(i.no == no, i.type == "case.accepted"))
    return str(found[0]["id"])
