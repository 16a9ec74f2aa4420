"""The official text of notices, old and new, pasted in any shape."""

from __future__ import annotations

from datetime import date

import pytest
from notice_samples import (
    LABOUR_2019_CHANGED,
    LIANGSHAN_2017,
    SEPTEMBER_2015,
    SPRING_2020_EXTENDED,
    Y2009,
    Y2012,
    Y2020,
    Y2023,
    Y2024,
    Y2025,
    Y2026,
    days,
    offs,
)

from sla_service.calendars import package
from sla_service.calendars.layers import base_layers, build
from sla_service.calendars.model import Rank, notice_year
from sla_service.calendars.notice import parse
from sla_service.domain.calendar import YearStatus

WHOLE_YEARS = {
    2009: (
        Y2009,
        (
            "0101-0103 off, 0104 work, 0125-0131 off, 0124 work, 0201 work, 0404-0406 off, 0501-0503 off, "
            "0528-0530 off, 0531 work, 1001-1008 off, 0927 work, 1010 work"
        ),
    ),
    2012: (
        Y2012,
        (
            "0101-0103 off, 1231 work, 0122-0128 off, 0121 work, 0129 work, 0402-0404 off, 0331-0401 work, "
            "0429-0501 off, 0428 work, 0622-0624 off, 0930-1007 off, 0929 work"
        ),
    ),
    2020: (
        Y2020,
        (
            "0101 off, 0124-0130 off, 0119 work, 0201 work, 0404-0406 off, 0501-0505 off, 0426 work, 0509 work, "
            "0625-0627 off, 0628 work, 1001-1008 off, 0927 work, 1010 work"
        ),
    ),
    2023: (
        Y2023,
        (
            "1231-0102 off, 0121-0127 off, 0128-0129 work, 0405 off, 0429-0503 off, 0423 work, 0506 work, "
            "0622-0624 off, 0625 work, 0929-1006 off, 1007-1008 work"
        ),
    ),
    2024: (
        Y2024,
        (
            "0101 off, 0210-0217 off, 0204 work, 0218 work, 0404-0406 off, 0407 work, 0501-0505 off, 0428 work, "
            "0511 work, 0610 off, 0915-0917 off, 0914 work, 1001-1007 off, 0929 work, 1012 work"
        ),
    ),
    2025: (
        Y2025,
        (
            "0101 off, 0128-0204 off, 0126 work, 0208 work, 0404-0406 off, 0501-0505 off, 0427 work, 0531-0602 off, "
            "1001-1008 off, 0928 work, 1011 work"
        ),
    ),
    2026: (
        Y2026,
        (
            "0101-0103 off, 0104 work, 0215-0223 off, 0214 work, 0228 work, 0404-0406 off, 0501-0505 off, 0509 work, "
            "0619-0621 off, 0925-0927 off, 1001-1007 off, 0920 work, 1010 work"
        ),
    ),
}


@pytest.mark.parametrize("year", WHOLE_YEARS)
def test_a_whole_notice_gives_every_day_that_it_names_and_no_other(year):
    text, expected = WHOLE_YEARS[year]
    notice = parse(text)
    assert offs(notice.days) == days(expected, year)
    assert (notice.year, notice.complete, notice.amended, notice.warnings) == (year, True, False, ())
    assert notice.status is YearStatus.PUBLISHED


@pytest.mark.parametrize("year", [y for y in WHOLE_YEARS if y != 2020])
def test_a_whole_notice_makes_the_same_working_days_as_the_package(year):
    imported = build(layers=(*base_layers(), parse(WHOLE_YEARS[year][0]).layer()))
    shipped = build(layers=base_layers())
    for on in package.layer().days:
        if notice_year(on) == year:
            assert imported.is_working(on) == shipped.is_working(on), on


def test_title_number_and_date_of_issue_are_read():
    notice = parse(Y2025)
    assert notice.title == "国务院办公厅关于2025年部分节假日安排的通知"
    assert notice.document == "国办发明电〔2024〕12号"
    assert notice.issued == date(2024, 11, 12)
    assert parse(Y2020).document == "国办发明电〔2019〕16号"
    assert parse(Y2012).issued is None  # Chinese numerals are passed over, not misread


