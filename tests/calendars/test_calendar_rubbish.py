"""Whatever is pasted or uploaded: days, or one sentence that says what is wrong; never anything else."""

from __future__ import annotations

import contextlib
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from notice_samples import LIANGSHAN_2017, SPRING_2020_EXTENDED, Y2009, Y2026

from sla_service.calendars import rules
from sla_service.calendars.files import read_years
from sla_service.calendars.local import read_local
from sla_service.calendars.notice import parse
from sla_service.errors import CalendarError

PIECES = st.sampled_from(
    [
        *"年月日至、，。；：（）\n",
        *(
            "放假",
            "上班",
            "调休",
            "共9天",
            "调至",
            "延长",
            "假期至",
            "周三",
            "星期六",
            "一、",
            "元旦",
            "春节",
            "国庆节",
            "补班",
        ),
        *("2026", "9999", "0000", "12", "31", "30", "2", "0", "99"),
        *("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n", "END:VEVENT\n", "SUMMARY:休\n", "DTSTART:", "99991231", "00010101\n"),
        *('{"year": ', '"days": [', "]}", ",off,", "2026-01-01", "\x00", '"', "DURATION:P9999999999D\n"),
    ]
)
RUBBISH = st.lists(PIECES, max_size=25).map("".join)


@st.composite
def damaged(draw):
    """A real notice with pieces put in or cut out."""
    text = draw(st.sampled_from([Y2009, Y2026, SPRING_2020_EXTENDED, LIANGSHAN_2017]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(PIECES) + text[at + draw(st.integers(0, 12)) :]
    return text


@given(st.one_of(RUBBISH, damaged(), st.text()), st.sampled_from([None, 2026, 1, 9999]), st.booleans())
@example("9999年12月31日至9999年12月31日放假，共1天。", None, False)
@example("2026年放假：2026年0月0日放假。", 2026, True)
def test_a_text_is_read_or_refused_in_words(text, year, regional):
    with contextlib.suppress(CalendarError):
        parse(text, year=year, regional=regional)


@given(st.one_of(RUBBISH, st.binary(), damaged().map(str.encode)), st.sampled_from([None, 2026]), st.booleans())
@example("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99991231T235959Z\nSUMMARY:休\nEND:VEVENT\n", None, False)
@example("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99991231\nDTEND:99991231\nSUMMARY:休\nEND:VEVENT\n", None, True)
@example("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:00010101\nDTEND:00010101\nSUMMARY:休\nEND:VEVENT\n", None, True)
@example("[" * 100_000, None, False)
@example('{"year": 1, "days": [{"date": "0001-01-01", "isOffDay": false}]}', None, True)
@example("9999-12-31,work,x\n", None, True)
def test_a_file_is_read_or_refused_in_words(content, year, regional):
    with contextlib.suppress(CalendarError):
        read_years(content, year=year, regional=regional)


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.lists(
            st.sampled_from(
                [*"-:{}[], \n", "name", "days", "off", "date", "2026-01-01", "!!python/object:os.system", "&a", "*a"]
            )
        ).map("".join),
    )
)
@example("name: x\ndays: [{date: 9999-12-31, off: x}]")
@example("a: &a [*a]")
def test_a_local_file_is_read_or_refused_in_words(content):
    with contextlib.suppress(CalendarError):
        read_local(content)


@pytest.mark.parametrize("year", range(2000, 2051))
def test_holidays_of_a_year_never_share_a_day_that_a_notice_may_change(year):
    blocks = rules.blocks(year)
    for a, b in pairwise(blocks):
        assert a.last < b.first, (a.name, b.name)
    assert blocks[0].first >= date(year - 1, 12, 20)
    assert blocks[-1].last <= date(year, 10, 20)
