"""``sla show``: one case, so that whoever reads it knows why the light is what it is."""

from __future__ import annotations

import pytest
from command_line import accepted, closed, event

APPLICANT = {"name": "赵六", "phone": "13800000000"}


@pytest.fixture
def hall(both):
    both.clock("2026-11-25 10:00")
    both.ok("source", "add", "hall", "--go-live", "2026-11-01")
    rows = [
        accepted("2026-11-20 10:12", applicant=APPLICANT),
        event("paused", "2026-11-23 10:00", reason="hearing"),
        event("resumed", "2026-11-24 10:00"),
        event("urged", "2026-11-24 11:00", by="窗口", text="群众等着"),
        event("resumed", "2026-11-24 12:00", id="noch einmal"),
    ]
    both.ok("ingest", both.write("e.jsonl", rows))
    return both


def section(said, title):
    """The rows of one part, without its titles and rule."""
    lines = said.lines[said.lines.index(title) + 1 :]
    end = lines.index("") if "" in lines else len(lines)
    return [line.split() for line in lines[:end]]


def test_how_it_stands_how_it_was_counted_and_what_comes_next(hall):
    said = hall.ok("show", "hall", "BBC-1")
    assert said.lines[0] == "hall  BBC-1  诊所名称核准"
    head = [line.split() for line in said.lines[1 : said.lines.index("")]]
    assert ["到期", "2026-11-26", "周四", "17:30"] in head
    assert ["承办人", "张三（zhangsan）"] in head
    assert ["异常", "挂起未告知当事人"] in head
    counted = section(said, "计时")
    assert ["2026-11-23", "周一", "挂起", "听证"] in counted
    assert counted[-1] == ["2026-11-26", "周四", "到期", "3"]
    ahead = section(said, "接下来")
    assert ["2026-11-26", "14:00", "办结", "到期当天", "14:00", "提醒", "科长"] in ahead
    assert ["2026-12-03", "08:30", "办结", "超期", "5", "个工作日督办，每", "5", "个工作日一次", "站长、局长"] in ahead


def test_its_history_and_who_was_told(hall):
    said = hall.ok("show", "hall", "BBC-1")
    history = section(said, "经过")
    assert ["2026-11-20", "10:12", "受理", "简单事项，社会事务科，承办", "zhangsan"] in history
    assert ["2026-11-23", "10:00", "挂起", "听证，未告知当事人"] in history
    assert any("未采用：办件" in " ".join(row) for row in history)
    assert ["2026-11-25", "10:00", "催办", "承办人张三", "企业微信", "待发"] in section(said, "消息")


def test_the_applicant_is_named_nowhere(hall):
    people, programs = hall.ok("show", "hall", "BBC-1"), hall.ok("show", "hall", "BBC-1", "--json")
    for text in (people.out, programs.out):
        assert "赵六" not in text
        assert "13800000000" not in text
    first = programs.json["events"][0]
    assert first["data"]["applicant"] == {"name": "赵*", "phone": "138****0000"}


def test_json_holds_all_parts(hall):
    found = hall.ok("show", "hall", "BBC-1", "--json").json
    assert found["case"] == hall.ok("cases", "--json").json[0]
    assert [(c["target"], c["due_on"], len(c["account"])) for c in found["clocks"]] == [("resolve", "2026-11-26", 7)]
    (timer,) = found["timers"]
    first = {"step": "due-1wd", "at": "2026-11-25T08:30:00+08:00", "to": ["handler"], "repeat": None}
    assert (timer["next_at"], timer["steps"][0]) == (first["at"], first)
    assert [e["status"] for e in found["events"]] == ["applied", "applied", "applied", "applied", "rejected"]
    assert [(m["step"].split()[0], m["to"], m["state"]) for m in found["messages"]] == [("urged", "zhangsan", "queued")]


def test_a_closed_case_shows_its_verdict(both):
    both.ok("ingest", both.write("e.jsonl", [accepted(), closed("2026-11-27 09:00", outcome="explained")]))
    said = both.ok("show", "hall", "BBC-1")
    head = [line.split() for line in said.lines[1 : said.lines.index("")]]
    assert ["判定", "超期", "2", "天"] in head
    assert ["办结", "2026-11-27", "09:00", "已解释"] in head
    assert "接下来" not in said.lines


@pytest.mark.parametrize(
    ("no", "sentence"),
    [
        ("BBC-7", "sla：没有办件 hall/BBC-7：请核对来源和办件编号。"),
        (
            "BBC-8",
            (
                "sla：没有办件 hall/BBC-8：已有 1 个事件在等它的受理事件（case.accepted），"
                "最早的 2026-12-01 10:00 收到，请补发。"
            ),
        ),
    ],
)
def test_a_case_that_is_not_there_is_said(shell, no, sentence):
    shell.ok("ingest", shell.write("e.jsonl", [closed(no="BBC-8")]))
    said = shell("show", "hall", no)
    assert (said.code, said.out, said.err.strip()) == (1, "", sentence)
