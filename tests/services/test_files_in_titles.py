"""Which column of a register is what: titles wherever they stand, sheets, mapping files."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest
from builders import at
from register_files import ROW, TITLES, as_csv, as_xlsx, read

from sla_service.errors import ConfigError, SlaError, UsageError
from sla_service.services.register_map import RegisterMap, load_map

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
