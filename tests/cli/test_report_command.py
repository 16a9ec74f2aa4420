"""``sla report``: what a leader reads, what a script reads, what goes into Excel."""

from __future__ import annotations

import json

import pytest
from openpyxl import load_workbook


@pytest.fixture
def month(shell):
    def event(type_, no, time, **data):
        n = f"{type_}/{no}"
        return {
            "specversion": "1.0",
            "id": n,
            "source": "hall",
            "type": type_,
            "subject": no,
            "time": time,
            "data": data,
        }

    rows = []
    for no, title, closed in (
        ("A", "诊所名称核准", "2026-11-04T10:00:00+08:00"),
        ("B", "=1+1", "2026-11-11T10:00:00+08:00"),
    ):
        accepted = {"kind": "simple", "title": title, "department": "社会事务科", "handler": "zhangsan"}
        rows.append(event("case.accepted", no, "2026-11-02T09:00:00+08:00", **accepted))
        rows.append(event("case.closed", no, closed, outcome="resolved", replied_at="2026-11-11"))
    path = shell.folder / "month.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert shell("ingest", path, "--silent").code == 0
    return shell


def test_the_month_in_one_line_by_groups_and_late_case_by_case(month):
    said = month("report", "--month", "2026-11")
    assert said.lines[0] == (
        "2026-11-01 至 2026-11-30：办结 2 件，按时 1 件，超期 1 件；现在在办 0 件，其中超期 0 件，挂起 0 件。"
    )
    assert "张三 7 天" in said.out
    assert month("report", "--month", "2026-10").lines[0].startswith("2026-10-01 至 2026-10-31：办结 0 件")


def test_for_scripts_everything_is_there(month):
    body = month("report", "--month", "2026-11", "--json").json
    assert (body["total"]["met"], body["total"]["breached"], body["total"]["late_days"]) == (1, 1, 4)
    assert [group["name"] for group in body["by_department"]] == ["社会事务科"]
    assert [(one["no"], one["late_days"]) for one in body["late"]] == [("B", 4)]


def test_the_workbook_has_a_sheet_each_and_no_formula(month):
    path = month.folder / "november.xlsx"
    assert month("report", "--month", "2026-11", "--xlsx", path).code == 0
    book = load_workbook(path)
    assert book.sheetnames == ["按科室", "按分类", "按事项", "按承办人", "超期的件", "存疑的挂起"]
    title = book["超期的件"]["D2"]
    assert (title.value, title.data_type) == ("=1+1", "s")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--month", "11"], "要写月份，例如 2026-11"),
        (["--month", "2026-11", "--from", "2026-11-01"], "--month 和 --from、--to 只能用一种。"),
        (["--to", "2026-11-01"], "写了 --to 也要写 --from。"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "统计期间要从早到晚"),
    ],
)
def test_a_period_that_is_none_is_one_sentence(shell, args, words):
    said = shell("report", *args)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
