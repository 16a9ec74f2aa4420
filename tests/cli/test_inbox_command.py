"""``sla inbox``: what came in, why it was not taken, and trying it again."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
import redis
from command_line import accepted, closed, event

from sla_service.services import streams


@pytest.fixture
def troubled(both):
    """One of each: waiting, rejected, invalid, conflict, and one that is well."""
    both.clock("2026-11-20 10:00")
    lines = [
        accepted("2026-11-20 09:00", applicant={"name": "赵六", "phone": "13812345678"}),
        closed("2026-11-20 09:30", no="LOST"),
        event("resumed", "2026-11-20 09:40"),
        accepted("2026-11-20 09:00", no="BAD", kind="urgent", applicant={"name": "赵六", "phone": "13812345678"}),
        {**accepted("2026-11-20 09:00"), "data": {"kind": "complex"}},
        "kein JSON 13812345678",
    ]
    text = "\n".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in lines)
    both.ok("ingest", both.write("e.jsonl", text), "--source", "hall")
    return both


def test_what_needs_looking_after_is_listed_with_its_reason(troubled):
    found = troubled.ok("inbox", "list", "--json").json
    assert sorted((one["status"], one["case"] or "") for one in found) == [
        ("conflict", "BBC-1"),
        ("invalid", ""),
        ("invalid", "BAD"),
        ("rejected", "BBC-1"),
        ("waiting", "LOST"),
    ]
    assert all(one["problem"] and one["door"] == "file" and one["source"] == "hall" for one in found)
    assert not any(one["long_waiting"] for one in found)
    (well,) = troubled.ok("inbox", "list", "--status", "applied", "--json").json
    assert (well["id"], well["type"]) == ("BBC-1/accepted", "case.accepted")
    assert [o["case"] for o in troubled.ok("inbox", "list", "--case", "BAD", "--json").json] == ["BAD"]
    assert troubled.ok("inbox", "list", "--since", "2026-11-21", "--json").json == []
    assert troubled.ok("inbox", "list", "--source", "other").err.strip() == "没有这样的事件。"


def test_what_has_waited_for_a_day_is_told_by_its_age_and_to_whom_it_matters(troubled):
    troubled.clock("2026-11-23 10:30")
    said = troubled.ok("inbox", "list", "--status", "waiting")
    assert "等了 3 天" in said.out
    assert said.err.strip() == "1 个事件等受理等了一天以上：请业务系统补发这些办件的 case.accepted。"


def test_all_that_came_under_an_id_is_shown_with_applicants_masked(troubled):
    said = troubled.ok("inbox", "show", "hall", "BBC-1/accepted")
    assert said.lines[0].endswith(
        "从文件收到，冲突：事件 BBC-1/accepted 已有不同内容，以先到的为准；要更正请先发 event.voided，再用新的 id 发送"
    )
    assert "赵*" in said.out
    assert "138****5678" in said.out
    assert "赵六" not in said.out + troubled.ok("inbox", "show", "hall", "BAD/accepted").out
    bad = troubled.ok("inbox", "show", "hall", "BAD/accepted", "--why", "核对", "--json").json[0]
    assert json.loads(bad["body"])["data"]["applicant"] == {"name": "赵六", "phone": "13812345678"}
    assert "13812345678" in troubled.ok("inbox", "show", "hall", "BBC-1/accepted", "--why", "核对").out
    notes = [json.loads(line) for line in troubled.ok("audit", "export").lines]
    assert [n["detail"]["why"] for n in notes if n["what"] == "inbox.show"] == ["核对", "核对"]
    assert troubled("inbox", "show", "hall", "none").err.strip() == (
        "sla：没有收到过来源 hall 的事件 none，收到的见 sla inbox list --source hall。"
    )


def test_sealed_bodies_are_listed_shown_and_tried_again_too(both):
    both.env["SLA_DATA_KEY"] = "k" * 40
    path = both.write("e.jsonl", [accepted(no="BAD", kind="urgent", applicant={"name": "赵六"})])
    both.ok("ingest", path)
    (found,) = both.ok("inbox", "list", "--json").json
    assert found["case"] == "BAD"
    assert "赵*" in both.ok("inbox", "show", "hall", "BAD/accepted").out
    assert both.ok("inbox", "retry", "--json").json["counts"] == {"invalid": 1}


def test_a_body_that_no_key_opens_any_more_does_not_hide_the_others(both):
    both.env["SLA_DATA_KEY"] = "k" * 40
    both.ok("ingest", both.write("1.jsonl", [accepted(no="OLD", kind="urgent")]))
    both.env["SLA_DATA_KEY"] = "n" * 40
    both.ok("ingest", both.write("2.jsonl", [accepted(no="NEW", kind="urgent")]))
    assert [one["case"] for one in both.ok("inbox", "list", "--json").json] == ["NEW", None]
    assert "SLA_DATA_KEY_OLD" in both.ok("inbox", "show", "hall", "OLD/accepted").out


def test_bodies_are_tried_again_under_todays_rules_first_without_effect(both):
    both.ok("source", "add", "hall")
    ahead = accepted("2026-12-01 11:00", no="AHEAD")  # an hour ahead of the clock
    both.ok("ingest", both.write("e.jsonl", [ahead, accepted("2026-12-01 09:00", no="BAD", kind="urgent")]))
    both.clock("2026-12-01 12:00")
    trial = both.ok("inbox", "retry", "--source", "hall")
    assert trial.err.strip() == "以上是试算，什么都没有改；1 个会被收下，加 --apply 生效。"
    assert both.ok("cases", "--json").json == []
    done = both.ok("inbox", "retry", "--source", "hall", "--apply", "--json").json
    assert done["counts"] == {"applied": 1, "invalid": 1}
    assert [c["no"] for c in both.ok("cases", "--json").json] == ["AHEAD"]
    assert both.ok("inbox", "retry", "--apply", "--json").json["counts"] == {"invalid": 1}
    assert [o["status"] for o in both.ok("inbox", "list", "--status", "retried", "--json").json] == ["retried"]
    assert len(both.ok("inbox", "list", "--json").json) == 1  # the one that does not fit is not kept a second time


def test_entries_that_the_stream_put_aside_are_listed_and_put_back(shell, redis_url):
    shell.env["SLA_BROKER_URL"] = redis_url
    assert shell.ok("inbox", "dead").err.strip() == "没有放到一边的条目。"
    with closing(redis.Redis.from_url(redis_url)) as client:
        client.xadd(streams.DEAD, {"event": "{}", "id": "1-0", "reason": "来源 x 没有登记"})
        client.xadd(streams.DEAD, {"other": "x", "id": "2-0", "reason": "条目里没有字段 event"})
        assert [one["entry"] for one in shell.ok("inbox", "dead", "--json").json] == ["2-0", "1-0"]
        said = shell.ok("inbox", "dead", "--retry")
        assert "没有 event 字段，放不回去" in said.out
        assert said.err.strip() == "1 个放回了流里，结果见 sla inbox list 和 sla inbox dead。"
        assert [fields for _, fields in client.xrange(streams.STREAM)] == [{b"event": b"{}"}]
        assert client.xlen(streams.DEAD) == 1


def test_without_a_broker_it_is_said_what_to_start(shell):
    assert shell("inbox", "dead").err.strip() == "sla：内置的消息队列没有运行，请先 sla up。"
