"""Text on a terminal: columns, not characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.cli.wide import clean, pad, shorten, width, wrap


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("办件", 4), ("（一）", 6), ("…·—→", 4), ("e\u0301", 1), ("\u200d", 0), ("", 0), ("ａ１", 4)],
)
def test_a_chinese_character_and_a_full_width_mark_take_two_columns(text, columns):
    assert width(text) == columns


def test_padding_counts_columns_on_either_side():
    assert pad("办件", 6) + "|" == "办件  |"
    assert pad("办件", 6, right=True) == "  办件"
    assert pad("办件", 3) == "办件"


def test_what_is_too_wide_is_cut_at_a_character_with_an_ellipsis():
    assert shorten("诊所名称核准", 8) == "诊所名…"
    assert shorten("诊所名称核准", 9) == "诊所名称…"
    assert shorten("诊所", 4) == "诊所"


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one():
    assert wrap("到期日（暂定），请等通知。", 8) == ["到期日", "（暂", "定），请", "等通知。"]


def test_latin_words_stay_whole_where_there_is_room():
    assert wrap("用 sla policy check 检查", 10) == ["用 sla", "policy", "check 检查"]
    assert wrap("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_title_cannot_steer_the_terminal():
    assert clean("标题\x1b[31m红\n下一行\u202e") == "标题 [31m红 下一行 "


@given(st.text(alphabet="办件（）。，a 1b-", max_size=60), st.integers(min_value=4, max_value=20))
def test_wrapping_loses_nothing_but_blanks_and_never_overflows(text, columns):
    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= columns for line in lines)
