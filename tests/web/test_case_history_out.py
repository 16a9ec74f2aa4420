"""One case told: its account day by day, its history, and who was told about it."""

from __future__ import annotations

import pytest
from door import at, case_path

# -- explain --------------------------------------------------------------------------------------------------------


def test_the_account_tells_day_by_day_what_counted_and_why_not(door):
    door.hall.now = at("2026-10-21 10:00")
    door.send(
        door.accepted("X", "2026-09-30 16:00", kind="complex"),
        door.hall.event(
            "case.paused", "2026-10-09 09:00", no="X", reason="hearing", applicant_informed_at="2026-10-09"
        ),
        door.hall.event("case.resumed", "2026-10-12 09:00", no="X"),
    )
    [clock] = door.get(case_path("X", "explain")).json()["clocks"]
    assert (clock["target"], clock["limit"], clock["due_on"]) == ("resolve", 10, "2026-10-22")
    days = {d["date"]: d for d in clock["account"]}
    assert days["2026-09-30"]["state"] == "start"
    assert (days["2026-10-01"]["state"], days["2026-10-01"]["kind"], days["2026-10-01"]["name"]) == (
        "off",
        "holiday",
        "国庆节",
    )
    assert (days["2026-10-10"]["kind"], days["2026-10-10"]["state"]) == ("makeup", "paused")
    assert days["2026-10-09"]["reason"] == "hearing"
    assert days["2026-10-09"]["text"] == "10月9日（周五）挂起（听证），不计入"
    assert days["2026-10-22"]["text"] == "10月22日（周四）第 10 个工作日，到期（17:30）"
    assert [d["n"] for d in clock["account"] if d["n"]] == list(range(1, 11))
    assert clock["text"].startswith("办结：9月30日（周三）起算，时限 10 个工作日，挂起 2 个工作日不计")


def test_a_paused_case_has_no_due_date_and_an_account_up_to_today(door):
    door.hall.now = at("2026-11-18 10:00")
    paused = door.hall.event("case.paused", "2026-11-17 09:00", no="P", reason="test")
    door.send(door.accepted("P", "2026-11-16 09:00"), paused)
    [clock] = door.get(case_path("P", "explain")).json()["clocks"]
    assert clock["due_on"] is None
    assert [d["state"] for d in clock["account"]] == ["start", "paused", "paused"]
    assert "挂起中" in clock["text"]


def test_each_round_has_its_own_account_and_the_verdict_of_the_first_stays(door):
    door.send(
        door.accepted("R", "2026-11-02 09:00"),
        door.hall.event("case.closed", "2026-11-09 09:00", no="R", outcome="resolved", replied_at="2026-11-09"),
        door.hall.event("case.reopened", "2026-11-16 09:00", no="R", reason="申请人不服"),
    )
    second, first = door.get(case_path("R", "explain")).json()["clocks"]
    assert (second["round"], second["verdict"], second["due_on"]) == (2, None, "2026-11-19")
    assert (first["round"], first["verdict"], first["late_days"]) == (1, "breached", 2)
    assert "超期 2 个工作日" in first["text"]
    assert "第 2 轮" in second["text"]


def test_a_provisional_date_is_told_with_its_bounds(door):
    door.hall.now = at("2026-12-20 10:00")
    door.send(door.accepted("V", "2026-12-18 09:00", kind="complex"))
    [clock] = door.get(case_path("V", "explain")).json()["clocks"]
    assert clock["provisional"]
    assert clock["due_earliest"] <= clock["due_on"] <= clock["due_latest"]
    assert "暂定" in clock["text"]
    assert any("放假安排未发布" in d["text"] for d in clock["account"] if d["projected"])


# -- timeline -------------------------------------------------------------------------------------------------------


