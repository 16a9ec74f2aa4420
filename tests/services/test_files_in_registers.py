"""Registers (台账): titles wherever they stand, one row one case, always the same events for the same row."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl
import pytest
from builders import at

from sla_service.domain.policy import Hours
from sla_service.errors import ConfigError, SlaError, UsageError
from sla_service.services import registers
from sla_service.services.file_input import opened
from sla_service.services.register_map import RegisterMap, load_map

NOW = at("2026-11-23 10:00")
TITLES = ["序号", "受理编号", "受理时间", "类别", "承办科室", "承办人", "办结时间", "办理结果", "答复时间"]
ROW = [1, "A-1", "2026-09-18", "简单事项", "社会事务科", "张三", "2026-09-22", "办结", "2026-09-22 11:00"]


def read(path, rules=None, source="hall", now=NOW):
    """Rows as (place, ids or problem), the layouts that were told, and all events by id."""
    seen, found, events = [], [], {}
    with opened(str(path), io.BytesIO()) as one:
        for row in registers.rows(
            one, rules or RegisterMap(), source, Hours(), lambda where, _s: seen.append(where), now=now
        ):
            found.append((row.place["row"], row.problem or [e.raw["id"] for e in row.events]))
            events |= {e.raw["id"]: e.raw for e in row.events}
    return found, seen, events


def as_csv(tmp_path, *rows, encoding="utf-8", delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path = tmp_path / "t.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def as_xlsx(tmp_path, *rows, merged=(), title="台账"):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for span in merged:
        sheet.merge_cells(span)
    path = tmp_path / "t.xlsx"
    book.save(path)
    return path


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


# -- titles --------------------------------------------------------------------------------------------------


def test_titles_below_merged_headings_are_read_together(tmp_path):
    rows = [
        ["2026 年窗口办件台账"],
        ["编号", "受理", None, "办结情况", None, "承办人"],
        [None, "时间", "类别", "时间", "结果", None],
        [20260001, at("2026-09-18 10:12").replace(tzinfo=None), "简单", date(2026, 9, 22), "办结", "张三"],
    ]
    merged = ("A1:F1", "A2:A3", "B2:C2", "D2:E2", "F2:F3")
    for path in (as_xlsx(tmp_path, *rows, merged=merged), as_csv(tmp_path, *rows)):
        found, (layout,), events = read(path)
        assert found == [(4, ["20260001/accepted", "20260001/closed"])]
        assert (layout.last, layout.titles["accepted"], layout.titles["closed"]) == (3, "受理时间", "办结时间")
        assert events["20260001/accepted"]["time"] == "2026-09-18T10:12:00+08:00"
        assert events["20260001/closed"]["time"] == "2026-09-22T17:30:00+08:00"


def test_merged_cells_in_the_rows_count_for_every_row(tmp_path):
    rows = [
        ["编号", "受理时间", "科室"],
        ["A", "2026-09-18", "社会事务科"],
        ["B", "2026-09-18", None],
        ["C", "2026-09-18", "规划科"],
    ]
    _, _, events = read(as_xlsx(tmp_path, *rows, merged=("C2:C3",)))
    assert [e["data"]["department"] for e in events.values()] == ["社会事务科", "社会事务科", "规划科"]


def test_the_surest_title_wins_and_the_rest_is_told_as_unused(tmp_path):
    titles = ["序号", "登记时间", "受理时间", "编号", "受理编号（必填）", "*类别：", "状态"]
    _, (layout,), _ = read(as_csv(tmp_path, titles, [1, "2026-01-01", "2026-09-18", "x", "A-1", "简单", "在办"]))
    assert layout.titles == {"no": "受理编号（必填）", "accepted": "受理时间", "kind": "*类别："}
    assert layout.unused == ("序号", "登记时间", "编号", "状态")


def test_english_titles_do_too(tmp_path):
    found, _, _ = read(as_csv(tmp_path, ["Case No", "Accepted At", "Closed_at"], ["A-1", "2026-09-18", "2026-09-22"]))
    assert found == [(2, ["A-1/accepted", "A-1/closed"])]


def test_every_sheet_with_titles_is_read_and_hidden_or_other_ones_are_not(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "填表说明"
    for name, no in (("9月", "A-1"), ("10月", "A-2"), ("隐藏", "A-3")):
        sheet = book.create_sheet(name)
        sheet.append(["编号", "受理时间"])
        sheet.append([no, "2026-09-18"])
    book["隐藏"].sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    assert sorted(read(tmp_path / "t.xlsx")[2]) == ["A-1/accepted", "A-2/accepted"]
    assert sorted(read(tmp_path / "t.xlsx", RegisterMap(sheet="10月"))[2]) == ["A-2/accepted"]


def test_without_titles_the_sentence_says_what_was_found(tmp_path):
    with pytest.raises(ConfigError) as refused:
        read(as_csv(tmp_path, ["甲", "乙"], [1, 2]))
    text = "t.csv 里没有找到表头（至少要有办件编号和受理时间两列），看到的是：甲、乙；可以用 --map 写明哪一列是什么。"
    assert str(refused.value).endswith(text)


def test_a_register_needs_a_source(tmp_path):
    with pytest.raises(UsageError, match="是台账，里面没有写来源，请用 --source 写明，例如 --source hall。"):
        read(as_csv(tmp_path, TITLES, ROW), source=None)
    assert (
        read(as_csv(tmp_path, TITLES, ROW), RegisterMap(source="north"), source=None)[2]["A-1/closed"]["source"]
        == "north"
    )


@pytest.mark.parametrize("content", [b"PK\x03\x04kaputt", b""])
def test_a_damaged_workbook_is_said(tmp_path, content):
    whole = as_xlsx(tmp_path, TITLES, ROW).read_bytes()
    (tmp_path / "t.xlsx").write_bytes(content or whole[: len(whole) // 2])
    with pytest.raises(
        SlaError, match=r"t\.xlsx 打不开：不是 \.xlsx，或者文件不完整，请在 Excel 里重新另存为 \.xlsx。"
    ):
        read(tmp_path / "t.xlsx")


def test_a_workbook_holds_dates_in_all_their_forms(tmp_path):
    titles = ["编号", "受理时间"]
    values = [
        at("2026-09-18 10:12").replace(tzinfo=None),
        date(2026, 9, 18),
        46283,
        "2026年9月18日",
        "2026-09-18 10:12",
    ]
    path = as_xlsx(tmp_path, titles, *([f"A-{n}", v] for n, v in enumerate(values)), [10**17, "2026-09-18"])
    found, _, events = read(path)
    assert [e["time"][11:16] for e in events.values()] == ["10:12", "00:00", "00:00", "00:00", "10:12"]
    assert found[-1][1].startswith("编号：是 15 位以上的数字，Excel 已经丢了后面几位")


# -- mapping files -------------------------------------------------------------------------------------------

MAP = """\
columns: {no: 单据, accepted: 何时来的, closed: 何时办完, kind: 难度, pause_reason: 为何停, paused: 何时停}
time_zone: UTC
words: {一般: simple, 疑难: complex, 等鉴定: appraisal}
outcome: explained
replied: closed
"""


def test_a_mapping_says_which_column_is_what_and_which_word_means_what(tmp_path):
    (tmp_path / "m.yaml").write_text(MAP, "utf-8")
    rows = [["受理编号", "单据", "何时来的", "何时办完", "难度", "何时停", "为何停"]]
    rows.append(["x", "A-1", "2026-09-18 01:00", "2026-09-21 02:00", "疑难", "2026-09-18 03:00", "等鉴定"])
    _, (layout,), events = read(as_csv(tmp_path, *rows), load_map(tmp_path / "m.yaml"))
    assert layout.titles["no"] == "单据"
    assert events["A-1/accepted"]["time"] == "2026-09-18T01:00:00+00:00"
    assert events["A-1/accepted"]["data"] == {"kind": "complex"}
    assert events["A-1/paused"]["data"] == {"reason": "appraisal"}
    assert events["A-1/closed"]["data"] == {"outcome": "explained", "replied_at": "2026-09-21T02:00:00+00:00"}


def test_a_column_of_the_mapping_that_is_not_there_is_named(tmp_path):
    (tmp_path / "m.yaml").write_text("columns: {no: 受理编号, accepted: 来件时间}\n", "utf-8")
    with pytest.raises(ConfigError, match="里没有列“来件时间”，看到的是：序号、受理编号、受理时间、类别"):
        read(as_csv(tmp_path, TITLES, ROW), load_map(tmp_path / "m.yaml"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("columns: {no: A, accept: B}", "m.yaml:1: columns 里缺少 accepted。"),
        ("column: {}", 'm.yaml:1: 不认识 "column"，是不是 columns？'),
        ("time_zone: 北京", "m.yaml:1: time_zone 要写时区，例如 +08:00 或 Asia/Shanghai"),
        ("words: {一般: einfach}", "m.yaml:1: words 里“一般”的意思要写 "),
        ("replied: ja", "m.yaml:1: replied 要写 column 或 closed"),
        ("a: [", "m.yaml:1: YAML 写法不对"),
    ],
)
def test_a_wrong_mapping_is_named_with_its_line(tmp_path, text, problem):
    (tmp_path / "m.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refused:
        load_map(tmp_path / "m.yaml")
    assert problem in str(refused.value)
