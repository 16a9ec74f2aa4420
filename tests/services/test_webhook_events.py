"""What a case system is told at its own address, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from builders import at
from hooked import HELD, hooked
from notices import BRIDGED_2027

from sla_service.services import calendar_admin, calendar_force, intake, recompute, webhook_events, webhooks
from sla_service.store import cases, sources, tables


@pytest.fixture
def told(db_url):
    with hooked(db_url) as made:
        yield made


def test_a_case_that_runs_out_is_reminded_of_breached_and_closed(told):
    told.hall.says("case.accepted", title="诊所名称核准", **HELD)
    told.expect()  # the answer to the event has said its due date
    told.until("2026-11-24 09:00")
    [reminded] = told.expect("reminded")
    about = {k: reminded[k] for k in ("target", "round", "step", "role", "to", "channel", "escalation", "planned_at")}
    assert about == {
        "target": "resolve",
        "round": 1,
        "step": "due-1wd",
        "role": "handler",
        "to": "zhangsan",
        "channel": "wecom",
        "escalation": False,
        "planned_at": "2026-11-24T08:30:00+08:00",
    }
    assert reminded["case"]["light"] == "yellow"
    told.until("2026-11-25 17:00")
    told.expect("reminded", "reminded")
    told.until("2026-11-25 17:31")
    [breached] = told.expect("breached")
    assert breached["due_at"] == "2026-11-25T17:30:00+08:00"
    assert (breached["case"]["no"], breached["case"]["state"]) == ("BBC-1", "running")
    told.until("2026-11-26 09:00")
    escalated = told.expect(*["reminded"] * 4)
    assert {(e["to"], e["channel"], e["escalation"]) for e in escalated} == {
        (who, via, True) for who in ("zhangsan", "lisi") for via in ("wecom", "sms")
    }
    told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-26")
    [closed] = told.expect("closed")
    assert (closed["outcome"], closed["verdict"], closed["late_days"]) == ("resolved", "breached", 1)
    assert closed["case"]["state"] == "closed"


def test_the_case_is_the_same_object_as_in_answers(told):
    told.hall.says("case.accepted", title="诊所名称核准", **HELD)
    case = told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-20")
    [closed] = told.expect("closed")
    assert closed["case"] == case


def test_every_move_of_the_due_date_is_told_with_both_dates(told):
    told.hall.says("case.accepted", **HELD)
    told.hall.says("case.paused", "2026-11-20 10:00", reason="hearing", applicant_informed_at="2026-11-20")
    told.until("2026-11-24 10:00")
    told.hall.says("case.resumed")
    moves = [(d["old_due_on"], d["new_due_on"], d["reason"]) for d in told.expect("due_changed", "due_changed")]
    assert moves == [("2026-11-25", None, "events"), (None, "2026-11-26", "events")]


def test_a_reopened_case_has_a_due_date_of_its_own(told):
    told.hall.says("case.accepted", **HELD)
    told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-20")
    told.until("2026-12-01 10:00")
    told.hall.says("case.reopened", reason="群众不满意")
    _, moved = told.expect("closed", "due_changed")
    assert (moved["round"], moved["old_due_on"], moved["new_due_on"]) == (2, "2026-11-25", "2026-12-04")


def test_a_late_event_takes_a_breach_back(told):
    told.hall.says("case.accepted", **HELD)
    told.until("2026-11-25 17:31")
    told.expect("reminded", "reminded", "reminded", "breached")
    told.hall.says("case.closed", "2026-11-25 16:00", outcome="resolved", replied_at="2026-11-25")
    withdrawn, closed = told.expect("breach_withdrawn", "closed")
    assert withdrawn["old_due_at"] == "2026-11-25T17:30:00+08:00"
    assert closed["verdict"] == "met"


def test_a_new_policy_says_so(told):
    told.hall.says("case.accepted", **HELD)
    [main] = told.hall.app.config.policy.targets
    limits = {**main.limits, "simple": 5}
    from story import with_policy

    changed = with_policy(told.hall.app.config, targets=(type(main)(**{**_fields(main), "limits": limits}),))
    told.hall.app.config = changed
    list(recompute.recompute(told.hall.app, [("hall", "BBC-1")], now=told.hall.now, dry_run=True))
    told.expect()
    list(recompute.recompute(told.hall.app, [("hall", "BBC-1")], now=told.hall.now, dry_run=False))
    [moved] = told.expect("due_changed")
    assert (moved["old_due_on"], moved["new_due_on"], moved["reason"]) == ("2026-11-25", "2026-11-27", "policy")


def test_a_notice_says_which_document_moved_the_date(db_url):
    with hooked(db_url, "2026-12-28 10:00") as told:
        app = told.hall.app
        app.calendars = calendar_force.open_calendars(app.db, app.config.directory, now=told.hall.now)
        told.hall.says("case.accepted", **{**HELD, "kind": "complex"})
        read = calendar_admin.notices(BRIDGED_2027)
        calendar_admin.apply(app, read, who="admin", clock=lambda: told.hall.now)
        [moved] = told.expect("due_changed")
        assert (moved["old_due_on"], moved["new_due_on"], moved["reason"]) == ("2027-01-12", "2027-01-11", "calendar")
        assert "国办发明电〔2026〕98号" in moved["text"]
        assert moved["case"]["provisional"] is False


def _fields(one):
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_history_that_comes_silently_is_not_told(told):
    told.hall.now = at("2026-11-20 16:00")
    accepted = told.hall.event("case.accepted", "2026-11-20 10:30", **HELD)
    closed = told.hall.event("case.closed", "2026-11-20 15:00", outcome="resolved", replied_at="2026-11-20")
    told.hall.send(accepted, closed, silent=True)
    told.expect()
    told.hall.send({**accepted, "id": "A", "subject": "A"}, {**closed, "id": "B", "subject": "A"})
    told.expect("closed")


def test_what_lies_before_the_go_live_is_not_told(told):
    told.hall.says("case.accepted", "2026-11-02 09:00", **HELD)
    told.until("2026-11-20 11:00")
    assert "breached" not in [t.event["type"] for t in told.told()]
    closed = told.hall.event("case.accepted", "2026-11-02 09:00", no="BBC-2", **HELD)
    told.hall.send(closed, told.hall.event("case.closed", "2026-11-03 09:00", no="BBC-2", outcome="resolved"))
    told.send()
    assert [t for t in told.told() if t.event["subject"] == "BBC-2"] == []


def test_a_dry_run_tells_nothing(told):
    told.hall.says("case.accepted", **HELD)
    told.hall.send(told.hall.event("case.closed", outcome="resolved", replied_at="2026-11-20"), dry_run=True)
    told.expect()


def test_a_source_without_an_address_has_no_outbox(told):
    with told.hall.app.db.write() as conn:
        sources.add(conn, "other", hall="main", test=False, go_live=told.hall.now, now=told.hall.now)
    accepted = {**told.hall.event("case.accepted", **HELD), "source": "other"}
    closed = {**told.hall.event("case.closed", outcome="resolved", replied_at="2026-11-20"), "source": "other"}
    now = told.hall.now
    intake.receive(told.hall.app, [intake.read(e, now=now) for e in (accepted, closed)], now=now, door="test")
    assert told.outbox() == []


def test_a_test_sources_events_go_out_and_wiping_it_takes_what_waits(db_url):
    with hooked(db_url, test=True) as told:
        told.hall.says("case.accepted", **HELD)
        told.until("2026-11-24 09:00")
        [reminded] = told.expect("reminded")
        assert reminded["channel"] == "sandbox"
        told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-24")
        assert told.states() == ["sent", "waiting"]
        from sla_service.services import sources as source_service

        source_service.wipe(told.hall.app, "hall")
        assert told.outbox() == []
        assert webhooks.get(told.hall.app, "hall", now=told.hall.now).url == told.receiver.url
        told.hall.says("case.accepted", **HELD)
        told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-24")
        told.expect("closed")


def test_whoever_records_a_reminder_waits_for_what_is_happening_to_the_case(pg_url):
    """Else a reminder's event could have a lower number than an earlier one, and come after it."""
    with hooked(pg_url) as told:
        told.hall.says("case.accepted", **HELD)
        case = [{"source": "hall", "no": "BBC-1"}]
        db = told.hall.app.db
        with db.write() as taking_in:
            assert cases.lock(taking_in, [("hall", "BBC-1", "main")])
            with db.write() as sending:
                sending.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
                with pytest.raises(sa.exc.OperationalError):
                    webhook_events.hold(sending, case)
                sending.rollback()
        with db.write() as sending:
            assert set(webhook_events.hold(sending, case)) == {("hall", "BBC-1")}


