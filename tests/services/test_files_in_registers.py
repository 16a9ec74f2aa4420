"""Registers (台账): one row one case, always the same events for the same row, a bad one spoils only itself."""

from __future__ import annotations

import io

import pytest
from register_files import NOW, ROW, TITLES, as_csv, read

from sla_service.domain.policy import Hours
from sla_service.errors import SlaError
from sla_service.services import registers
from sla_service.services.file_input import opened
from sla_service.services.register_map import RegisterMap


def test_a_row_becomes_the_events_of_its_case(tmp_path):
    found, _, events = read(as_csv(tmp_path, TITLES, ROW))
    assert found == [(2, ["A-1/accepted", "A-1/closed"])]
    assert events["A-1/accepted"] == {
        "specversion": "1.0",
        "id": "A-1/accepted",
        "source": "hall",
        "type": "case.accepted",
        "subject": "A-1",
        "time": "2026-09-18T00:00:00+08:00",
        "data": {"kind": "simple", "department": "社会事务科", "handler": "张三"},
    }
    closed = events["A-1/closed"]
    assert (closed["type"], closed["time"]) == ("case.closed", "2026-09-22T17:30:00+08:00")
    assert closed["data"] == {"outcome": "resolved", "replied_at": "2026-09-22T11:00:00+08:00"}


def test_pauses_replies_and_what_the_applicant_said_are_taken_too(tmp_path):
    titles = [
        "办件编号",
        "受理日期",
        "类别",
        "挂起时间",
        "挂起原因",
        "恢复时间",
        "答复日期",
        "申请人",
        "联系电话",
        "办理时限",
        "告知日期",
    ]
    row = [
        "B-1",
        "2026-11-02",
        "特殊",
        "2026-11-03 10:00",
        "听证",
        "2026-11-04 10:00",
        "2026-11-05",
        "赵六",
        13800000000,
        "12个工作日",
        "2026-11-02",
    ]
    found, _, events = read(as_csv(tmp_path, titles, row))
    assert found == [(2, ["B-1/accepted", "B-1/paused", "B-1/resumed", "B-1/replied"])]
    assert events["B-1/accepted"]["data"] == {
        "kind": "special",
        "applicant": {"name": "赵六", "phone": "13800000000"},
        "limit_days": 12,
        "applicant_informed_at": "2026-11-02",
    }
    assert events["B-1/paused"]["data"] == {"reason": "hearing"}
    assert events["B-1/replied"]["time"] == "2026-11-05T17:30:00+08:00"


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [
        ("utf-8", ","),
        ("utf-8-sig", ","),
        ("gbk", ","),
        ("gb18030", ";"),
        ("utf-16", "\t"),
        ("utf-8", "，"),
        ("gbk", "|"),
    ],
)
def test_any_encoding_and_delimiter_of_an_office(tmp_path, encoding, delimiter):
    rows = [["2026 年办件台账"], [], TITLES, ROW] if encoding != "utf-8" else [TITLES, ROW]
    if delimiter == "，":
        path = tmp_path / "t.csv"
        path.write_text("\n".join("，".join(map(str, r)) for r in rows), "utf-8")
    else:
        path = as_csv(tmp_path, *rows, encoding=encoding, delimiter=delimiter)
    found, _, events = read(path)
    assert found == [(len(rows), ["A-1/accepted", "A-1/closed"])]
    assert events["A-1/accepted"]["data"]["department"] == "社会事务科"


def test_what_is_neither_utf8_nor_gbk_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"no,accepted\n\xff\xff\xff,2026-01-01\n")
    with pytest.raises(
        SlaError, match=r"t\.csv 既不是 UTF-8 也不是 GBK 编码，请用 Excel 或编辑器另存为 UTF-8；什么都没有写入。"
    ):
        read(path)


def test_empty_rows_and_repeated_titles_are_passed_over_and_rows_keep_their_numbers(tmp_path):
    other = ["", "A-2", *ROW[2:]]
    found, _, _ = read(as_csv(tmp_path, TITLES, [], ROW, ["", ""], TITLES, other))
    assert [row for row, _ in found] == [3, 6]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("受理编号", "", "受理编号是空的。"),
        ("受理时间", "", "受理时间是空的。"),
        ("受理时间", "2026.9.31", "受理时间：日期不存在或读不懂：“2026.9.31”，请写成 2026-09-18 或 2026-09-18 10:12。"),
        ("类别", "紧急", "类别“紧急”不认识，请在映射文件的 words 里写明它是什么。"),
        ("类别", "听证", "类别“听证”不认识，请在映射文件的 words 里写明它是什么。"),
        ("办理结果", "研究中", "办理结果“研究中”不认识，请在映射文件的 words 里写明它是什么。"),
        ("承办人", "#N/A", "承办人：是 Excel 的错误值 #N/A。"),
    ],
)
def test_a_bad_cell_spoils_its_row_alone_and_names_its_column(tmp_path, column, value, problem):
    bad = ["" if t == "序号" else (value if t == column else v) for t, v in zip(TITLES, ROW, strict=True)]
    good = [2, "A-2", *ROW[2:]]
    found, _, _ = read(as_csv(tmp_path, TITLES, bad, good))
    assert found == [(2, problem), (3, ["A-2/accepted", "A-2/closed"])]


def test_a_closing_today_without_an_hour_is_the_close_of_business_to_come(tmp_path):
    row = [1, "A-1", "2026-11-20", "简单", "", "", "2026-11-23", "", ""]
    with opened(str(as_csv(tmp_path, TITLES, row)), io.BytesIO()) as one:
        (made,) = registers.rows(one, RegisterMap(), "hall", Hours(), lambda *_: None, now=NOW)
    assert [e.later_today for e in made.events] == [False, True]
    assert made.events[1].raw["time"] == "2026-11-23T17:30:00+08:00"


def test_a_quotation_mark_without_its_pair_is_said_with_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('编号,受理时间,事由\nA-1,2026-09-18,好\nA-2,2026-09-18,"坏' + "\n文字" * 60_000, "utf-8")
    with pytest.raises(
        SlaError, match=r"第 3 行（文件的第 \d+ 行）读不下去，可能是引号没有配对；改好后重新导入整个文件即可"
    ):
        read(path)