def test_the_timeline_holds_events_changes_and_messages_in_order_of_time(door):
    door.send(door.accepted("T", "2026-11-20 10:12", handler="zhangsan", department="社会事务科"))
    door.hall.until("2026-11-26 09:00")
    door.post(door.hall.event("case.resumed", no="T"))
    door.send(door.hall.event("case.urged", no="T", by="联合党委", text="请尽快"))
    found = door.get(case_path("T", "timeline")).json()
    entries = found["entries"]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert {e["at"][-6:] for e in entries} == {"+08:00"}
    texts = [e["text"] for e in entries]
    assert texts[0] == "受理：简单事项，社会事务科，承办 zhangsan"
    assert "到期前 1 个工作日提醒 → 承办人张三，企业微信已发出" in texts
    assert any(t.startswith("超期督办 → 科长") and "短信" in t for t in texts)
    assert "超期：应在11月25日（周三）17:30前办结" in texts
    assert "催办：联合党委，请尽快" in texts
    rejected = next(e for e in entries if e["what"] == "case.resumed")
    assert rejected["status"] == "rejected"
    assert "未采用" in rejected["text"]
    assert found["case"]["light"] == "red"


def test_nothing_about_the_applicant_is_in_any_answer_or_page(door):
    applicant = {"name": "赵六六", "phone": "13899998888"}
    door.send(door.accepted("S", applicant=applicant, handler="zhangsan", department="社会事务科"))
    door.hall.until("2026-11-27 09:00")
    paths = [case_path("S"), case_path("S", "timeline"), case_path("S", "explain"), "/v1/cases", "/v1/notifications"]
    for path in [*paths, "/", "/sandbox", "/cases/hall/S"]:
        response = door.get(path)
        assert response.status_code == 200
        assert "赵六六" not in response.text
        assert "13899998888" not in response.text


def test_due_dates_that_moved_say_from_when_to_when(door):
    door.send(door.accepted("M", "2026-11-16 09:00", kind="complex"))
    door.send(door.hall.event("case.paused", "2026-11-17 09:00", no="M", reason="hearing"))
    door.send(door.hall.event("case.resumed", "2026-11-18 09:00", no="M"))
    moved = [e for e in door.get(case_path("M", "timeline")).json()["entries"] if e["what"] == "due_changed"]
    assert [e["text"] for e in moved] == ["停表，原定11月30日（周一）到期", "改为12月1日（周二）到期"]
    assert [e.get("due_on") for e in moved] == [None, "2026-12-01"]


# -- notifications --------------------------------------------------------------------------------------------------


@pytest.fixture
def told(door):
    door.send(door.accepted("N1", handler="zhangsan", department="社会事务科"), door.accepted("N2", handler="nobody"))
    door.hall.until("2026-11-26 09:00")
    return door


def test_notifications_come_newest_first_with_their_tries(told):
    found = told.get("/v1/notifications").json()["notifications"]
    assert [int(n["id"]) for n in found] == sorted((int(n["id"]) for n in found), reverse=True)
    sent = [n for n in found if n["case"] == "N1" and n["state"] == "accepted"]
    assert {n["attempts"] for n in sent} == {1}
    assert all(n["last"].startswith("accepted") for n in sent)
    assert {n["to"] for n in sent} >= {"zhangsan", "lisi"}
    assert {n["channel"] for n in sent} == {"wecom", "sms"}
    assert all(n["not_before"].endswith("+08:00") for n in found)


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ({"case": "N1"}, lambda n: n["case"] == "N1"),
        ({"recipient": "lisi"}, lambda n: n["to"] == "lisi"),
        ({"recipient": ["lisi", "zhangsan"]}, lambda n: n["to"] in ("lisi", "zhangsan")),
        ({"state": "accepted"}, lambda n: n["state"] == "accepted"),
        ({"state": "failed"}, lambda n: n["state"] == "failed"),
        ({"case": "nothing"}, lambda _: False),
    ],
)
def test_notifications_are_filtered(told, query, test):
    everything = told.get("/v1/notifications", limit=500).json()["notifications"]
    assert told.get("/v1/notifications", limit=500, **query).json()["notifications"] == [
        n for n in everything if test(n)
    ]


def test_notifications_page_by_page_are_all_of_them(told):
    everything = told.get("/v1/notifications", limit=500).json()["notifications"]
    assert len(everything) > 4
    pages, cursor = [], None
    while True:
        page = told.get("/v1/notifications", limit=3, **({"cursor": cursor} if cursor else {})).json()
        pages += page["notifications"]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == everything


def test_another_sources_notifications_do_not_exist(told):
    other = told.new_source("other")
    assert told.get("/v1/notifications", key=other).json() == {"notifications": [], "next": None}
    assert told.get("/v1/cases", key=other).json() == {"cases": [], "next": None}