def test_in_a_rotation_both_secrets_sign_and_after_it_only_the_new_one(told):
    old = told.secret
    new = webhooks.renew(told.hall.app, "hall", overlap=timedelta(hours=1), who="test", now=told.hall.now).secret
    told.hall.says("case.accepted", **HELD)
    told.hall.says("case.closed", outcome="resolved", replied_at="2026-11-20")
    told.send()
    [one] = told.told()
    assert one.signed_by(old)
    assert one.signed_by(new)
    told.hall.now += timedelta(hours=2)
    told.hall.says("case.reopened", reason="群众不满意")
    told.secret = new
    told.send()
    [one] = told.told()
    assert not one.signed_by(old)


def test_a_nightly_files_breach_is_told_when_people_are(told):
    with told.hall.app.db.write() as conn:
        conn.execute(tables.sources.update().values(batch_delay=18 * 3600))
    told.hall.says("case.accepted", **HELD)
    told.until("2026-11-26 11:00")
    assert "breached" not in [t.event["type"].removeprefix("sla.") for t in told.told()]
    told.until("2026-11-26 11:31")
    assert at("2026-11-25 17:30").isoformat() in [d.get("due_at") for d in _data(told)]


def _data(told):
    return [t.event["data"] for t in told.told() if t.event["type"] == "sla.breached"]
