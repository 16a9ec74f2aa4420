"""Contradictions in notices: each refused in words that name it, or warned of."""

from __future__ import annotations

import pytest
from notice_samples import LABOUR_2019_CHANGED, Y2024, Y2025, Y2026

from sla_service.calendars.checks import conflicts, refuse_conflicts
from sla_service.calendars.layers import base_layers
from sla_service.calendars.notice import parse
from sla_service.errors import CalendarError


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("放假调休，共9天", "放假调休，共8天", ["春节", "共8天", "9 天"]),
        ("共3天。1月4日", "共3天。1月5日", ["元旦", "2026-01-05", "星期一", "周日"]),
        ("1月4日（周日）上班", "1月5日上班", ["元旦", "2026-01-05", "星期一", "周末"]),
        ("1月4日（周日）上班", "1月3日（周六）上班", ["元旦", "2026-01-03", "既放假又上班"]),
        ("5月9日（周六）上班", "4月5日（周日）上班", ["2026-04-05", "既放假又上班"]),
        ("5月1日（周五）至5日", "5月1日（周四）至5日", ["劳动节", "2026-05-01", "星期五", "周四"]),
        ("三、清明节：4月4日（周六）至6日（周一）放假，共3天。\n", "", ["2026", "缺少", "清明节", "2026-04-05"]),
        ("10月1日（周四）至7日（周三）", "10月2日（周五）至8日（周四）", ["缺少", "国庆节", "2026-10-01"]),
        ("6月19日（周五）至21日（周日）", "6月19日（周五）至31日（周日）", ["端午节", "31日", "没有"]),
        ("2月14日（周六）、2月28日（周六）上班", "2月14日（周六）、2月28日（周六）上斑", ["春节", "上斑", "没有说清"]),
        ("6月19日（周五）至21日（周日）", "6月21日（周日）至19日（周五）", ["端午节", "不是一段假期"]),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(old, new, names):
    with pytest.raises(CalendarError) as refused:
        parse(changed(Y2026, old, new))
    for name in names:
        assert name in str(refused.value)


def test_the_text_of_one_year_under_the_title_of_another_is_refused():
    with pytest.raises(CalendarError, match="星期"):
        parse(Y2026.replace("2026年", "2027年"))


def test_a_text_without_a_year_asks_for_it():
    with pytest.raises(CalendarError, match="哪一年"):
        parse("元旦：1月1日至3日放假调休，共3天。1月4日（周日）上班。")


@pytest.mark.parametrize("text", ["", "今天天气很好。", "2026年的工作要点如下。一、抓好落实。二、加强领导。"])
def test_a_text_that_arranges_nothing_is_refused(text):
    with pytest.raises(CalendarError):
        parse(text)


def test_an_extension_of_an_unknown_holiday_asks_for_single_days():
    with pytest.raises(CalendarError, match="延长"):
        parse("国务院办公厅关于延长2026年某某假期的通知\n一、延长2026年某某假期至8月2日。")


def test_make_up_days_that_do_not_balance_are_only_warned_of():
    notice = parse(changed(Y2026, "5月9日（周六）上班", "5月9日（周六）、5月10日（周日）上班"))
    assert any("不平衡" in warning for warning in notice.warnings)


def test_a_make_up_day_far_from_any_holiday_is_only_warned_of():
    notice = parse(changed(Y2026, "5月9日（周六）上班", "8月8日（周六）上班"))
    assert any("2026-08-08" in warning for warning in notice.warnings)
    assert not any("不平衡" in warning for warning in notice.warnings)


def test_two_notices_for_one_year_that_disagree_are_refused_by_day_and_document():
    first = parse(Y2025)
    second = parse(changed(Y2025, "4月27日（周日）上班", "5月10日（周六）上班"))
    layers = (*base_layers(), first.layer())
    assert [(found.on.isoformat(), found.off) for found in conflicts(second, layers)] == [
        ("2025-04-27", True),
        ("2025-05-10", False),
    ]
    with pytest.raises(CalendarError, match=r"2025-04-27.*国办发明电〔2024〕12号"):
        refuse_conflicts(second, layers)


def test_the_same_notice_again_another_year_or_a_change_disagree_with_nothing():
    layers = (*base_layers(), parse(Y2025).layer())
    for notice in (parse(Y2025), parse(Y2024), parse(LABOUR_2019_CHANGED)):
        refuse_conflicts(notice, layers)
