"""The official text taken apart: title, document number, sections, dates. No meaning yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from sla_service.calendars.checks import weekday_name
from sla_service.errors import CalendarError

_WIDE: Final = str.maketrans(
    "０１２３４５６７８９()[]【】［］<>,;:．",
    "0123456789（）〔〕〔〕〔〕《》，；：.",
)
_NUMERAL: Final = "[一二三四五六七八九十]{1,3}"
_KNOWN: Final = "元旦|春节|清明节?|劳动节|五一|“五一”|端午节?|中秋节?|国庆节|十一|“十一”"
_SENTENCE_END: Final = "。；：！"
# A heading stands at the start of a line or after the end of a sentence: 一、 （一） 1、 or a holiday's name.
_HEADING: Final = re.compile(
    rf"(?:^|(?<=[。；：\n]))(?:{_NUMERAL}、|（{_NUMERAL}）|\d{{1,2}}[、.]|[-*·•]?(?=(?:{_KNOWN})[^：\n\d]{{0,16}}：))",
    re.MULTILINE,
)
_DATE_TEXT: Final = r"\d{4}年\d{1,2}月\d{1,2}日"
_CHINESE_DATE: Final = (
    r"[二一][〇○零Ｏ一二三四五六七八九?？]{3}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日"
)
_SIGNED: Final = re.compile(
    rf"(?:国务院(?:办公厅)?|人民政府(?:办公[厅室])?)(?:({_DATE_TEXT})|{_CHINESE_DATE}|\s*$|\n)", re.MULTILINE
)
_CLOSING: Final = re.compile(r"(?:^|(?<=[。\n]))(?:节假日|假日|节日|假期|放假|调休放假)期间，")
_TITLE: Final = re.compile(r"(?:国务院(?:办公厅)?|[\u4e00-\u9fff]{2,16}?人民政府(?:办公[厅室])?)关于.{2,60}?的?通知")
_NUMBER: Final = r"[\u4e00-\u9fff]{2,10}〔\d{4}〕第?\d{1,4}号"
_DAY: Final = timedelta(days=1)
_TURN_OF_YEAR: Final = (12, 1)

DATE: Final = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日((?:（[^（）]*）)?)")
_WEEKDAY: Final = re.compile(r"(?:星期|周|礼拜)([一二三四五六日天])")
_UNTIL: Final = re.compile(r"^(?:至|到|[-–—―−~～－─]{1,2})$")
_AND: Final = re.compile(r"^(?:、|和|及|以及|与)$")
# Slips of the pen in copies: 1月1-3日, 1月28（星期六）
_SLIPS: Final = (
    (re.compile(r"(\d{1,2}月\d{1,2})[-–—~～至](\d{1,2}日)"), r"\1日至\2"),
    (re.compile(r"(\d{1,2}月\d{1,2})(?=（(?:星期|周))"), r"\1日"),
)


class Section(NamedTuple):
    """One numbered item, or the whole text where nothing is numbered (``numbered`` False)."""

    text: str
    numbered: bool


class Outline(NamedTuple):
    """A notice taken apart; ``preamble`` is what stands before the first item."""

    title: str
    document: str
    issued: date | None
    preamble: str
    sections: tuple[Section, ...]


class Group(NamedTuple):
    """Dates that belong together, and the words before and after them in their sentence."""

    dates: tuple[date, ...]
    before: str
    after: str


def outline(text: str) -> Outline:
    """Split the pasted text of a notice; line breaks inside sentences and widths of punctuation do not matter."""
    lines = [re.sub(r"[\s\u3000\ufeff]+", "", line).translate(_WIDE) for line in text.splitlines()]
    lines = [line for line in lines if line]
    joined = _joined(lines)
    title = _TITLE.search(joined)
    signed = _SIGNED.search(joined, title.end() if title else 0)
    # Whatever a web page adds below the signature is not the notice.
    kept = joined[: signed.start()] if signed and DATE.search(joined[: signed.start()]) else joined
    heads = list(_HEADING.finditer(kept))
    bodies = [kept[h.end() : n.start()] for h, n in pairwise(heads)]
    bodies += [kept[heads[-1].end() :]] if heads else []
    sections = tuple(Section(_before_closing(body), True) for body in bodies) or (Section(kept, False),)
    issued = _issued(signed.group(1)) if signed and signed.group(1) else None
    preamble = kept[: heads[0].start()] if heads else kept
    return Outline(title.group() if title else "", _document(lines, preamble, title), issued, preamble, sections)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a section; semicolons stay inside."""
    return filter(None, re.split(r"[。\n]", text))


