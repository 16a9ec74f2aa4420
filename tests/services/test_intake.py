"""The intake's promises: once, in any order, nothing lost, nobody taken along by a bad neighbour."""

from __future__ import annotations

import json
import random
import threading
from datetime import datetime

import pytest
from builders import at
from story import make_app, story

from sla_service.services import intake
from sla_service.store import sources, tables


def statuses(results):
    return [r["status"] for r in results]


def test_the_same_body_again_is_a_duplicate_and_another_one_a_conflict_that_is_kept(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        first = hall.event("case.accepted", kind="simple")
        other = {**first, "data": {"kind": "complex"}}
        assert statuses(hall.send(first, first, other)) == ["applied", "duplicate", "conflict"]
        assert statuses(hall.send(first, other)) == ["duplicate", "conflict"]
        assert hall.case()["kind"] == "simple"
        assert [k["status"] for k in hall.rows(tables.kept)] == ["conflict", "conflict"]


def test_equal_json_values_in_other_words_are_the_same_content(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        event = hall.event("case.extended", limit_days=12, reason="协调", applicant_informed_at="2026-11-20")
        hall.send(hall.event("case.accepted", kind="simple"), event)
        turned = {**event, "time": "2026-11-20T02:00:00Z", "data": dict(reversed(event["data"].items()))}
        assert statuses(hall.send(turned)) == ["duplicate"]


def test_an_event_waits_for_its_acceptance_and_is_applied_with_it(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        early = hall.event("case.assigned", handler="zhangsan", department="社会事务科")
        (waiting,) = hall.send(early)
        assert (waiting["status"], "case" in waiting) == ("waiting", False)
        (answer,) = hall.send(hall.event("case.accepted", kind="simple"))
        assert (answer["status"], answer["case"]["handler"]) == ("applied", "zhangsan")
        assert {r["status"] for r in hall.rows(tables.inbox)} == {"applied"}


def test_a_rejected_id_is_free_for_the_corrected_body(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        hall.says("case.accepted", kind="simple")
        wrong = hall.event("case.resumed", event_id="x1")
        right = hall.event("case.progressed", event_id="x1", text="已联系")
        assert statuses(hall.send(wrong)) == ["rejected"]
        assert "x1" in hall.results[0]["problem"]
        assert "BBC-1" in hall.results[0]["problem"]
        assert statuses(hall.send(wrong)) == ["duplicate"]
        assert statuses(hall.send(right)) == ["applied"]
        assert [k["status"] for k in hall.rows(tables.kept)] == ["replaced"]


def test_a_correction_in_the_same_batch_is_taken(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        accepted = hall.event("case.accepted", kind="simple")
        wrong = hall.event("case.resumed", event_id="x1")
        right = hall.event("case.progressed", event_id="x1", text="已联系")
        assert statuses(hall.send(accepted, wrong, right)) == ["applied", "rejected", "applied"]


def test_an_invalid_id_is_free_for_the_corrected_body(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        wrong = hall.event("case.accepted", event_id="x1", kind="urgent")
        right = hall.event("case.accepted", event_id="x1", kind="simple")
        assert statuses(hall.send(wrong)) == ["invalid"]
        assert "data.kind" in hall.results[0]["problem"]
        assert statuses(hall.send(right)) == ["applied"]


def test_a_rejected_event_becomes_applied_when_what_it_needed_arrives_late(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        hall.says("case.accepted", kind="complex")
        hall.sleep_until("2026-11-21 10:00")
        resumed = hall.event("case.resumed", "2026-11-20 16:00")
        assert statuses(hall.send(resumed)) == ["rejected"]
        hall.send(hall.event("case.paused", "2026-11-20 11:00", reason="test", applicant_informed_at="2026-11-20"))
        assert {r["status"] for r in hall.rows(tables.inbox)} == {"applied"}
        assert hall.case()["state"] == "running"


def test_taking_back_the_acceptance_takes_the_case_away_and_silences_it(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        accepted = hall.event("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        hall.send(accepted)
        (answer,) = hall.send(hall.event("event.voided", event_id="v1") | {"data": {"event_id": accepted["id"]}})
        assert answer["status"] == "applied"
        assert "case" not in answer
        hall.until("2026-12-31 12:00")
        hall.expect()


def test_a_visit_is_counted_and_is_no_case(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        visit = hall.event("visit.answered", no="", matter="社保", count=3)
        del visit["subject"]
        void = hall.event("event.voided", no="-") | {"data": {"event_id": visit["id"]}}
        assert statuses(hall.send(visit, visit)) == ["applied", "duplicate"]
        assert statuses(hall.send(void)) == ["applied"]
        assert {r["type"]: r["status"] for r in hall.rows(tables.inbox)}["visit.answered"] == "voided"


def test_a_dry_run_answers_as_in_earnest_and_keeps_nothing(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        (answer,) = hall.send(hall.event("case.accepted", kind="simple"), dry_run=True)
        assert answer["case"]["due_on"] == "2026-11-25"
        assert hall.rows(tables.inbox) == hall.rows(tables.cases) == []


def test_an_unregistered_source_is_named_with_the_command_that_helps(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        (answer,) = hall.send(hall.event("case.accepted") | {"source": "nobody"})
        assert answer["status"] == "invalid"
        assert "sla source add nobody" in answer["problem"]


def test_a_new_policy_is_for_new_cases_only(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        hall.says("case.accepted", no="OLD", kind="simple")
        version = hall.case("OLD")["policy_version"]
        from dataclasses import replace

        from sla_service.services.config import policy_to_dict
        from sla_service.store import versions

        old = hall.app.config.policy
        with hall.app.db.write() as conn:
            versions.keep_policy(conn, old.version, policy_to_dict(old), hall.now)
        target = replace(old.targets[0], limits={"simple": 5, "complex": 10, "special": 15})
        hall.app.config = replace(hall.app.config, policy=replace(old, version="new", targets=(target,)))
        assert hall.says("case.accepted", no="NEW", kind="simple")["due_on"] == "2026-11-27"
        assert hall.says("case.classified", no="OLD", kind="simple")["due_on"] == "2026-11-25"
        assert hall.case("OLD")["policy_version"] == version


def _history(cases: int) -> list[dict]:
    events = []
    for n in range(cases):
        no = f"C-{n}"
        steps = [
            ("case.accepted", "2026-11-02T09:00:00", {"kind": "complex", "handler": "zhangsan"}),
            ("case.paused", "2026-11-03T10:00:00", {"reason": "test", "applicant_informed_at": "2026-11-03"}),
            ("case.resumed", "2026-11-05T10:00:00", {}),
            ("case.assigned", "2026-11-06T09:00:00", {"handler": "lisi"}),
            ("case.classified", "2026-11-06T10:00:00", {"kind": "simple" if n % 3 else "complex"}),
            ("case.closed", "2026-11-09T16:00:00", {"outcome": "resolved", "replied_at": "2026-11-09"}),
            ("case.reopened", "2026-11-10T09:00:00", {"reason": "申请人不满意"}),
        ]
        events += [
            {
                "specversion": "1.0",
                "id": f"{no}/{i}",
                "source": "hall",
                "type": t,
                "subject": no,
                "time": f"{w}+08:00",
                "data": d,
            }
            for i, (t, w, d) in enumerate(steps)
        ]
    return events


@pytest.mark.parametrize("seed", range(3))
def test_doubled_shuffled_events_in_four_parallel_streams_give_the_same_state(db_url, seed, tmp_path):
    now = at("2026-11-20 10:00")
    events = _history(40)

    def plain(value):
        if isinstance(value, datetime):
            return value.timestamp()
        return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value

    def state(app):
        with app.db.read() as conn:
            rows = conn.execute(tables.cases.select()).mappings().all()
            inbox = conn.execute(tables.inbox.select()).mappings().all()
        cases = sorted(str({k: plain(v) for k, v in r.items() if k != "updated_at"}) for r in rows)
        return cases, sorted((r["id"], r["status"]) for r in inbox)

    from sla_service.store.migrate import upgrade

    straight_url = f"sqlite:///{tmp_path}/straight.db"
    upgrade(straight_url)
    straight, shuffled = make_app(straight_url), make_app(db_url)
    for app in (straight, shuffled):
        with app.db.write() as conn:
            sources.add(conn, "hall", hall="main", test=False, go_live=now, now=now)
    intake.receive(straight, [intake.read(e, now=now) for e in events], now=now, door="test")

    mixed = events * 2
    random.Random(seed).shuffle(mixed)
    failures = []

    def stream(part):
        try:
            for i in range(0, len(part), 25):
                intake.receive(shuffled, [intake.read(e, now=now) for e in part[i : i + 25]], now=now, door="test")
        except Exception as e:  # noqa: BLE001
            failures.append(e)

    threads = [threading.Thread(target=stream, args=(mixed[n::4],)) for n in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert failures == []
    assert state(shuffled) == state(straight)
    straight.db.dispose()
    shuffled.db.dispose()


def test_events_that_have_waited_for_a_day_are_told_to_their_sender_with_each_answer_about_the_case(db_url):
    with story(db_url, "2026-11-20 10:00") as hall:
        waits = "办件还没有受理事件，收到受理事件后生效"
        (first,) = hall.send(hall.event("case.progressed", text="一"))
        assert (first["status"], first["problem"]) == ("waiting", waits)
        hall.now = at("2026-11-23 10:00")
        (again,) = hall.send(hall.event("case.progressed", text="二"))
        assert again["problem"] == f"{waits}；这件已有 2 个事件在等，最早的等了 3 天，请补发"
        hall.says("case.accepted", kind="simple")
        assert {r["problem"] for r in hall.rows(tables.inbox)} == {""}
