"""``sla ingest``: a file through the same door as everything, safe to repeat, with a list of what was not taken."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path

import pytest
from command_line import CONFIG, accepted, closed, event

NONE = {"applied": 0, "duplicate": 0, "conflict": 0, "waiting": 0, "rejected": 0, "invalid": 0}


def counts(said):
    return {k: v for k, v in said.json["counts"].items() if v}


def refused(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_file_of_events_is_taken_once_however_often_it_comes(both):
    path = both.write("e.jsonl", [accepted(), closed()])
    said = both.ok("ingest", path, "--json")
    assert said.json == {
        "file": str(path),
        "rows": 2,
        "counts": {**NONE, "applied": 2},
        "registered": ["hall"],
        "rejects": None,
    }
    assert said.err.strip() == "来源 hall 还没有登记，已自动登记（厅 main，现在上线，没有密钥）。"
    before = both.ok("cases", "--json").json
    again = both.ok("ingest", path, "--json")
    assert (counts(again), again.err) == ({"duplicate": 2}, "")
    assert both.ok("cases", "--json").json == before


def test_good_rows_are_kept_and_bad_ones_listed_with_row_and_reason(both):
    lines = [
        accepted(),
        "kein JSON",
        {**accepted(no="BBC-2"), "time": "2026-11-20T10:00:00"},
        closed(no="BBC-9"),
        event("resumed", "2026-11-21 10:00"),
        {**accepted(), "data": {"kind": "complex"}},
    ]
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path = both.write("e.jsonl", text)
    said = both.ok("ingest", path, "--json")
    assert counts(said) == {"applied": 1, "waiting": 1, "rejected": 1, "conflict": 1, "invalid": 2}
    assert said.json["rejects"] == f"{path}.rejects.jsonl"
    found = {r["row"]: r for r in refused(both.folder / "e.jsonl.rejects.jsonl")}
    assert sorted(found) == [2, 3, 5, 6]
    assert found[2]["reason"] == "这一条不是 JSON：第 1 个字符处读不下去。"
    assert (found[3]["field"], found[3]["status"], found[3]["raw"]["subject"]) == ("time", "invalid", "BBC-2")
    assert (found[5]["status"], found[6]["status"]) == ("rejected", "conflict")
    assert [case["no"] for case in both.ok("cases", "--json").json] == ["BBC-1"]


def test_people_read_the_sums_and_where_the_list_is(shell):
    path = shell.write("e.jsonl", [accepted(), closed(), {"id": 1}])
    said = shell.ok("ingest", path)
    assert [line.strip() for line in said.lines] == [
        f"{path}：3 行，3 个事件",
        "2  生效",
        "1  无效（不符合要求）",
        f"拒收清单：{path}.rejects.jsonl（1 条，有行号和原因）",
    ]


def test_the_list_of_refused_rows_is_for_nobody_else(shell):
    path = shell.write("e.jsonl", [{"id": 1}])
    shell.ok("ingest", path)
    assert stat.S_IMODE(Path(f"{path}.rejects.jsonl").stat().st_mode) == 0o600
    named = shell.folder / "abgelehnt.jsonl"
    assert shell.ok("ingest", path, "--rejects", named, "--json").json["rejects"] == str(named)


def test_standard_input_and_the_default_source(shell):
    lines = "\n".join(json.dumps(e) for e in (accepted(source=None), accepted(source="andere", no="BBC-2")))
    said = shell.ok("ingest", "-", "--source", "hall", "--json", stdin=lines)
    assert (said.json["file"], counts(said)) == ("-", {"applied": 1, "invalid": 1})
    (row,) = refused(shell.folder / "stdin.rejects.jsonl")
    assert row["reason"] == "source 是 andere，与 --source hall 不符。"
    assert [s["name"] for s in shell.ok("source", "list", "--json").json] == ["hall"]


def test_an_event_without_a_source_is_invalid_where_none_is_named(shell):
    said = shell.ok("ingest", shell.write("e.jsonl", [accepted(source=None)]), "--json")
    assert counts(said) == {"invalid": 1}
    assert refused(shell.folder / "e.jsonl.rejects.jsonl")[0]["field"] == "source"


def test_several_files_give_one_document_with_sums(shell):
    one = shell.write("1.jsonl", [accepted()])
    two = shell.write("2.jsonl", [closed(), {"id": 1}])
    shell.write("1.jsonl.rejects.jsonl", "{}\n")
    said = shell.ok("ingest", one, two, f"{one}.rejects.jsonl", "--json")
    assert [(f["file"], f["rows"]) for f in said.json["files"]] == [(str(one), 1), (str(two), 2)]
    assert (said.json["rows"], said.json["counts"]) == (3, {**NONE, "applied": 2, "invalid": 1})
    assert f"跳过 {one}.rejects.jsonl：这是以前的拒收清单。" in said.err


def test_one_missing_file_stops_the_others_before_anything_is_taken(shell):
    said = shell("ingest", shell.write("1.jsonl", [accepted()]), "2.jsonl")
    assert (said.code, said.err.strip()) == (1, "sla：2.jsonl：没有这个文件。")
    assert shell.ok("cases", "--json").json == []


def test_an_event_before_the_one_that_it_needs_is_counted_by_how_it_ended(both):
    """Batches of 500: the acceptance comes in the second, the resumption before its pause."""
    filler = [accepted(no=f"F-{n}") for n in range(600)]
    late = [event("paused", "2026-11-21 09:00", reason="hearing"), accepted()]
    early = [closed(), event("resumed", "2026-11-21 10:00")]
    said = both.ok("ingest", both.write("e.jsonl", [*early, *filler, *late]), "--json")
    assert (said.json["counts"], said.json["rejects"]) == ({**NONE, "applied": 604}, None)


def test_a_shuffled_file_gives_the_same_cases(both):
    events = [
        e
        for n in range(300)
        for e in (
            accepted(no=f"N-{n}"),
            event("paused", "2026-11-21 09:00", no=f"N-{n}", reason="hearing"),
            closed(no=f"N-{n}"),
        )
    ]
    both.ok("ingest", both.write("ordered.jsonl", events))
    before = both.ok("cases", "--json").json
    for one in events:
        one["source"] = "anders"
    random.Random(7).shuffle(events)
    both.ok("ingest", both.write("shuffled.json", json.dumps(events)))
    after = both.ok("cases", "--json", "--source", "anders").json
    assert [{**case, "source": "hall"} for case in after] == before


def test_a_file_that_is_not_utf8_leaves_everything_as_it_was(both):
    good = json.dumps(accepted(), ensure_ascii=False).encode()
    path = both.write("e.jsonl", good + b"\n" + '{"id":"办"}'.encode("gbk"))
    said = both("ingest", path)
    assert (said.code, said.out) == (1, "")
    assert (
        said.err.strip()
        == f"sla：{path} 第 2 行（第 {len(good) + 9} 个字节）不是 UTF-8 编码，请另存为 UTF-8 再导入；什么都没有写入。"
    )
    assert both.ok("source", "list", "--json").json == []


def test_a_time_ahead_of_the_clock_is_invalid(shell):
    shell.clock("2026-11-20 10:00")
    said = shell.ok("ingest", shell.write("e.jsonl", [accepted("2026-11-20 10:12")]), "--json")
    assert counts(said) == {"invalid": 1}


def test_history_taken_silently_sends_nothing(both):
    both.clock("2026-11-23 10:00")
    both.ok("source", "add", "hall", "--go-live", "2026-11-01")
    both.ok(
        "ingest",
        both.write("e.jsonl", [accepted("2026-11-02 09:00"), accepted("2026-11-02 09:00", no="BBC-2")]),
        "--silent",
    )
    found = both.ok("show", "hall", "BBC-1", "--json").json
    assert (found["case"]["light"], found["messages"]) == ("red", [])


# -- dry run -------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_as_in_earnest_and_keeps_nothing(both):
    both.ok("ingest", both.write("alt.jsonl", [accepted(), accepted(no="BBC-2")]))
    before = both.ok("cases", "--json").json
    new = [accepted(no=f"N-{n}") for n in range(700)] + [closed(no=f"N-{n}") for n in range(700)]
    void = event("event.voided", "2026-11-22 09:00", no="BBC-2", event_id="BBC-2/accepted")
    more = [closed(), accepted(), {**accepted(no="BBC-2"), "data": {}}, void]
    path = both.write("neu.jsonl", [*new, *more, accepted(source="fremd")])
    trial = both.ok("ingest", path, "--dry-run", "--json")
    assert both.ok("cases", "--json").json == before
    assert [s["name"] for s in both.ok("source", "list", "--json").json] == ["hall"]
    assert "来源 fremd 还没有登记，正式导入时会自动登记（厅 main）。" in trial.err
    earnest = both.ok("ingest", path, "--json")
    assert trial.json["counts"] == earnest.json["counts"]
    assert counts(trial) == {"applied": 1403, "duplicate": 1, "conflict": 1}


def test_people_are_told_that_it_was_a_trial(shell):
    said = shell.ok("ingest", shell.write("e.jsonl", [accepted()]), "--dry-run")
    assert said.lines[0].endswith("1 行，1 个事件（试算，没有写入）")


# -- registers -----------------------------------------------------------------------------------------------

REGISTER = """\
序号,受理编号,受理时间,类别,承办科室,承办人,办结时间
1,A-1,2026-09-18,简单事项,社会事务科,张三,2026-09-22
2,A-2,2026-09-31,简单,,,
"""


def test_a_register_becomes_cases_and_says_how_it_read_the_columns(both):
    both.clock("2026-11-23 10:00")
    path = both.write("t.csv", REGISTER.encode("gbk"))
    said = both.ok("ingest", path, "--source", "hall", "--json")
    assert (said.json["rows"], counts(said)) == (2, {"applied": 2, "invalid": 1})
    assert said.json["columns"]["accepted"] == "受理时间"
    assert "第 1 行是表头，列这样对应（不对时用 --map 写明）：" in said.err
    assert "  受理编号  → no" in said.err
    assert "没有用到：序号" in said.err
    assert "在映射文件里写 replied: closed" in said.err
    (case,) = both.ok("cases", "--json").json
    assert (case["no"], case["due_on"], case["verdict"], case["handler"]) == ("A-1", "2026-09-22", "met", "张三")
    assert [f["code"] for f in case["findings"]] == ["no_reply"]
    assert counts(both.ok("ingest", path, "--source", "hall", "--json")) == {"duplicate": 2, "invalid": 1}


def test_a_mapping_file_settles_what_cannot_be_guessed(shell):
    shell.write(
        "m.yaml", "columns: {no: 受理编号, accepted: 受理时间, closed: 办结时间}\nreplied: closed\nsource: hall\n"
    )
    said = shell.ok("ingest", shell.write("t.csv", REGISTER), "--map", "m.yaml", "--json")
    assert "replied: closed" not in said.err
    assert said.json["columns"] == {"no": "受理编号", "accepted": "受理时间", "closed": "办结时间"}
    (case,) = shell.ok("cases", "--json").json
    assert (case["verdict"], [f["code"] for f in case["findings"]]) == ("met", ["unclassified"])


def test_a_case_closed_today_may_be_imported_before_the_day_is_over(shell):
    shell.clock("2026-11-23 10:00")
    path = shell.write("t.csv", "编号,受理时间,办结日期\nA-1,2026-11-20,2026-11-23\n")
    assert counts(shell.ok("ingest", path, "--source", "hall", "--json")) == {"applied": 2}
    shell.clock("2026-11-23 20:00")
    assert counts(shell.ok("ingest", path, "--source", "hall", "--json")) == {"duplicate": 2}


@pytest.mark.parametrize(
    ("name", "content", "code", "sentence"),
    [
        (
            "t.csv",
            "甲,乙\n1,2\n",
            1,
            "里没有找到表头（至少要有办件编号和受理时间两列），看到的是：甲、乙；可以用 --map 写明哪一列是什么。",
        ),
        (
            "t.csv",
            b"no,accepted\n\xff\xff\xff,x\n",
            1,
            "既不是 UTF-8 也不是 GBK 编码，请用 Excel 或编辑器另存为 UTF-8；什么都没有写入。",
        ),
        ("t.xlsx", b"PK\x03\x04kaputt", 1, "打不开：不是 .xlsx，或者文件不完整，请在 Excel 里重新另存为 .xlsx。"),
        ("t.xls", b"\xd0\xcf\x11\xe0", 1, "是旧版 Excel（.xls）或加了密码的文件，请在 Excel 里另存为不加密的 .xlsx。"),
    ],
)
def test_a_register_that_cannot_be_read_is_one_sentence(shell, name, content, code, sentence):
    path = shell.write(name, content)
    said = shell("ingest", path, "--source", "hall")
    assert (said.code, said.out) == (code, "")
    assert said.err.strip() == f"sla：{path} {sentence}"


def test_a_register_without_a_source_is_wrong_use(shell):
    said = shell("ingest", shell.write("t.csv", REGISTER))
    assert (said.code, said.out) == (2, "")
    assert said.err.strip().endswith("t.csv 是台账，里面没有写来源，请用 --source 写明，例如 --source hall。")


def test_a_config_folder_that_is_wrong_is_named_before_the_file_is_touched(shell):
    folder = shell.folder / "conf"
    folder.mkdir()
    for file in CONFIG.iterdir():
        (folder / file.name).write_text(file.read_text("utf-8").replace("channels:\n", "chanels:\n"), "utf-8")
    shell.env["SLA_CONFIG_DIR"] = str(folder)
    said = shell("ingest", shell.write("e.jsonl", [accepted()]))
    assert (said.code, said.out) == (1, "")
    assert "channels.yaml:" in said.err
    assert '不认识 "chanels"，是不是 channels？' in said.err


def test_an_empty_file_is_read_and_holds_nothing(shell):
    assert shell.ok("ingest", shell.write("leer.jsonl", ""), "--json").json["rows"] == 0


def test_tonights_export_of_a_register_is_told_from_last_nights_by_when_the_file_was_written(both):
    head = "编号,受理时间,科室,承办人\n"
    path = both.write("台账.csv", head + "A-1,2026-11-20,社会事务科,张三\n")
    both.ok("ingest", path, "--source", "hall")
    last_night = path.read_bytes()
    both.write("台账.csv", head + "A-1,2026-11-20,社会事务科,李四\n")
    assert counts(both.ok("ingest", path, "--source", "hall", "--json")) == {"applied": 1}
    assert [case["handler"] for case in both.ok("cases", "--json").json] == ["李四"]
    old = both.write("昨晚.csv", last_night)
    said = both.ok("ingest", old, "--source", "hall", "--as-of", "2026-11-20T18:00:00+08:00", "--json")
    assert counts(said) == {"duplicate": 1}
    assert "没有动" in said.err
    assert [case["handler"] for case in both.ok("cases", "--json").json] == ["李四"]
