"""Cells of a register: every spelling of a date that people use, and nothing guessed that could be wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from builders import at, on

from sla_service.domain.policy import BEIJING
from sla_service.services.register_cells import BadCell, moment, text, whole, zone_of


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-18",
        "2026/9/18",
        "2026.9.18",
        "2026年9月18日",
        "２０２６年９月１８日",
        "2026 年 9 月 18 日",
        "2026年9月18日（星期五）",
        "2026-09-18 周五",
        "2026年9月18号",
        "20260918",
        "2026-09-18 00:00:00",
        "2026-09-18T00:00:00",
        date(2026, 9, 18),
        at("2026-09-18").replace(tzinfo=None),
        46283,
        46283.0,
        "46283",
    ],
)
def test_a_day_alone_in_any_spelling(value):
    assert moment(value, BEIJING) == (on("2026-09-18"), None)


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-18 15:05",
        "2026-09-18 15:05:00",
        "2026-09-18T15:05:00",
        "2026/9/18 15:05:00.000",
        "2026年9月18日 15时05分",
        "2026年9月18日15点5分0秒",
        "2026年9月18日下午3:05",
        "2026-09-18 下午 3点05分",
        "2026/9/18 3:05 PM",
        "2026/9/18 3:05:00 pm",
        "20260918150500",
        "2026-09-18T15:05:00+08:00",
        "2026-09-18T07:05:00Z",
        "2026-09-18 15:05:00+0800",
        "2026年9月18日（周五）15：05",
        at("2026-09-18 15:05").replace(tzinfo=None),
        at("2026-09-18 15:05").replace(tzinfo=None, microsecond=400),
        datetime(2026, 9, 18, 7, 5, tzinfo=UTC),
        46283.628472222,
    ],
)
def test_an_instant_in_any_spelling(value):
    found = moment(value, BEIJING)
    assert (found.on, found.at) == (on("2026-09-18"), at("2026-09-18 15:05"))


@pytest.mark.parametrize(
    ("text_", "hour"), [("上午9:00", 9), ("中午12:30", 12), ("中午1:00", 13), ("凌晨12:00", 0), ("12:00 AM", 0)]
)
def test_halves_of_the_day(text_, hour):
    found = moment(f"2026-09-18 {text_}", BEIJING)
    assert (found.at.hour if found.at else 0) == hour


def test_wall_clocks_are_read_in_the_zone_of_the_register():
    assert moment("2026-09-18 09:00", zone_of("UTC")).at == at("2026-09-18 17:00")
    assert moment("2026-09-18 20:00", zone_of("UTC")).on == on("2026-09-19")
    assert moment("2026-09-18 09:00", zone_of("+09:00")).at == at("2026-09-18 08:00")
    assert zone_of("Asia/Shanghai") is BEIJING


@pytest.mark.parametrize("value", [None, "", "  ", "　"])
def test_an_empty_cell_says_nothing(value):
    assert moment(value, BEIJING) is None
    assert whole(value) is None
    assert text(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-31",
        "9月18日",
        "18/9/2026",
        "2026-13-01",
        "2026-09-18 25:00",
        "明天",
        "2026-9",
        7,
        True,
        time(9),
        timedelta(1),
    ],
)
def test_what_could_mean_several_days_or_none_is_refused(value):
    with pytest.raises(BadCell):
        moment(value, BEIJING)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (20260001, "20260001"),
        (20260001.0, "20260001"),
        (1.5, "1.5"),
        (" 张三 ", "张三"),
        (True, "是"),
        ("〔2026〕3号", "〔2026〕3号"),
    ],
)
def test_a_number_as_text_is_what_people_see(value, said):
    assert text(value) == said


@pytest.mark.parametrize("value", [10**15, 1.2345678901234567e18, "#N/A", "#REF!", "#VALUE!"])
def test_what_excel_has_spoiled_is_refused(value):
    with pytest.raises(BadCell):
        text(value)


@pytest.mark.parametrize(
    ("value", "days"), [(15, 15), (15.0, 15), ("15", 15), ("15个工作日", 15), ("15 天", 15), ("１５日", 15)]
)
def test_a_number_of_days(value, days):
    assert whole(value) == days
    with pytest.raises(BadCell):
        whole("约三天")
