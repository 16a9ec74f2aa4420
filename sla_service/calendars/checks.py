"""Contradictions in a notice, whatever format it came in: refused by name, or warned of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from sla_service.calendars import lunar, projection
from sla_service.calendars.model import Layer, LayerDay, ParsedNotice, Rank, is_weekend, notice_year
from sla_service.errors import CalendarError

_FAR: Final = 14  # days; the farthest make-up day so far lay eleven from its holiday (2026-09-20)
_WEEKDAYS: Final = "一二三四五六日"


class Conflict(NamedTuple):
    """A day on which a notice and a layer that was imported before disagree."""

    on: date
    off: bool  # as the notice has it
    source: str  # the layer that says otherwise


def weekday_name(d: date) -> str:
    """星期一 to 星期日."""
    return f"星期{_WEEKDAYS[d.weekday()]}"


def check_year(year: int) -> None:
    """Refuse a year whose statutory days are not known: nothing of it could be checked."""
    if not lunar.FIRST_YEAR <= year <= lunar.LAST_YEAR:
        raise CalendarError(f"{year} 年不在 {lunar.FIRST_YEAR} 至 {lunar.LAST_YEAR} 年之间，无法核对，请检查年份")


def check_days(days: Mapping[date, LayerDay], year: int, *, resumed: Iterable[date] = ()) -> None:
    """Refuse days of other years and worked weekdays; ``resumed`` are days that only say that work goes on."""
    allowed = set(resumed)
    for on, day in sorted(days.items()):
        if notice_year(on) != year and on.year != year:
            raise CalendarError(f"{on}（{day.name}）不属于 {year} 年的放假安排，请检查年份")
        if not day.off and not is_weekend(on) and on not in allowed:
            raise CalendarError(
                f"{day.name or '调休'}：{on} 是{weekday_name(on)}，调休上班日只能是周末，请核对原文的日期"
            )


def check_statutory(days: Mapping[date, LayerDay], year: int) -> None:
    """Refuse a year that lacks one of its statutory days (全国年节及纪念日放假办法)."""
    for holiday in projection.statutory(year):
        for on in holiday.days:
            held = days.get(on)
            if held is None or not held.off:
                missing = f"{holiday.feast}（{on}，{weekday_name(on)}）"
                raise CalendarError(f"{year} 年的放假安排里缺少法定节假日{missing}，请补全原文后再导入")


def warnings_of(days: Mapping[date, LayerDay], year: int) -> tuple[str, ...]:
    """What looks odd but is not refused: make-up days that do not balance, or lie far from any holiday."""
    off = [on for on, day in days.items() if day.off]
    makeup = sorted(on for on, day in days.items() if not day.off and is_weekend(on))
    found = [
        f"{on} 调休上班，但前后 {_FAR} 天内没有放假" for on in makeup if all(abs((on - day).days) > _FAR for day in off)
    ]
    statutory = sum(len(holiday.days) for holiday in projection.statutory(year))
    given = sum(not is_weekend(on) for on in off) - statutory
    if given != len(makeup):
        found.append(f"调休不平衡：除 {statutory} 天法定节假日外工作日放假 {given} 天，周末上班 {len(makeup)} 天")
    return tuple(found)


def conflicts(notice: ParsedNotice, layers: Iterable[Layer]) -> tuple[Conflict, ...]:
    """Days on which a whole-year notice differs from another notice for the same year.

    An amendment is there to differ, and what lies below notices (package, projection) gives way, so neither
    is compared.
    """
    if not notice.complete:
        return ()
    ours = notice.layer()
    return tuple(
        Conflict(on, _off(notice.days, on), layer.shown_source)
        for layer in layers
        if layer.rank is Rank.NOTICE
        for on in sorted({*notice.days, *layer.days})
        if ours.settles(on) and layer.settles(on) and _off(notice.days, on) != _off(layer.days, on)
    )


def refuse_conflicts(notice: ParsedNotice, layers: Iterable[Layer]) -> None:
    """Raise for the first disagreement with a notice that was imported before."""
    for on, off, source in conflicts(notice, layers):
        here, there = ("放假", "上班") if off else ("上班", "放假")
        raise CalendarError(
            f"{notice.year} 年的两份通知不一致：{on} {notice.document or notice.title or '本文'}为{here}，"
            f"{source} 为{there}，请核对后只保留一份"
        )


def _off(days: Mapping[date, LayerDay], on: date) -> bool:
    held = days.get(on)
    return is_weekend(on) if held is None else held.off