class Dates:
    """Reads dates in the context of the ones before: month and year may be left out."""

    def __init__(self, year: int, name: str) -> None:
        self._year = year
        self._name = name
        self._label = name or "放假"
        self._last: date | None = None

    def groups(self, sentence: str) -> list[Group]:
        """The groups of dates of one sentence, in order; a weekday that does not fit its date is refused."""
        found: list[tuple[list[date], int, int]] = []
        previous_end = 0
        for match in DATE.finditer(sentence):
            between = sentence[previous_end : match.start()]
            on = self._read(match)
            if found and _UNTIL.match(between):
                self._stretch(found[-1][0], on)
            elif found and _AND.match(between):
                found[-1][0].append(on)
            else:
                found.append(([on], match.start(), match.end()))
            found[-1] = (found[-1][0], found[-1][1], match.end())
            previous_end = match.end()
        ends = [0, *(end for _, _, end in found)]
        starts = [*(start for _, start, _ in found[1:]), len(sentence)]
        return [
            Group(tuple(days), sentence[ends[i] : start], sentence[end : starts[i]])
            for i, (days, start, end) in enumerate(found)
        ]

    def _stretch(self, days: list[date], end: date) -> None:
        start = days[-1]
        if not start < end <= start + 60 * _DAY:
            raise CalendarError(f"{self._name or '放假'}：{start} 至 {end} 不是一段假期，请核对原文的日期")
        days.extend(start + n * _DAY for n in range(1, (end - start).days + 1))

    def _read(self, match: re.Match[str]) -> date:
        year, month, day, note = match.groups()
        try:
            on = date(self._year_of(year, month), self._month_of(month), int(day))
        except ValueError:
            raise CalendarError(f"{self._name or '放假'}：没有“{match.group()}”这一天，请核对原文") from None
        if abs(on.year - self._year) > 1:
            raise CalendarError(f"{self._label}：{on} 不属于 {self._year} 年的放假安排，请检查年份")
        said = _WEEKDAY.search(note)
        if said and weekday_name(on) != "星期" + said.group(1).replace("天", "日"):
            raise CalendarError(
                f"{self._name or '放假'}：{on} 是{weekday_name(on)}，原文写的是{said.group()}，请核对年份和日期"
            )
        self._last = on
        return on

    def _year_of(self, year: str | None, month: str | None) -> int:
        if year:
            return int(year)
        if self._last and month in (None, str(self._last.month), f"{self._last.month:02}"):
            return self._last.year
        # The New Year's section may reach back: its December is last year's.
        near_new_year = "元旦" in self._name or (self._last is not None and self._last.month in _TURN_OF_YEAR)
        return self._year - (month == "12" and near_new_year)

    def _month_of(self, month: str | None) -> int:
        if month:
            return int(month)
        if self._last is None:
            raise CalendarError(f"{self._name or '放假'}：第一个日期没有写月份，请核对原文")
        return self._last.month


def _joined(lines: list[str]) -> str:
    """Lines that break inside a sentence joined, the others kept apart."""
    text = ""
    for line in map(_mended, lines):
        if text and (text[-1] in _SENTENCE_END or _HEADING.match(line)):
            text += "\n"
        text += line
    return text


def _mended(line: str) -> str:
    for slip, right in _SLIPS:
        line = slip.sub(right, line)
    return line


def _before_closing(body: str) -> str:
    closing = _CLOSING.search(body)
    return body[: closing.start()] if closing else body


def _document(lines: list[str], preamble: str, title: re.Match[str] | None) -> str:
    alone = next((line for line in lines if re.fullmatch(_NUMBER, line)), "")
    if alone:
        return alone
    rest = preamble.replace("\n", "")[title.end() :] if title else preamble
    cited = re.match(rf"[：。，]?({_NUMBER})", rest)
    return cited.group(1) if cited else ""


def _issued(text: str) -> date | None:
    match = DATE.match(text)
    year, month, day = (int(part) for part in match.groups()[:3]) if match else (0, 0, 0)
    try:
        return date(year, month, day)
    except ValueError:
        return None
