"""Layers: the upper one wins, day by day, and a whole notice clears what was projected below it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from notice_samples import MADE_UP_2027, Y2025, Y2026

from sla_service.calendars.layers import base_layers, build
from sla_service.calendars.model import Layer, LayerDay, ParsedNotice, Rank, notice_year
from sla_service.calendars.notice import parse
from sla_service.domain.calendar import DayKind, YearStatus


def layer(rank: Rank, days: dict[date, LayerDay], name: str = "x") -> Layer:
    return Layer(name=name, rank=rank, days=days)


def test_the_upper_layer_wins_whatever_the_order_they_come_in():
    on = date(2026, 4, 20)  # a Monday
    local = layer(Rank.LOCAL, {on: LayerDay(True, "三月三")}, "广西")
    hall = layer(Rank.HALL, {on: LayerDay(False, "三月三")}, "政务大厅")
    for layers in ([*base_layers(), local, hall], [hall, local, *base_layers()]):
        calendar = build(layers=layers)
        assert calendar.is_working(on)
        assert calendar.day(on).source == "政务大厅"
    assert not build(layers=[local, *base_layers()]).is_working(on)


def test_of_two_layers_of_one_rank_the_later_wins():
    on = date(2026, 4, 20)
    off = layer(Rank.LOCAL, {on: LayerDay(True, "三月三")})
    work = layer(Rank.LOCAL, {on: LayerDay(False, "")})
    assert build(layers=[*base_layers(), off, work]).is_working(on)
    assert not build(layers=[*base_layers(), work, off]).is_working(on)


def test_a_region_turns_a_national_make_up_day_off_and_a_weekend_on():
    # 广西 2017: 1 April was a national make-up day, off there; 8 April was worked instead
    local = layer(
        Rank.LOCAL,
        {
            date(2017, 3, 30): LayerDay(True, "壮族三月三"),
            date(2017, 3, 31): LayerDay(True, "壮族三月三"),
            date(2017, 4, 1): LayerDay(True, "壮族三月三"),
            date(2017, 4, 8): LayerDay(False, "壮族三月三"),
        },
    )
    national, regional = build(layers=base_layers()), build(layers=[*base_layers(), local])
    assert national.day(date(2017, 4, 1)).kind is DayKind.MAKEUP
    assert regional.day(date(2017, 4, 1)).kind is DayKind.HOLIDAY
    assert regional.day(date(2017, 4, 8)).kind is DayKind.MAKEUP
    assert national.nth_after(date(2017, 3, 29), 3) == date(2017, 4, 1)
    assert regional.nth_after(date(2017, 3, 29), 3) == date(2017, 4, 7)
    assert regional.status(2017) is YearStatus.PUBLISHED


@pytest.mark.parametrize(
    ("on", "day", "kind"),
    [
        (date(2026, 7, 4), LayerDay(False, "x"), DayKind.MAKEUP),  # Saturday worked
        (date(2026, 7, 4), LayerDay(True, "x"), DayKind.HOLIDAY),  # a weekend within a holiday
        (date(2026, 7, 4), LayerDay(True, ""), DayKind.WEEKEND),  # a make-up day taken back
        (date(2026, 7, 6), LayerDay(True, "x"), DayKind.HOLIDAY),
        (date(2026, 7, 6), LayerDay(False, "x"), DayKind.WORKING),  # a weekday that stays one
    ],
)
def test_a_day_of_a_layer_becomes_a_kind_by_its_weekday(on, day, kind):
    assert build(layers=[*base_layers(), layer(Rank.HALL, {on: day})]).day(on).kind is kind


def test_a_whole_notice_clears_the_substitutes_that_were_projected():
    projected = build(layers=base_layers())
    assert not projected.is_working(date(2027, 2, 10))
    # A notice that makes up for the weekend elsewhere: 10 February is not mentioned any more.
    text = MADE_UP_2027.replace("至12日（农历正月初七、周五）放假调休，共8天", "至9日（周二）放假调休，共5天")
    text = text.replace("1月31日（周日）、2月20日（周六）上班", "")
    calendar = build(layers=[*base_layers(), parse(text).layer()])
    assert calendar.is_working(date(2027, 2, 10))
    assert calendar.status(2027) is YearStatus.PUBLISHED
    assert not calendar.day(date(2027, 2, 10)).projected


def test_a_notice_leaves_the_next_new_years_days_in_its_december_alone():
    # The package's 29 December 2018 was worked for New Year 2019; a notice for 2018 does not know of it.
    days = {on: day for on, day in base_layers()[1].days.items() if notice_year(on) == 2018}
    notice = ParsedNotice(2018, days, title="2018", complete=True)
    calendar = build(layers=[*base_layers(), notice.layer()])
    assert calendar.is_working(date(2018, 12, 29))
    assert not calendar.is_working(date(2018, 12, 31))


def test_a_file_that_begins_with_january_does_not_take_back_the_december_before():
    days = {on: day for on, day in base_layers()[1].days.items() if on.year == 2019}
    notice = ParsedNotice(2019, days, title="2019", complete=True)
    calendar = build(layers=[*base_layers(), notice.layer()])
    assert calendar.is_working(date(2018, 12, 29))
    assert not calendar.is_working(date(2018, 12, 31))


def test_an_empty_file_leaves_the_year_as_it_was():
    empty = ParsedNotice(2027, {})
    assert empty.status is YearStatus.UNKNOWN
    calendar = build(layers=[*base_layers(), empty.layer()])
    assert calendar.status(2027) is YearStatus.PROJECTED
    assert not calendar.is_working(date(2027, 10, 1))


def test_the_version_follows_the_days_and_nothing_else():
    plain = build(layers=base_layers())
    same = build(layers=reversed(base_layers()))
    imported = build(layers=[*base_layers(), parse(Y2026).layer()])
    again = build(
        layers=[*base_layers(), parse(Y2026).layer(importer="lisi", imported_at=datetime(2026, 1, 1, tzinfo=UTC))]
    )
    assert plain.version == same.version
    assert plain.version != imported.version == again.version


def test_a_layer_tells_where_its_days_come_from():
    made = parse(Y2025).layer(importer="lisi", imported_at=datetime(2024, 11, 12, 8, tzinfo=UTC))
    assert made.shown_source == "国办发明电〔2024〕12号"
    assert (made.importer, made.years) == ("lisi", {2025: YearStatus.PUBLISHED})
    assert len(made.hash) == 64
    assert base_layers()[0].hash == base_layers()[0].hash != base_layers()[1].hash
    assert build(layers=[*base_layers(), made]).day(date(2025, 10, 1)).source == "国办发明电〔2024〕12号"
