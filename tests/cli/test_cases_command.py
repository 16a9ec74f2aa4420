"""``sla cases``: every case, in the form that its reader needs."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
from builders import at
from command_line import accepted, closed, event

from sla_service.cli.wide import width


@pytest.fixture
def hall(both):
    """Four cases: overdue, yellow, paused and closed, on Friday 2026-11-27 at 10:00."""
    both.clock("2026-11-27 10:00")
    rows = [
        accepted("2026-11-20 10:00", "A-1", title="=1+1", handler="lisi"),
        accepted("2026-11-25 10:00", "A-2", kind="complex", department="规划科", title="选煤厂用地"),
        accepted("2026-11-24 10:00", "A-3"),
        event("paused", "2026-11-25 10:00", no="A-3", reason="hearing", applicant_informed_at="2026-11-25"),
        accepted("2026-11-20 10:00", "A-4"),
        closed("2026-11-26 10:00", "A-4"),
        accepted("2026-11-24 10:00", "B-1", source="north", kind="simple"),
    ]
    both.ok("ingest", both.write("e.jsonl", rows))
    return both


def numbers(said):
    return [case["no"] for case in said.json]


def test_closed_ones_are_listed_too_with_the_case_object_of_the_contract(hall):
    found = hall.ok("cases", "--json").json
    assert [(c["no"], c["state"], c["light"]) for c in found] == [
        ("A-1", "running", "red"),
        ("A-2", "running", "green"),
        ("A-3", "paused", "grey"),
        ("A-4", "closed", "grey"),
        ("B-1", "running", "yellow"),
    ]
    assert found[3]["verdict"] == "breached"
    assert (found[3]["late_days"], found[0]["remaining_days"]) == (1, -2)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--light", "red"], ["A-1"]),
        (["--light", "red", "--light", "yellow"], ["A-1", "B-1"]),
        (["--state", "closed"], ["A-4"]),
        (["--state", "running", "--state", "paused", "--source", "hall"], ["A-1", "A-2", "A-3"]),
        (["--kind", "complex"], ["A-2"]),
        (["--department", "规划科"], ["A-2"]),
        (["--handler", "lisi"], ["A-1"]),
        (["--source", "north"], ["B-1"]),
        (["--hall", "main", "--light", "grey"], ["A-3", "A-4"]),
        (["--light", "green", "--kind", "simple"], []),
    ],
)
def test_filters_narrow_the_list(hall, args, wanted):
    assert numbers(hall.ok("cases", *args, "--json")) == wanted


def test_people_get_a_table(hall):
    said = hall.ok("cases")
    rows = [line.split() for line in said.lines]
    assert rows[0][:4] == ["灯", "来源", "办件编号", "状态"]
    assert rows[2][:8] == ["红", "hall", "A-1", "办理中", "简单事项", "2026-11-25", "超", "2"]
    assert "超期 1 天" in said.lines[5]
    assert said.err == "共 5 件。\n"
    assert len({width(line[: line.index("社会事务科")]) for line in said.lines if "社会事务科" in line}) == 1


def test_json_lines_are_one_case_per_line(hall):
    said = hall.ok("cases", "--format", "jsonl")
    assert [json.loads(line) for line in said.lines] == hall.ok("cases", "--json").json
    assert said.err == ""


def test_csv_has_the_names_of_the_contract_and_runs_no_formula(hall):
    rows = list(csv.DictReader(io.StringIO(hall.ok("cases", "--format", "csv").out)))
    assert [r["no"] for r in rows] == ["A-1", "A-2", "A-3", "A-4", "B-1"]
    assert (rows[0]["title"], rows[0]["remaining_days"], rows[0]["provisional"]) == ("'=1+1", "-2", "false")
    assert (rows[2]["due_on"], rows[1]["title"]) == ("", "选煤厂用地")


def test_excel_gets_chinese_titles_real_dates_and_text_that_stays_text(hall):
    hall.ok("cases", "--format", "xlsx", "-o", "c.xlsx")
    sheet = openpyxl.load_workbook(hall.folder / "c.xlsx")["办件"]
    titles, first, *_ = [[c.value for c in row] for row in sheet.iter_rows()]
    row = dict(zip(titles, first, strict=True))
    assert (row["办件编号"], row["类别"], row["灯"], row["剩余工作日"]) == ("A-1", "简单事项", "红", -2)
    assert row["到期日"] == at("2026-11-25").replace(tzinfo=None)
    assert row["受理时间"] == at("2026-11-20 10:00").replace(tzinfo=None)
    assert sheet["D2"].data_type == "s"
    assert sheet.freeze_panes == "A2"
    piped = hall.ok("cases", "--format", "xlsx")
    assert openpyxl.load_workbook(io.BytesIO(piped.raw))["办件"]["C2"].value == "A-1"


def test_a_control_character_in_a_title_spoils_no_export(both):
    both.ok("ingest", both.write("e.jsonl", [accepted(title="a\u0001b\x1b[31m")]))
    assert "\x1b" not in both.ok("cases").out
    both.ok("cases", "--format", "xlsx", "-o", "c.xlsx")
    assert openpyxl.load_workbook(both.folder / "c.xlsx")["办件"]["D2"].value == "a b [31m"


def test_more_than_a_page_is_listed_without_gap_or_repeat(both):
    both.ok("ingest", both.write("e.jsonl", [accepted(no=f"N-{n:04}") for n in range(2500)]), "--silent")
    assert numbers(both.ok("cases", "--json")) == [f"N-{n:04}" for n in range(2500)]


def test_nothing_is_an_empty_list_in_every_form(shell):
    assert shell.ok("cases", "--json").json == []
    assert shell.ok("cases", "--format", "jsonl").out == ""
    assert len(shell.ok("cases", "--format", "csv").lines) == 1
    assert shell.ok("cases").err == "共 0 件。\n"
