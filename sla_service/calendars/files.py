"""Calendar files of every format, told apart by their content: official text, holiday-cn JSON, CSV, iCalendar."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Final

from sla_service.calendars import notice
from sla_service.calendars.checks import check_days, check_statutory, check_year, warnings_of
from sla_service.calendars.ics import looks_like_ics, parse_ics
from sla_service.calendars.model import LayerDay, ParsedNotice, is_weekend, notice_year
from sla_service.calendars.source import DATE, decode, load, read_date
from sla_service.errors import CalendarError

_OFF: Final = frozenset({"off", "休", "放假", "休息", "休假", "假", "公休", "补休", "holiday", "rest"})
_WORK: Final = frozenset({"work", "班", "上班", "补班", "调休", "调休上班", "调班", "workday", "makeup"})
_CSV_COLUMNS: Final = 2  # at least: date, off|work; a name may follow


def read(
    source: Path | bytes | str, name: str = "", *, year: int | None = None, regional: bool = False
) -> ParsedNotice:
    """Read one year's arrangement from a path, the bytes of a file, or pasted text.

    ``name`` is what messages call the file. ``year`` picks one where a file holds several, and tells the year
    of a text that names none. ``regional``: see :func:`notice.parse`.
    """
    found = read_years(source, name, year=year, regional=regional)
    if year is not None:
        found = tuple(parsed for parsed in found if parsed.year == year)
    if len(found) != 1:
        held = "、".join(str(parsed.year) for parsed in found) or "没有"
        raise CalendarError(f"{name or '文件'}里含有的年份：{held}，请注明要导入哪一年")
    return found[0]


def read_years(
    source: Path | bytes | str, name: str = "", *, year: int | None = None, regional: bool = False
) -> tuple[ParsedNotice, ...]:
    """As :func:`read`, for files that hold several years: one notice per year, in order."""
    raw, name = load(source, name)
    text = decode(raw, name)
    if not text.strip():
        raise CalendarError(f"{name}是空的，请检查文件")
    try:
        found = _dispatch(text)(text, year, regional)
    except (CalendarError, csv.Error) as e:
        raise CalendarError(f"{name}：{e}") from None
    digest = hashlib.sha256(raw).hexdigest()
    return tuple(replace(parsed, sha256=digest) for parsed in found)


Reader = Callable[[str, "int | None", bool], tuple[ParsedNotice, ...]]


def _dispatch(text: str) -> Reader:
    head = text.lstrip()
    if head.startswith(("{", "[")):
        return _read_json
    if looks_like_ics(head):
        return _read_ics
    return _read_csv if _is_csv(head) else _read_text


def _read_text(text: str, year: int | None, regional: bool) -> tuple[ParsedNotice, ...]:
    return (notice.parse(text, year=year, regional=regional),)


def _read_json(text: str, _year: int | None, regional: bool) -> tuple[ParsedNotice, ...]:
    """holiday-cn: {"year": 2026, "papers": [url], "days": [{"name", "date", "isOffDay"}]}; or a list of such."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise CalendarError(f"不是完整的 JSON（{e}）") from None
    files = held if isinstance(held, list) else [held]
    found = []
    for file in files:
        if not isinstance(file, dict) or not isinstance(file.get("days"), list):
            raise CalendarError("JSON 里没有 days 列表，应为 holiday-cn 的格式")
        if not isinstance(file.get("year"), int):
            raise CalendarError("JSON 里没有 year（年份，整数）")
        days = dict(_json_day(day, i) for i, day in enumerate(file["days"]))
        papers = [paper for paper in file.get("papers") or () if isinstance(paper, str)]
        parsed = _whole_year(days, file["year"], regional=regional)
        found.append(replace(parsed, url=papers[0] if papers else ""))
    return tuple(found)


def _json_day(day: object, i: int) -> tuple[date, LayerDay]:
    if isinstance(day, dict) and isinstance(day.get("isOffDay"), bool) and isinstance(day.get("date"), str):
        return read_date(day["date"], f"days[{i}]"), LayerDay(day["isOffDay"], str(day.get("name") or "放假"))
    raise CalendarError(f"days[{i}] 要有 date（日期）和 isOffDay（true 或 false）")


def _is_csv(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()][:2]
    return any(DATE.fullmatch(re.split(r"[,;\t]", line)[0].strip().strip('"')) for line in lines)


def _read_csv(text: str, year: int | None, regional: bool) -> tuple[ParsedNotice, ...]:
    """Rows of date, off|work (放假|上班), name; a first row without a date is the heading."""
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t", key=first.count)
    days: dict[date, LayerDay] = {}
    for number, row in enumerate(csv.reader(StringIO(text), delimiter=delimiter), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and not DATE.fullmatch(cells[0])):
            continue
        if len(cells) < _CSV_COLUMNS:
            raise CalendarError(f"第 {number} 行只有一列，应为：日期,off 或 work,名称")
        on, what = read_date(cells[0], f"第 {number} 行"), cells[1].lower()
        if what not in _OFF | _WORK:
            raise CalendarError(f"第 {number} 行的“{cells[1]}”看不懂，请写 off（放假）或 work（上班）")
        day = LayerDay(what in _OFF, cells[2] if len(cells) > _CSV_COLUMNS and cells[2] else "放假")
        if days.setdefault(on, day).off != day.off:
            raise CalendarError(f"第 {number} 行与前面矛盾：{on} 既放假又上班")
    return _by_year(days, year, regional=regional)


def _read_ics(text: str, year: int | None, regional: bool) -> tuple[ParsedNotice, ...]:
    return _by_year(parse_ics(text), year, regional=regional)


def _by_year(days: dict[date, LayerDay], year: int | None, *, regional: bool) -> tuple[ParsedNotice, ...]:
    """One notice per year; with ``year`` only that one is looked at, so that older ones need not be complete."""
    if not days:
        raise CalendarError("没有读到任何放假或上班的日期")
    years = sorted({on.year for on in days}) if year is None else [year]
    held = {y: {on: day for on, day in days.items() if on.year == y} for y in years}
    for on, day in days.items():
        # The New Year's days of the December before go with their notice, if the file holds that year too;
        # a file of one year by the calendar keeps its December.
        following = notice_year(on)
        if following != on.year and following in held:
            held.get(on.year, {}).pop(on, None)
            held[following][on] = day
    return tuple(_whole_year(held[y], y, regional=regional) for y in years if held[y] or year is not None)


def _whole_year(days: dict[date, LayerDay], year: int, *, regional: bool) -> ParsedNotice:
    """Days of one year from a file. No days mean that nothing is known of the year, not that it has no holidays."""
    if not days:
        return ParsedNotice(year, {}, warnings=(f"文件里没有 {year} 年的日期：该年仍按未公布处理",))
    check_year(year)
    # A worked weekday straight after a day off only says that work goes on (2020-02-03).
    resumed = {on for on, day in days.items() if not day.off and not is_weekend(on) and _off_before(days, on)}
    check_days(days, year, resumed=resumed)
    if not regional:
        check_statutory(days, year)
    warnings = () if regional else warnings_of(days, year)
    return ParsedNotice(year, dict(sorted(days.items())), title=f"{year} 年放假安排", complete=True, warnings=warnings)


def _off_before(days: dict[date, LayerDay], on: date) -> bool:
    before = days.get(date.fromordinal(on.toordinal() - 1))
    return before is not None and before.off