def test_each_day_bears_the_name_of_its_holiday():
    notice = parse(Y2025)
    assert notice.days[date(2025, 1, 26)] == (False, "春节")
    assert notice.days[date(2025, 10, 6)] == (True, "国庆节、中秋节")


def test_advice_to_let_people_off_on_the_eve_is_no_day_off():
    assert date(2024, 2, 9) not in parse(Y2024).days


def test_the_principles_in_the_preamble_of_2025_are_no_days():
    assert {on.month for on in parse(Y2025).days} == {1, 2, 4, 5, 6, 9, 10}


def test_the_spring_festival_of_2020_is_extended_over_its_make_up_day():
    change = parse(SPRING_2020_EXTENDED)
    assert (change.amended, change.complete, change.document) == (True, False, "国办发明电〔2020〕1号")
    assert change.days[date(2020, 2, 3)] == (False, "春节")  # 起正常上班
    calendar = build(layers=(*base_layers()[:1], parse(Y2020).layer(), change.layer()))
    off = [d for d in range(24, 32) if not calendar.is_working(date(2020, 1, d))]
    assert off == list(range(24, 32))
    assert not calendar.is_working(date(2020, 2, 1))
    assert not calendar.is_working(date(2020, 2, 2))
    assert calendar.is_working(date(2020, 2, 3))
    assert calendar.status(2020) is YearStatus.AMENDED


def test_labour_day_of_2019_is_changed_and_nothing_else():
    change = parse(LABOUR_2019_CHANGED)
    assert offs(change.days) == days("0501-0504 off, 0428 work, 0505 work", 2019)
    assert {day.name for day in change.days.values()} == {"劳动节"}
    assert change.title == "国务院办公厅关于调整2019年劳动节假期安排的通知"
    assert change.status is YearStatus.AMENDED
    assert change.layer().replaces == frozenset()


def test_the_day_of_3_september_2015_is_read_without_numbered_items():
    change = parse(SEPTEMBER_2015)
    assert offs(change.days) == days("0903-0905 off, 0906 work", 2015)
    assert change.days[date(2015, 9, 3)].name == "中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日"
    assert (change.year, change.issued) == (2015, date(2015, 5, 13))


def test_a_regional_notice_is_read_like_a_national_one_and_lies_over_it():
    notice = parse(LIANGSHAN_2017, regional=True)
    assert notice.document == "凉府办函〔2016〕294号"
    torch = {on: day.off for on, day in notice.days.items() if day.name == "火把节"}
    assert torch == days("0717-0723 off, 0715-0716 work", 2017)
    layer = notice.layer(rank=Rank.LOCAL, name="凉山州")
    assert (layer.years, layer.replaces) == ({}, frozenset())
    calendar = build(layers=(*base_layers(), layer))
    assert not calendar.is_working(date(2017, 10, 9))  # 州庆, a Monday
    assert calendar.status(2017) is YearStatus.PUBLISHED


def test_a_regional_notice_taken_for_a_national_one_is_warned_of():
    assert any("地方" in warning for warning in parse(LIANGSHAN_2017).warnings)


