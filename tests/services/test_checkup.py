"""The doctor's regular visit: once per interval whoever asks, its findings for everybody, word outside only if well."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest
from listening import listening
from story import story

from sla_service.services import audit, checkup, heartbeat, metrics, ticking
from sla_service.settings import Settings
from sla_service.store import tables


@pytest.fixture
def hall(db_url):
    with story(db_url, "2026-09-07 10:00") as found:
        found.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        found.tick()
        ticking.beat_heard(found.app, now=found.now)
        audit.seal(found.app, now=found.now)
        yield found


def visit(hall):
    return checkup.make(hall.app, now=hall.now, real_now=lambda: hall.now, broker=lambda: None)


def codes(found):
    return {code for code, _ in found.findings} - {"clock"}  # the story's clock is not the database's


def test_it_is_made_once_per_interval_and_by_one_of_all_who_ask(hall):
    made, start = [], threading.Barrier(4)

    def ask():
        start.wait()
        made.append(visit(hall))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([m for m in made if m is not None]) == 1
    hall.now += timedelta(seconds=299)
    assert visit(hall) is None
    hall.now += timedelta(seconds=1)
    assert visit(hall) is not None


def test_a_clock_set_back_does_not_keep_it_away_for_long(hall):
    assert visit(hall) is not None
    hall.now -= timedelta(hours=1)
    assert visit(hall) is not None


def test_its_findings_are_what_the_metrics_show(hall):
    assert codes(visit(hall)) == set()
    with hall.app.db.write() as conn:
        conn.execute(tables.clocks.update().values(next_at=None))
    hall.now += timedelta(minutes=6)
    found = visit(hall)
    assert codes(found) == {"clocks", "tick"}
    assert not found.well
    assert checkup.last(hall.app) == found
    hall.now += timedelta(seconds=9)
    families = {f.name: f.samples for f in metrics.measure(hall.app, now=hall.now)}
    assert ({"code": "clocks", "level": "error"}, 1) in families["sla_doctor_finding"]
    assert families["sla_doctor_age_seconds"] == (({}, 9.0),)


def test_it_can_be_switched_off(hall):
    hall.app.settings = Settings(doctor_seconds=0)
    assert visit(hall) is None


# -- the heartbeat ----------------------------------------------------------------------------------------------------


def test_all_well_is_one_call():
    with listening() as (base, calls):
        assert heartbeat.call(f"{base}/ping/secret-uuid")
        assert calls == ["/ping/secret-uuid"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_not_2xx_is_logged_without_the_secret_and_nothing_more(status, caplog):
    with listening(status) as (base, calls):
        assert not heartbeat.call(f"{base}/ping/secret-uuid")
        assert calls == ["/ping/secret-uuid"]
    assert f"127.0.0.1 answered {status}" in caplog.text
    assert "secret-uuid" not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret-uuid", "https://no-such-host.invalid/secret-uuid"])
def test_nobody_there_is_logged_and_not_fatal(url, caplog):
    caplog.set_level(logging.INFO)
    assert not heartbeat.call(url)
    assert "did not answer" in caplog.text
    assert "secret-uuid" not in caplog.text


def test_the_address_is_a_secret_of_the_settings():
    assert "uuid" not in repr(Settings(heartbeat_url="https://hc.example/ping/uuid"))
    with pytest.raises(ValueError, match="http"):
        Settings(heartbeat_url="ping/uuid")
