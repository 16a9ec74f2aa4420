"""``sla simulate`` as people and scripts call it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sla_service.cli.main import main
from sla_service.services.config import default_text

EXAMPLES = Path(__file__).parents[2] / "examples" / "hall.jsonl"
ACCEPTED = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "hall",
    "type": "case.accepted",
    "subject": "BBC-2026-0001",
    "time": "2026-11-02T10:00:00+08:00",
    "data": {"kind": "simple", "department": "社会事务科", "handler": "zhangsan"},
}
CLOSED = {
    **ACCEPTED,
    "id": "e-2",
    "type": "case.closed",
    "time": "2026-11-06T09:00:00+08:00",
    "data": {"outcome": "resolved", "replied_at": "2026-11-06"},
}


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Runs ``sla simulate`` in an empty folder, so without a config folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Said:
        with pytest.raises(SystemExit) as left:
            main(["simulate", *map(str, args)])
        said = capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)

    return run


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)


@pytest.fixture
def history(tmp_path) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_text(lines(ACCEPTED, CLOSED), "utf-8")
    return path


def test_the_example_is_replayed_into_a_table(call) -> None:
    said = call(EXAMPLES)
    assert (said.code, said.err) == (0, "")
    assert "重放 34 个事件，到 2026-05-27 17:00" in said.out
    assert "6/7（85.7%）" in said.out
    assert "到期前 1 个工作日" in said.out
    assert "unclassified" in said.out


def test_json_holds_the_figures_of_the_contract(call, history) -> None:
    found = call(history, "--json").json
    assert {k: found[k] for k in ("cases", "events", "met", "breached", "open")} == {
        "cases": 1,
        "events": 2,
        "met": 0,
        "breached": 1,
        "open": 0,
    }
    assert (
        found["messages"]["total"] == 7
    )  # the breach, by WeCom and SMS, to two; the case is closed half an hour later
    assert {"target": "resolve", "step": "due-1wd", "role": "handler", "count": 1} in found["messages"]["by_step_role"]
    assert found["end"] == "2026-11-06T09:00:00+08:00"


def test_messages_are_one_row_each(call, history, tmp_path) -> None:
    out = tmp_path / "messages.jsonl"
    said = call(history, "--messages", out, "--json")
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert said.json["messages"]["total"] == len(rows) == 7
    assert (
        rows[0].items()
        >= {
            "at": "2026-11-04T08:30:00+08:00",
            "to": "zhangsan",
            "role": "handler",
            "step": "due-1wd",
            "target": "resolve",
            "case": "BBC-2026-0001",
            "channel": "wecom",
        }.items()
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [history.name, out.name]


def test_a_period_limits_what_is_told_and_counted(call, history) -> None:
    found = call(history, "--from", "2026-11-05", "--to", "2026-11-05", "--json").json
    assert (found["start"], found["end"][:16]) == ("2026-11-05T00:00:00+08:00", "2026-11-05T23:59")
    assert (found["open"], found["overdue_open"], found["messages"]["total"]) == (1, 1, 2)
    later = call(history, "--to", "2026-11-05T12:00:00+08:00", "--json").json
    assert later["messages"]["total"] == 2


def test_two_policies_stand_side_by_side(call, history, tmp_path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(default_text("policy.yaml").replace("simple: 3wd", "simple: 5wd"), "utf-8")
    found = call(history, "--versus", other, "--json").json
    assert (found["breached"], found["versus"]["breached"]) == (1, 0)
    assert found["policy"] != found["versus"]["policy"]
    table = call(history, "--versus", other).out
    assert found["policy"] in table
    assert found["versus"]["policy"] in table
    row = next(line for line in table.splitlines() if line.startswith("超期办结"))
    assert row.split() == ["超期办结", "1", "0", "-1"]


def test_policy_and_directory_may_be_named(call, history, tmp_path) -> None:
    policy, directory = tmp_path / "p.yaml", tmp_path / "d.yaml"
    policy.write_text(default_text("policy.yaml").replace("simple: 3wd", "simple: 2wd"), "utf-8")
    directory.write_text('people:\n  - {id: "7", name: 赵七, aliases: [zhangsan]}\n', "utf-8")
    out = tmp_path / "m.jsonl"
    call(history, "--policy", policy, "--directory", directory, "--messages", out)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows[0].items() >= {"to": "7", "at": "2026-11-03T08:30:00+08:00"}.items()
    assert any(row["to"] is None and row["fell"] for row in rows)  # no section head in this one


def test_the_config_folder_is_the_default(call, history, tmp_path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    for name in ("policy.yaml", "directory.yaml", "channels.yaml"):
        (folder / name).write_text(default_text(name).replace("simple: 3wd", "simple: 9wd"), "utf-8")
    assert call(history, "--json").json["met"] == 1


def test_bad_lines_are_named_and_the_good_ones_replayed(call, tmp_path) -> None:
    path = tmp_path / "history.jsonl"
    bad = {**ACCEPTED, "id": "e-3", "time": "2026-11-02 10:00"}
    path.write_text(lines(ACCEPTED) + "{oops\n" + lines(bad, CLOSED, CLOSED, {**CLOSED, "subject": "x"}), "utf-8")
    said = call(path, "--json")
    assert said.code == 0
    assert [line.split("：")[0] for line in said.err.splitlines()] == ["第 2 行", "第 3 行", "第 6 行"]
    assert "time" in said.err
    assert {k: said.json[k] for k in ("events", "invalid", "duplicate", "conflict")} == {
        "events": 2,
        "invalid": 2,
        "duplicate": 1,
        "conflict": 1,
    }


def test_of_many_bad_lines_the_first_are_named(call, tmp_path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(lines(ACCEPTED) + "{oops\n" * 30, "utf-8")
    said = call(path)
    assert len(said.err.splitlines()) == 21
    assert "还有 10 行" in said.err


def test_an_array_and_standard_input_are_taken_too(call, tmp_path, monkeypatch) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps([ACCEPTED, CLOSED], ensure_ascii=False, indent=2), "utf-8")
    assert call(path, "--json").json["events"] == 2

    class Stdin:
        buffer = io.BytesIO(lines(ACCEPTED, CLOSED).encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert call("-", "--json").json["events"] == 2


def test_events_of_any_time_are_taken(call, tmp_path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(lines({**ACCEPTED, "time": "2040-11-02T10:00:00+08:00"}), "utf-8")
    assert call(path, "--json").json["cases"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (lines(ACCEPTED).encode("gbk"), "UTF-8"),
        (b"no,kind\n1,simple\n", "JSON"),
        (b"PK\x03\x04...", "JSON"),
        (b'{"a": 1}\n', "没有可以重放的事件"),
    ],
)
def test_a_file_that_is_no_history_is_one_sentence(call, tmp_path, content: bytes, words: str) -> None:
    path = tmp_path / "history.txt"
    path.write_bytes(content)
    said = call(path)
    assert (said.code, said.out) == (1, "")
    assert words in said.err.splitlines()[-1]


def test_a_missing_file_is_one_sentence(call) -> None:
    said = call("nowhere.jsonl")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert "nowhere.jsonl" in said.err


def test_a_policy_that_is_wrong_names_its_line(call, history, tmp_path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(default_text("policy.yaml").replace("simple: 3wd", "simple: 3days"), "utf-8")
    said = call(history, "--policy", policy)
    assert said.code == 1
    assert "p.yaml:" in said.err


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "2026-11-05", "--to", "2026-11-01"),
        ("--from", "gestern"),
        ("--to", "2026-11-05T10:00:00"),  # no offset
        ("--unknown",),
    ],
)
def test_wrong_use_is_exit_code_2(call, history, options: tuple[str, ...]) -> None:
    said = call(history, *options)
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1


def test_without_a_file_it_says_so(call) -> None:
    said = call()
    assert said.code == 2
    assert "FILE" in said.err


def test_an_unknown_hall_is_refused_by_name(call, history) -> None:
    said = call(history, "--hall", "north")
    assert said.code == 1
    assert "north" in said.err


def test_messages_that_cannot_be_written_are_one_sentence_and_leave_nothing_behind(call, history, tmp_path) -> None:
    said = call(history, "--messages", tmp_path / "nowhere" / "m.jsonl")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert "nowhere" in said.err
    said = call(history, "--messages", tmp_path)
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert [p.name for p in tmp_path.iterdir()] == [history.name]


def test_help_shows_how_to_use_it(call) -> None:
    said = call("--help")
    assert said.code == 0
    assert "sla simulate examples/hall.jsonl" in said.out
