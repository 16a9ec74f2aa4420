"""iCalendar (RFC 5545): reading holiday feeds, writing a year.

Only what such feeds use is read: VEVENT with DTSTART, DTEND or DURATION in days, SUMMARY. Whether an event is
a day off or a make-up day is told by Apple's X-APPLE-SPECIAL-DAY or by 休 / 班 in the summary (春节（休）,
国庆节 补班 第1天/共2天, 休｜中秋节); solar terms and festivals without such a mark are no days off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import groupby
from typing import Final

from sla_service.calendars.model import LayerDay
from sla_service.domain.calendar import Calendar, Day, DayKind
from sla_service.errors import CalendarError

_BEIJING: Final = timezone(timedelta(hours=8))
_DAY: Final = timedelta(days=1)
_APPLE: Final = {"WORK-HOLIDAY": True, "ALTERNATE-WORKDAY": False}
_WORK: Final = re.compile(r"班")
_OFF: Final = re.compile(r"休|假")
# What feeds put around the holiday's name
_DECORATION: Final = re.compile(
    r"[（(]?(?:休息?|班|补班|上班|调休|放假)[）)]?$|^[（(\[【]?[休班][）)\]】]?[｜|· ]"
    r"|第\d+天.*$|共\d+天|假期|补班|调休上班|放假|（暂定）"
)
_WIDTH: Final = 75  # octets per line, RFC 5545 section 3.1
_LONGEST: Final = 31  # days


def looks_like_ics(text: str) -> bool:
    """True if the text is an iCalendar file."""
    return text.lstrip().upper().startswith("BEGIN:VCALENDAR")


def parse_ics(text: str) -> dict[date, LayerDay]:
    """The marked days of a feed, of whatever years it holds."""
    days: dict[date, LayerDay] = {}
    for event in _events(text):
        off = _off(event)
        if off is None or "RRULE" in event:
            continue
        name = _DECORATION.sub("", event.get("SUMMARY", "")).strip(" ｜|·:：") or "放假"
        try:
            run = _days(event)
        except OverflowError:
            raise CalendarError(f"日历文件里“{name}”的日期超出了日历的范围，请核对文件") from None
        for on in run:
            held = days.get(on)
            if held is not None and held.off != off:
                raise CalendarError(f"{on} 在日历文件里既放假（{name}）又上班，请核对文件")
            days.setdefault(on, LayerDay(off, name))
    return dict(sorted(days.items()))


def to_ics(calendar: Calendar, year: int, *, stamp: datetime | None = None) -> str:
    """The named days of one year as an iCalendar file, one event per run of days.

    ``stamp`` is when it was made (default: the year's first instant, so that equal days give equal files).
    """
    stamp = stamp or datetime(year, 1, 1, tzinfo=_BEIJING)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//sla-service//working calendar//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{year} 年放假安排",
        "X-WR-TIMEZONE:Asia/Shanghai",
    ]
    for run in _runs(calendar, year):
        lines += _event(run, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in fold(line))


def _events(text: str) -> Iterator[dict[str, str]]:
    """Properties of each VEVENT by name, parameters dropped; nested components (alarms) are skipped."""
    inside: list[str] = []
    event: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        name, _, value = line.partition(":")
        name = name.split(";")[0].strip().upper()
        if name == "BEGIN":
            inside.append(value.strip().upper())
            event = {} if inside[-1] == "VEVENT" else event
        elif name == "END":
            if inside and inside.pop() == "VEVENT":
                yield event
        elif inside and inside[-1] == "VEVENT":
            event.setdefault(name, re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value.strip()))


def _off(event: dict[str, str]) -> bool | None:
    apple = event.get("X-APPLE-SPECIAL-DAY", "").upper()
    if apple in _APPLE:
        return _APPLE[apple]
    summary = event.get("SUMMARY", "")
    if _WORK.search(summary):
        return False
    return True if _OFF.search(summary) else None


def _days(event: dict[str, str]) -> list[date]:
    start, whole = _day(event, "DTSTART")
    if "DTEND" in event:
        end, whole_end = _day(event, "DTEND")
        # A date as the end is exclusive; an end within a day includes that day.
        last = end - _DAY if whole_end else end
    else:
        length = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T0?\w*)?", event.get("DURATION", "P1D"))
        days = int(length[1] or 0) * 7 + int(length[2] or 0) if length else 1
        last = start + max(days - 1, 0) * _DAY
    if whole and last < start:
        last = start
    if not start <= last <= start + _LONGEST * _DAY:
        raise CalendarError(f"日历文件里的“{event.get('SUMMARY', '')}”从 {start} 到 {last}，不像一段假期，请核对文件")
    return [start + n * _DAY for n in range((last - start).days + 1)]


def _day(event: dict[str, str], name: str) -> tuple[date, bool]:
    """A DTSTART or DTEND as a day in Beijing, and whether it stands for a whole day (midnight counts as one)."""
    value = event.get(name, "")
    match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", value)
    parts = [int(part or 0) for part in match.groups()[:6]] if match else [0] * 6
    zone = UTC if match and match[7] else _BEIJING
    try:
        year, month, day, hour, minute, second = parts
        at = datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(_BEIJING)
    except (ValueError, OverflowError):
        summary = event.get("SUMMARY", "")
        raise CalendarError(f"日历文件里“{summary}”的 {name} 读不出日期：{value or '没有写'}") from None
    return at.date(), (at.hour, at.minute, at.second) == (0, 0, 0)


def _runs(calendar: Calendar, year: int) -> Iterator[list[Day]]:
    marked = [day for day in calendar.named_days(year) if day.kind in _MARK]
    keyed = groupby(enumerate(marked), lambda pair: (pair[1].on.toordinal() - pair[0], pair[1].kind, pair[1].name))
    for _, run in keyed:
        yield [day for _, day in run]


_MARK: Final = {DayKind.HOLIDAY: ("休", "WORK-HOLIDAY"), DayKind.MAKEUP: ("班", "ALTERNATE-WORKDAY")}


def _event(run: list[Day], stamp: datetime) -> list[str]:
    first = run[0]
    mark, apple = _MARK[first.kind]
    made = stamp.astimezone(UTC)
    doubt = "（暂定）" if first.projected else ""
    return [
        "BEGIN:VEVENT",
        f"UID:{first.on:%Y%m%d}-{first.kind}@sla-service",
        f"DTSTAMP:{made:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{first.on:%Y%m%d}",
        f"DTEND;VALUE=DATE:{run[-1].on + _DAY:%Y%m%d}",
        f"SUMMARY:{escape(first.name)}（{mark}）{doubt}",
        f"DESCRIPTION:{escape(first.source)}",
        "TRANSP:TRANSPARENT",
        f"X-APPLE-SPECIAL-DAY:{apple}",
        "END:VEVENT",
    ]


def escape(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def fold(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, broken between characters."""
    piece = ""
    for char in line:
        if len((piece + char).encode()) > _WIDTH:
            yield piece
            piece = " "
        piece += char
    yield piece