# Sentences of real notices, as they stand in the year's notice.
SENTENCES = [
    (2025, "1月1日（周三）放假1天，不调休。", "0101 off"),
    (2019, "2018年12月30日至2019年1月1日放假调休，共3天。2018年12月29日（星期六）上班。", "1230-0101 off, 1229 work"),
    (2019, "4月5日放假，与周末连休。", "0405 off"),
    (2019, "5月1日放假。", "0501 off"),
    (
        2018,
        "2月15日至21日放假调休，共7天。2月11日（星期日）、2月24日（星期六）上班。",
        "0215-0221 off, 0211 work, 0224 work",
    ),
    (2018, "4月29日至5月1日放假调休，共3天。4月28日（星期六）上班。", "0429-0501 off, 0428 work"),
    (2017, "1月1日放假，1月2日（星期一）补休。", "0101-0102 off"),
    (2014, "1月1日放假1天。", "0101 off"),
    (2014, "4月5日放假，4月7日（星期一）补休。", "0405 off, 0407 off"),
    (2013, "1月1日至3日放假调休，共3天。1月5日(星期六)、1月6日(星期日)上班。", "0101-0103 off, 0105-0106 work"),
    (
        2011,
        "2月2日（农历除夕）至8日放假调休，共7天。1月30日（星期日）、2月12日（星期六）上班。",
        "0202-0208 off, 0130 work, 0212 work",
    ),
    (2010, "2月13日至19日放假调休，共7天。2月20日(星期六)、21日(星期日)上班。", "0213-0219 off, 0220-0221 work"),
    (2010, "1月1日至3日放假公休，共3天。", "0101-0103 off"),
    (
        2008,
        "2007年12月30日—2008年1月1日放假，共3天。其中，1月1日（星期二）为法定节假日，12月30日（星期日）为公休日，12月29日（星期六）公休日调至12月31日（星期一），12月29日（星期六）上班。",
        "1230-0101 off, 1229 work",
    ),
    (
        2008,
        "6月7日—9日放假，共3天。其中，6月7日（星期六）照常公休，6月8日（农历五月初五，端午节）为法定节假日，6月8日（星期日）公休日调至6月9日（星期一）。",
        "0607-0609 off",
    ),
    # The worked weekend is only said to be moved.
    (
        2008,
        "9月29日—10月5日放假，共7天。其中，10月1日、2日、3日为法定节假日，9月27日（星期六）、9月28日（星期日）两个公休日调至9月29日（星期一）、30日（星期二），10月4日（星期六）、5日（星期日）照常公休。",
        "0929-1005 off, 0927-0928 work",
    ),
    (
        2007,
        "1月1日—3日放假，共3天。其中1月1日为法定假日，将2006年12月30日（星期六)、31日（星期日）两个公休日分别调至2007年1月2日、3日，2006年12月30日（星期六)、31日（星期日）上班。",
        "0101-0103 off, 1230-1231 work",
    ),
    (
        2007,
        "2月18日—24日（即农历大年初一至初七）放假，共7天。其中18日、19日、20日为法定假日，将17日（星期六)、18日（星期日)、25日（星期日）三个公休日分别调至21日（星期三)、22日（星期四)、23日（星期五)；24日（星期六）照常公休，17日、25日上班。",
        "0218-0224 off, 0217 work, 0225 work",
    ),
]


@pytest.mark.parametrize(("year", "sentence", "expected"), SENTENCES)
def test_a_single_sentence_gives_its_days_when_the_year_is_known(year, sentence, expected):
    assert offs(parse(sentence, year=year).days) == days(expected, year)


@pytest.mark.parametrize(
    "sentence",
    [
        "１０月１日(周四)-７日(周三)放假调休,共７天。９月２０日(周日)、１０月１０日(周六)上班。",
        "10月1日（星期四）至10月7日（星期三）放假7天，9月20日（星期日），10月10日（星期六）上班",
        "10月1日～7日放假调休，共七天；9月20日和10月10日上班。",
        "国庆节：10 月 1 日至 7 日\n放假调休，共 7 天。\n9 月 20 日（星期\n日）、10 月 10 日（星期六）上班。",
        "10月1-7日放假调休，共7天。9月20（周日）、10月10日（礼拜六）上班。",
        "2026年10月1日到2026年10月7日休假，2026年9月20日、2026年10月10日为调休上班日。",
    ],
)
def test_width_of_signs_spaces_and_line_breaks_do_not_matter(sentence):
    assert offs(parse(sentence, year=2026).days) == days("1001-1007 off, 0920 work, 1010 work", 2026)


def test_without_a_title_few_holidays_are_taken_as_a_change_and_said_so():
    notice = parse("2026年5月1日至5日放假调休，共5天。5月9日（周六）上班。")
    assert (notice.year, notice.amended) == (2026, True)
    assert notice.days[date(2026, 5, 1)].name == "劳动节"
    assert any("没有标题" in warning for warning in notice.warnings)


def test_a_list_without_numbers_is_read_by_the_names_of_the_holidays():
    body = "\n".join(line[2:] for line in Y2026.splitlines() if line[1:2] == "、" and line[0] in "一二三四五六七")
    notice = parse("2026年部分节假日安排\n" + body)
    assert offs(notice.days) == offs(parse(Y2026).days)
    assert notice.complete


def test_a_second_december_day_is_of_the_year_of_the_first():
    text = "国务院办公厅关于调整2026年放假安排的通知\n经国务院批准，2026年12月17日（周四）、12月18日（周五）放假。\n"
    assert sorted(map(str, parse(text).days)) == ["2026-12-17", "2026-12-18"]
