"""The doctor on what should be there and is not, on samples, and on what the service stands on."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
import sqlalchemy as sa
from builders import at
from story import story
from visit import BEGIN, change, examine, runs, wrong

from sla_service.services import doctor, doctor_cases, doctor_place, streams, ticking
from sla_service.services.retelling import retell
from sla_service.store import tables


@pytest.fixture
def hall(db_url):
    """One case accepted on Monday 2026-09-07, due on Thursday, the service running."""
    with story(db_url, BEGIN) as found:
        found.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        found.tick()
        runs(found)
        yield found


# -- messages that should be there ------------------------------------------------------------------------------------


def told_late(hall):
    """The case's first reminder as if it had never been written: Wednesday's, at half past eight."""
    hall.until("2026-09-09 09:00")
    runs(hall)
    with hall.app.db.write() as conn:
        for table in (tables.messages, tables.attempts, tables.deliveries, tables.mailbox):
            conn.execute(table.delete())


def test_a_reminder_that_was_never_written_is_found_and_made_up_for(hall):
    told_late(hall)
    hall.seen = 0
    level, text, fix = wrong(hall)["missing"]
    assert (level, text) == ("error", "抽查 1 件，1 个提醒到了时间却没有写下，例如 hall/BBC-1 的 due-1wd")
    assert fix.startswith("sla recompute --missing")
    ((_, (one,)),) = retell(hall.app, [], now=hall.now, dry_run=True)
    assert (one.planned.step.key, one.planned.at) == ("due-1wd", at("2026-09-09 08:30"))
    assert "missing" in wrong(hall)
    assert [len(missed) for _, missed in retell(hall.app, [], now=hall.now, dry_run=False)] == [1]
    hall.tick()
    hall.expect("09-09 09:00 wecom 张三 【即将到期】BBC-1")
    runs(hall)
    assert wrong(hall) == {}


def test_what_was_told_is_not_told_again_with_what_was_missing(hall):
    hall.until("2026-09-14 09:00")  # overdue: handler, section head and station chief have been told, on two channels
    runs(hall)
    hall.news()
    with hall.app.db.write() as conn:
        lost = conn.execute(tables.messages.delete().where(tables.messages.c.step == "breach+2wd")).rowcount
    assert lost
    assert "breach+2wd" in wrong(hall)["missing"][1]
    list(retell(hall.app, [("hall", "BBC-1")], now=hall.now, dry_run=False))
    hall.until("2026-09-14 09:05")
    assert [line.split()[3] for line in hall.news()] == ["李四"]  # who is station chief here
    runs(hall)
    assert wrong(hall) == {}


def test_a_reminder_that_the_breach_has_overtaken_is_not_missed(hall):
    hall.sleep_until("2026-09-14 09:00")
    hall.tick()
    runs(hall)
    assert "missing" not in wrong(hall)


# -- how many cases are looked at -------------------------------------------------------------------------------------


def test_the_sample_moves_on_from_visit_to_visit_until_every_case_was_looked_at(hall, monkeypatch):
    monkeypatch.setattr(doctor_cases, "SAMPLE", 2)
    for n in range(2, 7):
        hall.says("case.accepted", no=f"BBC-{n}", kind="special", department="社会事务科", handler="zhangsan")
    change(hall, tables.cases, due_latest_at=None)  # nothing is urgent any more
    with hall.app.db.write() as conn:
        conn.execute(tables.clocks.update().where(tables.clocks.c.no == "BBC-6").values(due_on=at("2026-12-30").date()))
    seen = []
    for _ in range(4):
        found = doctor.examine(hall.app, now=hall.now, real_now=lambda: hall.now, broker=lambda: None, regular=True)
        seen += [c.level for c in found if c.name == "clocks"]
    assert seen.count("error") >= 1
    assert "ok" in seen
    assert wrong(hall) == wrong(hall)  # asked by hand, the place stays where it is


def test_all_cases_are_looked_at_when_that_is_asked_for(hall):
    for n in range(2, 7):
        hall.says("case.accepted", no=f"BBC-{n}", kind="special", department="社会事务科", handler="zhangsan")
    hall.says("case.closed", no="BBC-3", outcome="resolved", replied_at="2026-09-07")
    heard = []
    found = doctor.examine(
        hall.app,
        now=hall.now,
        real_now=lambda: hall.now,
        broker=lambda: None,
        every=lambda done, whole: heard.append((done, whole)),
    )
    assert "全部 6 件，状态、到期日和下一次提醒都与事件一致" in {c.text for c in found}
    assert heard == [(6, 6)]


# -- channels, sealing, disk ------------------------------------------------------------------------------------------


def test_a_channel_whose_last_tries_all_failed_is_found_before_a_message_is_given_up(hall):
    hall.until("2026-09-09 09:00")
    runs(hall)
    assert "outcomes" not in wrong(hall)
    with hall.app.db.write() as conn:
        (row,) = [dict(r) for r in conn.execute(sa.select(tables.attempts)).mappings()]
        failed = {"outcome": "unavailable", "code": "502", "started_at": hall.now}
        conn.execute(tables.attempts.update().values(outcome="refused"))
        conn.execute(tables.attempts.insert(), [{**row, **failed, "attempt": n} for n in range(2, 5)])
    assert "outcomes" not in wrong(hall)  # four are not yet a rule
    with hall.app.db.write() as conn:
        conn.execute(tables.attempts.insert(), [{**row, **failed, "attempt": 5}])
    level, text, fix = wrong(hall)["outcomes"]
    assert (level, fix) == ("error", "sla channel test wecom --to 谁")
    assert text == "渠道 wecom 最近 5 次发送都没有成功，最后一次是 0 秒前（unavailable 502）"


def test_an_audit_log_that_nobody_seals_is_found(hall):
    hall.now += timedelta(minutes=5)
    hall.says("case.urged", by="市民")
    ticking.beat_heard(hall.app, now=hall.now)
    assert "audit" not in wrong(hall)
    hall.now += timedelta(minutes=16)
    ticking.beat_heard(hall.app, now=hall.now)
    assert wrong(hall)["audit"][1] == "1 行审计日志还没有连进校验链，最早的等了 16 分钟"


@pytest.mark.parametrize(("free", "level"), [(100 << 20, "error"), (1 << 30, "warning"), (9 << 30, "ok")])
def test_a_disk_that_runs_full_is_told_in_time(hall, monkeypatch, free, level):
    monkeypatch.setattr(doctor_place.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10 << 30, 0, free))
    assert examine(hall)["disk"][0] == level


def test_a_stream_that_nobody_reads_and_what_it_put_aside_are_found(hall):
    streams.note(hall.app, streams.StreamState(hall.now, lag=3, length=3, oldest_at=hall.now))
    assert examine(hall)["stream"] == ("ok", "事件流 sla:events 取到了最新（3 条在路上）", "")
    hall.now += timedelta(minutes=16)
    assert "3 条没有人取，最早的等了 16 分钟" in wrong(hall)["stream"][1]
    streams.note(hall.app, streams.StreamState(hall.now, length=3, dead=2))
    assert wrong(hall)["stream"][:2] == ("warning", "2 条事件流里的内容不成事件，放在 sla:events:dead")
