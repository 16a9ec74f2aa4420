"""Group commit: many requests, few transactions, the right answer to each, nobody answered before the commit."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from door import STRUCTURED, at, problem

from sla_service.services.intake import Incoming, Result, read
from sla_service.store import tables
from sla_service.web.committer import BACKLOG, Committer
from sla_service.web.problems import Problem

NOW = at("2026-11-20 10:12")


@contextmanager
def commits(engine):
    """Counts the transactions that were committed meanwhile."""
    seen = []

    def count(_conn):
        seen.append(1)

    sa.event.listen(engine, "commit", count)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "commit", count)


def at_once(door, bodies):
    """Posts all bodies together; gives the responses in order."""

    async def one(body):
        content = json.dumps(body).encode()
        return await door.client.http.post(
            "/v1/events", content=content, headers=door.headers(Content_Type=STRUCTURED), timeout=60
        )

    async def everything():
        return await asyncio.gather(*map(one, bodies))

    return door.client.run(everything())


def test_two_hundred_singles_at_once_get_two_hundred_right_answers_in_few_transactions(door):
    door.post(door.accepted("FIRST"))  # the key is known, connections are open
    kinds = {"simple": "2026-11-25", "complex": "2026-12-04"}
    bodies = [door.accepted(f"N{i}", kind=("simple", "complex")[i % 2]) for i in range(200)]
    with commits(door.hall.app.db.engine) as seen:
        responses = at_once(door, bodies)
    for body, response in zip(bodies, responses, strict=True):
        [result] = response.json()["results"]
        assert (result["id"], result["status"]) == (body["id"], "applied")
        assert result["case"]["no"] == body["subject"]
        assert result["case"]["due_on"] == kinds[body["data"]["kind"]]
    assert len(door.rows(tables.inbox)) == 201
    assert len(seen) < 100, "transactions"  # some dozen; a machine that is busy elsewhere makes more of them


def test_in_a_group_each_sender_hears_of_his_own_mistake_only(door):
    bodies = [door.accepted(f"N{i}") for i in range(30)]
    bodies[7] = {**bodies[7], "data": {"kind": "urgent"}}
    bodies[11] = {**bodies[11], "source": "other"}
    bodies[13] = {**bodies[12]}
    responses = at_once(door, bodies)
    assert [r.status_code for r in responses].count(200) == 28
    problem(responses[7], 422)
    problem(responses[11], 403)
    assert {responses[i].json()["results"][0]["status"] for i in (12, 13)} == {"applied", "duplicate"}
    assert len(door.rows(tables.kept)) == 2


def test_events_of_one_case_in_one_group_end_in_the_state_of_all_of_them(door):
    accepted = door.accepted()
    more = [door.hall.event("case.progressed", text=str(i)) for i in range(20)]
    closed = door.hall.event("case.closed", outcome="resolved", replied_at="2026-11-20")
    responses = at_once(door, [closed, *more, accepted])
    assert {r.status_code for r in responses} == {200}
    [case] = door.rows(tables.cases)
    assert case["state"] == "closed"
    assert {r["status"] for r in door.rows(tables.inbox)} == {"applied"}


# -- with a stand-in for the intake -----------------------------------------------------------------------------------


class Intake:
    """Takes groups as ``receive`` does; ``slow`` holds the first one until it is let go, ``poison`` is a fault."""

    def __init__(self, *, poison=(), hold=False):
        self.groups, self.poison = [], set(poison)
        self.entered, self.go_on = threading.Event(), threading.Event()
        if not hold:
            self.go_on.set()

    def __call__(self, items, *, now, door, dry_run):
        assert (now, door) == (NOW, "http")
        self.entered.set()
        assert self.go_on.wait(10)
        self.groups.append(([i.id for i in items], dry_run))
        if self.poison & {i.id for i in items if not i.problem}:
            raise ZeroDivisionError
        return [Result(i.id, "invalid" if i.problem else "applied", i.problem) for i in items]


def item(name):
    return Incoming({"id": name}, None, owner="hall")


def committing(intake, work, *, together=True):
    committer = Committer(intake, clock=lambda: NOW, together=together)
    try:
        return asyncio.run(work(committer))
    finally:
        committer.close()


def test_what_arrives_while_a_group_is_committed_forms_the_next():
    intake = Intake(hold=True)

    async def work(committer):
        first = asyncio.ensure_future(committer.commit([item("a")]))
        await asyncio.to_thread(intake.entered.wait, 10)
        rest = [asyncio.ensure_future(committer.commit([item(f"b{i}")])) for i in range(50)]
        await asyncio.sleep(0.05)
        assert not any(f.done() for f in (first, *rest)), "nobody is answered before the commit"
        intake.go_on.set()
        return await asyncio.gather(first, *rest)

    answers = committing(intake, work)
    assert [len(ids) for ids, _ in intake.groups] == [1, 50]
    assert [a[0].id for a in answers] == ["a", *(f"b{i}" for i in range(50))]


def test_singles_and_batches_take_turns_where_there_is_one_writer():
    intake = Intake(hold=True)

    async def work(committer):
        jobs = [asyncio.ensure_future(committer.commit([item("first")]))]
        await asyncio.to_thread(intake.entered.wait, 10)
        batches = [[item(f"{n}-{i}") for i in range(400)] for n in range(3)]
        jobs += [asyncio.ensure_future(committer.commit(batch)) for batch in batches]
        jobs += [asyncio.ensure_future(committer.commit([item(f"s{i}")])) for i in range(5)]
        await asyncio.sleep(0.05)
        intake.go_on.set()
        await asyncio.gather(*jobs)

    committing(intake, work)
    assert [len(ids) for ids, _ in intake.groups] == [1, 400, 5, 400, 400]


def test_a_dry_run_shares_its_transaction_with_nobody():
    intake = Intake(hold=True)

    async def work(committer):
        first = asyncio.ensure_future(committer.commit([item("first")]))
        await asyncio.to_thread(intake.entered.wait, 10)
        names = (["a", "b"], ["c"], ["d", "e"], ["f", "g"])
        jobs = [
            asyncio.ensure_future(committer.commit([item(n) for n in group], dry_run=i in (1, 2)))
            for i, group in enumerate(names)
        ]
        await asyncio.sleep(0.05)
        intake.go_on.set()
        await asyncio.gather(first, *jobs)

    committing(intake, work)
    assert intake.groups[1:] == [(["a", "b"], False), (["c"], True), (["d", "e"], True), (["f", "g"], False)]


def test_an_event_that_brings_out_a_fault_of_ours_takes_no_neighbour_along(caplog):
    intake = Intake(poison={"bad"}, hold=True)

    async def work(committer):
        first = asyncio.ensure_future(committer.commit([item("first")]))
        await asyncio.to_thread(intake.entered.wait, 10)
        jobs = [asyncio.ensure_future(committer.commit([item(n)])) for n in ("a", "bad", "b")]
        await asyncio.sleep(0.05)
        intake.go_on.set()
        return await asyncio.gather(first, *jobs, return_exceptions=True)

    _, a, bad, b = committing(intake, work)
    assert [r[0].status for r in (a, b)] == ["applied", "applied"]
    assert isinstance(bad, ZeroDivisionError)
    assert "ZeroDivisionError" in caplog.text


def test_of_a_batch_the_event_that_brings_out_a_fault_is_kept_and_the_rest_goes_on(caplog):
    intake = Intake(poison={"bad"})

    async def work(committer):
        return await committer.commit([item("a"), item("bad"), item("b")])

    results = committing(intake, work)
    assert [(r.id, r.status) for r in results] == [("a", "applied"), ("bad", "invalid"), ("b", "applied")]
    assert "出错" in results[1].problem
    assert caplog.records


def test_a_sender_that_goes_away_leaves_the_others_their_answers():
    intake = Intake(hold=True)

    async def work(committer):
        jobs = [asyncio.ensure_future(committer.commit([item(f"a{i}")])) for i in range(3)]
        await asyncio.to_thread(intake.entered.wait, 10)
        jobs[1].cancel()
        intake.go_on.set()
        return await asyncio.gather(*jobs, return_exceptions=True)

    answers = committing(intake, work)
    assert [type(a) for a in answers] == [list, asyncio.CancelledError, list]


def test_too_much_waiting_is_refused_with_503_instead_of_growing_without_end():
    intake = Intake(hold=True)

    async def work(committer):
        jobs = [asyncio.ensure_future(committer.commit([item("a")]))]
        await asyncio.to_thread(intake.entered.wait, 10)
        many = [item("x")] * (BACKLOG - 10)
        jobs.append(asyncio.ensure_future(committer.commit(many)))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await committer.commit([item("y")] * 11)
        intake.go_on.set()
        await asyncio.gather(*jobs)
        return refused.value

    refused = committing(intake, work)
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (503, "1")


def test_closing_answers_what_was_taken_and_leaves_no_thread_behind():
    intake = Intake(hold=True)

    async def work(committer):
        jobs = [asyncio.ensure_future(committer.commit([item(f"a{i}")])) for i in range(5)]
        await asyncio.to_thread(intake.entered.wait, 10)
        threading.Timer(0.1, intake.go_on.set).start()
        await asyncio.to_thread(committer.close)
        return await asyncio.gather(*jobs)

    assert len(committing(intake, work)) == 5
    deadline = time.monotonic() + 5
    while any(t.name == "committer" for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "committer"]


def test_after_closing_it_can_be_used_again():
    intake = Intake()

    async def work(committer):
        await committer.commit([item("a")])
        await asyncio.to_thread(committer.close)
        return await committer.commit([item("b")])

    assert committing(intake, work)[0].id == "b"


def test_housekeeping_is_done_between_groups_and_its_failure_stops_nothing(caplog):
    intake, done = Intake(), []

    async def work(committer):
        committer.errand(lambda: 1 / 0)
        committer.errand(lambda: done.append(1))
        await committer.commit([item("a")])
        await asyncio.to_thread(committer.close)

    committing(intake, work)
    assert done == [1]
    assert "housekeeping" in caplog.text


def test_read_bodies_carry_whose_key_they_came_with():
    assert read({"source": "other"}, now=NOW, source="hall").owner == "hall"
