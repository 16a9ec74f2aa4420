"""/metrics: what Prometheus reads, the same from every process, without a name or a number of anybody's."""

from __future__ import annotations

import threading
from datetime import timedelta

from client import Client
from door import at, open_door, problem
from prometheus_client.parser import text_string_to_metric_families

from sla_service.services import audit, metrics, ticking, webhooks
from sla_service.store import tables
from sla_service.web import exposition
from sla_service.web.app import create_app

TOKEN = "t" * 40
WHO = {"department": "社会事务科", "handler": "zhangsan"}


def samples(text: str) -> dict[tuple, float]:
    """(name, labels…) -> value, as Prometheus' own parser reads it."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def look(door, path: str = "/metrics", **headers) -> dict[tuple, float]:
    response = door.client.get(path, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(response.text)


def later(door, when: str) -> dict[tuple, float]:
    """The figures at that time, everything sealed and looked at."""
    door.hall.until(when)
    ticking.beat_heard(door.hall.app, now=door.hall.now)
    audit.seal(door.hall.app, now=door.hall.now)
    return look(door)


def case(light: str, hall: str = "main") -> tuple:
    return "sla_cases", ("hall", hall), ("light", light)


def test_cases_are_counted_by_light_from_green_to_grey(door):
    assert look(door)[case("green")] == 0
    door.send(door.accepted("A"), door.accepted("B"), door.accepted("C"))
    later(door, "2026-11-20 10:13")
    found = later(door, "2026-11-20 10:14")
    assert (found[case("green")], found["sla_census_age_seconds",]) == (3, 0)
    door.hall.says("case.paused", no="A", reason="hearing", applicant_informed_at="2026-11-20")
    found = later(door, "2026-11-30 09:00")
    assert [found[case(light)] for light in ("red", "yellow", "green", "grey")] == [2, 0, 0, 1]


def test_events_and_sends_are_counters_by_door_and_outcome(door):
    door.send(door.accepted("A", **WHO))
    door.post(door.accepted("A", **WHO))
    door.post(door.accepted("B", kind="urgent"))
    found = later(door, "2026-11-25 09:00")
    assert found["sla_events_total", ("door", "http"), ("status", "applied")] == 1
    assert found["sla_events_total", ("door", "http"), ("status", "duplicate")] == 1
    assert found["sla_events_total", ("door", "http"), ("status", "invalid")] == 1
    sent = found["sla_sends_total", ("channel", "wecom"), ("outcome", "accepted")]
    assert sent == 2  # the day before and the day itself
    assert found["sla_sends_last_hour", ("channel", "wecom"), ("outcome", "accepted")] == 1
    again = later(door, "2026-11-25 12:00")
    assert again["sla_sends_total", ("channel", "wecom"), ("outcome", "accepted")] == sent
    assert ("sla_sends_last_hour", ("channel", "wecom"), ("outcome", "accepted")) not in again


def test_what_waits_has_a_number_and_an_age(door):
    door.post(door.hall.event("case.closed", no="Z", outcome="resolved"))
    door.send(door.accepted("A", **WHO))
    door.hall.sleep_until("2026-11-24 08:40")  # ten minutes after the reminder's time
    found = look(door)
    assert (found["sla_clocks_due",], found["sla_clocks_oldest_seconds",]) == (1, 600)
    ticking.fire_due(door.hall.app, now=door.hall.now)
    door.hall.sleep_until("2026-11-24 08:50")
    found = look(door)
    assert found["sla_clocks_due",] == 0
    assert found["sla_messages_queued", ("channel", "wecom")] == 1
    assert found["sla_messages_oldest_seconds", ("channel", "wecom")] == 600
    assert found["sla_events_waiting",] == 1
    waited = at("2026-11-24 08:50") - at("2026-11-20 10:12")
    assert found["sla_events_waiting_oldest_seconds",] == waited.total_seconds()


def test_what_case_systems_were_not_told_yet_has_a_number_and_an_age(door):
    before = look(door)
    assert {before["sla_webhook_events", ("state", state)] for state in ("open", "dead")} == {0}
    webhooks.put(door.hall.app, "hall", "https://8.8.8.8/", who="test", now=door.hall.now)
    door.send(door.accepted("A", **WHO))
    door.send(door.hall.event("case.closed", no="A", outcome="resolved", replied_at="2026-11-20"))
    door.hall.now += timedelta(minutes=2)
    found = look(door)
    assert found["sla_webhook_events", ("state", "open")] == 1
    assert found["sla_webhook_events_oldest_seconds",] == 120


def test_messages_given_up_and_the_state_of_the_service_are_shown(door):
    door.send(door.accepted("A", **WHO))
    door.hall.until("2026-11-24 09:00")
    with door.hall.app.db.write() as conn:
        conn.execute(tables.messages.update().values(state="unknown", reason="parked"))
    found = look(door)
    assert found["sla_messages_troubled", ("reason", "parked"), ("state", "unknown")] == 1
    assert found["sla_schema_version",] >= 2
    assert found["sla_audit_unsealed",] > 0
    assert found["sla_calendar_horizon_days", ("calendar", "main")] == 38  # 2026 is known to its end, 2027 is not
    assert ("sla_tick_age_seconds",) not in found  # no tick has ever run
    ticking.beat_heard(door.hall.app, now=door.hall.now - timedelta(seconds=7))
    door.hall.now += timedelta(seconds=10)
    assert look(door)["sla_tick_age_seconds",] == 17


def test_two_processes_give_the_same_figures_and_count_the_cases_once(door, monkeypatch):
    door.send(door.accepted("A", **WHO))
    first = look(door)
    counted = []
    real = metrics.figures.census
    monkeypatch.setattr(metrics.figures, "census", lambda *a, **k: counted.append(1) or real(*a, **k))
    door.hall.now += timedelta(seconds=6)
    other = metrics.measure(door.hall.app, now=door.hall.now)
    second = samples(exposition.text(other))
    assert second[case("green")] == first[case("green")] == 1
    assert counted == []
    assert second["sla_census_age_seconds",] == 6
    door.hall.now += timedelta(seconds=10)
    metrics.measure(door.hall.app, now=door.hall.now)
    assert counted == [1]


def test_no_name_number_or_title_is_in_it(door):
    applicant = {"name": "赵六", "phone": "13800000000"}
    door.send(door.accepted("SECRET-1", title="机密事项", matter="秘密", applicant=applicant, **WHO))
    door.hall.until("2026-12-01 09:00")
    audit.seal(door.hall.app, now=door.hall.now)
    text = door.client.get("/metrics").text
    for word in ("SECRET", "机密", "秘密", "zhangsan", "张三", "赵六", "13800000000", "社会事务科"):
        assert word not in text


# -- who may see it -----------------------------------------------------------------------------------------------


def elsewhere(door, **headers):
    api = create_app(door.hall.app, clock=lambda: door.hall.now)
    with Client(api, address=("10.0.0.9", 5000)) as client:
        return client.get("/metrics", headers=headers)


def test_from_another_machine_it_needs_the_token(lite):
    problem(elsewhere(lite), 403)
    assert "SLA_METRICS_TOKEN" in elsewhere(lite).json()["detail"]


def test_with_the_token_it_opens_and_with_another_it_does_not(sqlite_url):
    with open_door(sqlite_url, metrics_token=TOKEN) as door:
        assert elsewhere(door, Authorization=f"Bearer {TOKEN}").status_code == 200
        for wrong in ("", TOKEN, f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Bearer {door.key}", "Bearer é"):
            problem(elsewhere(door, Authorization=wrong.encode()), 401)
        assert look(door)  # this machine needs none


def test_behind_a_proxy_on_this_machine_nobody_is_local(lite):
    problem(lite.client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}), 403)


def test_while_one_looks_the_figures_up_the_others_get_those_from_before(lite, monkeypatch):
    begun, goes_on = threading.Event(), threading.Event()
    first = lite.client.get("/metrics").text
    real = metrics.measure

    def slow(*args, **kwargs):
        begun.set()
        assert goes_on.wait(30)
        return real(*args, **kwargs)

    monkeypatch.setattr(metrics, "measure", slow)
    lite.send(lite.accepted("A", **WHO))
    lite.hall.now += timedelta(minutes=1)
    asked = lite.client.start(lite.client.http.get("/metrics"))
    assert begun.wait(30)
    assert lite.client.get("/metrics").text == first
    goes_on.set()
    assert samples(asked.result(30).text)[case("green")] == 1
