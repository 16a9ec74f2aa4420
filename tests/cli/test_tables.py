"""Tables: aligned on any terminal, complete in any pipe, streamed however long they are."""

from __future__ import annotations

from itertools import count, islice

import click

from sla_service.cli.tables import Cell, Column, lines, pairs
from sla_service.cli.wide import width

COLUMNS = [Column("灯"), Column("办件编号"), Column("剩余", right=True), Column("事由", flexible=True)]
ROWS = [
    [Cell("红", "red", bold=True), "BBC-1", "超 2 天", "选煤厂技改项目用地预审与环评并联办理的协调"],
    ["绿", "〔2026〕3号", "3 天", "诊所"],
]


def plain(room=None, columns=COLUMNS, rows=ROWS):
    return [click.unstyle(line) for line in lines(columns, rows, room=room)]


def test_columns_begin_below_each_other_whatever_stands_in_them():
    title, rule, *rows = plain()
    assert [width(line[: line.index("诊所" if "诊所" in line else "选煤厂")]) for line in rows] == [26, 26]
    assert width(title[: title.index("事由")]) == 26
    assert set(rule) == {"─"}
    assert title.rstrip() == title


def test_numbers_end_below_each_other():
    found = [line for line in plain() if "天" in line]
    assert [width(line[: line.index("天")]) for line in found] == [22, 22]


def test_on_a_narrow_terminal_flexible_text_goes_on_in_the_next_line():
    for room in (50, 60, 80, 120):
        assert all(width(line) <= room for line in plain(room))
    assert "".join(line[-12:].strip() for line in plain(40)).count("协调") == 1


def test_a_cut_column_keeps_to_one_line():
    columns = [*COLUMNS[:3], Column("事由", cut=True)]
    found = plain(40, columns)
    assert len(found) == 4
    assert found[2].endswith("…")
    assert all(width(line) <= 40 for line in found)


def test_a_pipe_gets_everything_on_one_line():
    assert plain()[2].endswith("选煤厂技改项目用地预审与环评并联办理的协调")


def test_rows_are_taken_one_by_one():
    endless = ([str(n)] for n in count())
    assert list(islice(lines([Column("n")], endless), 1002))[-1] == "999"


def test_a_control_character_does_not_reach_the_terminal():
    assert "\x1b" not in "".join(plain(rows=[["绿", "a\x1b[2Jb", "", "x\ny"]]))


def test_pairs_stand_below_each_other_and_wrap():
    found = list(pairs([("状态", "办理中"), ("承办人", "张三" * 20)], room=40, indent="  "))
    assert [width(click.unstyle(line)) <= 40 for line in found] == [True] * len(found)
    assert click.unstyle(found[0]) == "  状态    办理中"
