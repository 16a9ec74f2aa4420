"""All cases of one person become another's: events like any others, and one message to whoever takes over."""

from __future__ import annotations

import pytest
from story import story

from sla_service.errors import NotFoundError, UsageError
from sla_service.services import handing_over
from sla_service.store import tables


def accept(hall, no, kind, handler="zhangsan"):
    hall.says("case.accepted", no=no, kind=kind, department="社会事务科", handler=handler)


def hand_over(hall, who="张三", to="wangwu"):
    return handing_over.carry_out(hall.app, handing_over.plan(hall.app, who, to), now=hall.now)


def test_the_heir_hears_once_of_all_that_was_said_and_of_the_rest_when_it_is_time(db_url):
    with story(db_url, "2026-11-02 10:00") as hall:
        for n in range(3):
            accept(hall, f"S-{n}", "simple")  # due on the 5th
        accept(hall, "K-1", "complex")  # due on the 16th
        accept(hall, "L-1", "simple", "lisi")
        hall.until("2026-11-04 10:00")  # reminded of the simple ones this morning
        hall.news()
        assert hand_over(hall) == 4
        hall.until("2026-11-04 12:00")
        hall.expect("11-04 10:00 wecom 王五 【办件提醒】3 件待办")
        assert {r["handler"] for r in hall.rows(tables.cases)} == {"wangwu", "lisi"}
        assert all(f"S-{n}" in hall.bodies()[-1] for n in range(3))
        hall.until("2026-11-05 09:00")
        lines = hall.news()
        assert "11-05 08:30 wecom 王五 【办件提醒】3 件今天到期" in lines
        assert not any("张三" in line for line in lines)
        with pytest.raises(NotFoundError):
            handing_over.plan(hall.app, "张三", "wangwu")


def test_it_is_the_fold_that_knows_who_holds_what(db_url):
    with story(db_url, "2026-11-02 10:00") as hall:
        accept(hall, "S-1", "simple")
        hall.sleep_until("2026-11-02 11:00")
        hand_over(hall)
        late = hall.event("case.assigned", "2026-11-02 10:30", no="S-1", handler="lisi")
        hall.send(late)  # happened before the handing over
        assert hall.case("S-1")["handler"] == "wangwu"
        (assigned,) = (e for e in hall.rows(tables.inbox) if e["door"] == "handover")
        hall.sleep_until("2026-11-02 12:00")
        hall.send(hall.event("event.voided", no="S-1") | {"data": {"event_id": assigned["id"]}})
        assert hall.case("S-1")["handler"] == "lisi"


def test_what_was_paused_goes_along_and_what_was_closed_stays(db_url):
    with story(db_url, "2026-11-02 10:00") as hall:
        for no in ("S-1", "S-2", "S-3"):
            accept(hall, no, "simple")
        hall.sleep_until("2026-11-02 11:00")
        hall.says("case.paused", no="S-1", reason="hearing", applicant_informed_at="2026-11-02")
        hall.says("case.closed", no="S-2", outcome="resolved", replied_at="2026-11-02")
        hall.sleep_until("2026-11-02 12:00")
        assert hand_over(hall) == 2
        assert {r["no"]: r["handler"] for r in hall.rows(tables.cases)} == {
            "S-1": "wangwu",
            "S-2": "zhangsan",
            "S-3": "wangwu",
        }
        with pytest.raises(UsageError, match="不用移交"):
            handing_over.plan(hall.app, "wangwu", "王五")
