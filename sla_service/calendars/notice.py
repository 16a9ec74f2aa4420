"""The State Council's notice, read from its own text.

国务院办公厅关于……部分节假日安排的通知 as pasted from a page or a file, the changes within a year (劳动节 2019,
春节 2020, 3 September 2015), the wordings of 2007 to 2026, single sentences, and regional notices of the same
form. Everything that the text claims is checked; what does not fit is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from typing import Final

from sla_service.calendars import projection
from sla_service.calendars.checks import check_days, check_statutory, check_year, warnings_of
from sla_service.calendars.model import LayerDay, ParsedNotice, is_weekend
from sla_service.calendars.notice_text import Dates, Group, Outline, Section, outline, sentences
from sla_service.errors import CalendarError

_DAY: Final = timedelta(days=1)
_YEAR: Final = re.compile(r"(\d{4})年")
_CHANGE: Final = re.compile(r"调整|延长|调休放假的|纪念日")
_NAME: Final = re.compile(r"([^：\d（]{1,24})(?:（[^）]*）)?(?:：|(?=\d))")
_TITLE_NAME: Final = re.compile(
    r"(?:\d{4}年)(?!部分)(.{2,16}?)(?:假期|放假)|关于(?!\d{4}年)(?!部分)(.{2,40}?)(?:调休)?放假"
)
_COUNT: Final = re.compile(r"(?:共(?:放假)?|放假)(\d{1,2}|[一二两三四五六七八九十])天")
_NUMERALS: Final = {c: i for i, c in enumerate("一二三四五六七八九十", 1)} | {"两": 2}
# Advice, not arrangement: 鼓励各单位结合带薪年休假等制度落实，安排职工在除夕（2月9日）休息 (2024)
_ADVICE: Final = re.compile(r"^(?:同时，?)?(?:鼓励|建议|提倡|倡导)")
_LONGEST_EXTENSION: Final = timedelta(days=30)


class _Says(Enum):
    """What the words after a group of dates say of them."""

    OFF = auto()
    WORK = auto()
    RESUMES = auto()  # 起正常上班: ordinary work goes on, no make-up day
    MOVED_FROM = auto()  # 公休日调至: this weekend is worked, unless it is off anyway
    NOTHING = auto()  # 不放假
    UNKNOWN = auto()


# In this order, each within the first clause after the dates: 调休上班 is work, 放假调休 is not.
_WORDS: Final = (
    (re.compile(r"^[^，；]*(?:调至|调到|调整至|调整到|调换至)"), _Says.MOVED_FROM),
    (re.compile(r"^[^，；]*?不(?:放假|休息|休)"), _Says.NOTHING),
    (re.compile(r"^(?:(?!放假)[^，；])*?(?:正常|照常|恢复)(?:上班|工作)"), _Says.RESUMES),
    (re.compile(r"^(?:(?!放假)[^，；])*?(?:上班|补班)"), _Says.WORK),
    (re.compile(r"^[^，；]*?(?:放假|补休|调休|公休|法定|休息|休假|连休)"), _Says.OFF),
)


@dataclass(slots=True)
class _Draft:
    """Days gathered so far; what is only implied is kept apart until the whole text is read."""

    days: dict[date, LayerDay] = field(default_factory=dict)
    moved: dict[date, str] = field(default_factory=dict)
    resumed: set[date] = field(default_factory=set)

    def put(self, on: date, *, off: bool, name: str) -> None:
        held = self.days.get(on)
        if held is not None and held.off != off:
            raise CalendarError(f"{name or '放假'}：{on} 在原文里既放假又上班，请核对原文")
        if held is None:
            self.days[on] = LayerDay(off, name)

    def finish(self) -> dict[date, LayerDay]:
        for on, name in self.moved.items():
            if on not in self.days:
                self.put(on, off=False, name=name)
        return dict(sorted(self.days.items()))

    def named(self, name: str) -> None:
        """Give a name to the days that were read without one."""
        self.days |= {on: LayerDay(day.off, name) for on, day in self.days.items() if not day.name}
        self.moved |= {on: name for on, held in self.moved.items() if not held}


def parse(text: str, *, year: int | None = None, regional: bool = False) -> ParsedNotice:
    """Read a notice.

    ``year`` is needed only where the text names none (a single sentence). ``regional`` accepts notices of
    regions, whose days are laid over the national ones: their sections are not held against the law.
    Raises :class:`CalendarError` that names the contradiction.
    """
    parts = outline(text)
    year = year or _year_of(parts)
    check_year(year)
    draft = _Draft()
    for section in parts.sections:
        _read_section(section, year, parts.title, draft)
    days = draft.finish()
    if not days:
        raise CalendarError("没有读到任何放假或上班的日期，请粘贴通知的全文")
    check_days(days, year, resumed=draft.resumed)
    amended = _is_change(parts, days)
    if not amended and not regional:
        check_statutory(days, year)
    warnings = [] if amended or regional else list(warnings_of(days, year))
    if parts.title and not parts.title.startswith("国务院") and not regional:
        warnings.append("标题不是国务院的通知：地方的放假安排请按地方日历导入")
    if amended and not parts.title:
        warnings.append(f"原文没有标题，按对 {year} 年放假安排的调整处理")
    return ParsedNotice(
        year=year,
        days=days,
        title=parts.title,
        document=parts.document,
        issued=parts.issued,
        complete=not amended,
        amended=amended,
        warnings=tuple(warnings),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _year_of(parts: Outline) -> int:
    for text in (parts.title, parts.preamble, *(section.text for section in parts.sections)):
        found = _YEAR.search(text)
        if found:
            return int(found.group(1))
    raise CalendarError("原文里没有写年份，请注明是哪一年的放假安排")


def _is_change(parts: Outline, days: dict[date, LayerDay]) -> bool:
    """A notice that changes single days: its title says so, or it has no title and speaks of few holidays."""
    if parts.title:
        return "部分节假日" not in parts.title and bool(_CHANGE.search(parts.title))
    named = {feast for day in days.values() for feast in projection.Feast if str(feast) in day.name}
    return len(named) <= 2  # noqa: PLR2004 - 中秋节 and 国庆节 may be pasted together


def _read_section(section: Section, year: int, title: str, draft: _Draft) -> None:
    name, body = _split_name(section, title)
    dates = Dates(year, name)
    for sentence in sentences(body):
        if _ADVICE.match(sentence):
            continue
        groups = dates.groups(sentence)
        says = _meanings(groups)
        if section.numbered and name and _Says.UNKNOWN in says:
            raise CalendarError(f"{name}：“{sentence}”没有说清是放假还是上班，请核对原文")
        said = _put_sentence(groups, says, name, year, draft)
        _check_count(sentence, said, name)
    if not name:
        draft.named(_feast_of(draft.days, year))


def _feast_of(days: dict[date, LayerDay], year: int) -> str:
    """The holidays whose statutory days are among the days that were read without a name."""
    nameless = {on for on, day in days.items() if day.off and not day.name}
    return "、".join(h.feast for h in projection.statutory(year) if nameless & set(h.days)) or "放假"


def _split_name(section: Section, title: str) -> tuple[str, str]:
    """The holiday's name, from the heading or the notice's title, and the text without the heading."""
    text = section.text.strip()
    match = _NAME.match(text) if section.numbered or not title else None
    if match and not re.search(r"延长|放假|休|将|自", match.group(1)):
        return match.group(1).rstrip("："), text[match.end() :]
    named = _TITLE_NAME.search(title)
    return (next(filter(None, named.groups())).strip("“”《》") if named else ""), text


def _put_sentence(groups: list[Group], says: list[_Says], name: str, year: int, draft: _Draft) -> set[date]:
    """Put the days of one sentence into the draft; gives its days off."""
    off: set[date] = set()
    for group, meaning in zip(groups, says, strict=True):
        for on in _extended(group, name, year) or group.dates:
            if meaning is _Says.OFF:
                draft.put(on, off=True, name=name)
                off.add(on)
            elif meaning is _Says.WORK:
                draft.put(on, off=False, name=name)
            elif meaning is _Says.RESUMES:
                draft.put(on, off=False, name=name)
                draft.resumed.add(on)
            elif meaning is _Says.MOVED_FROM:
                draft.moved.setdefault(on, name)
    return off


def _meanings(groups: list[Group]) -> list[_Says]:
    """What is said of each group; one without words of its own shares those of the next (…日，…日上班)."""
    found: list[_Says] = []
    for i, group in enumerate(groups):
        if (i and found[i - 1] is _Says.MOVED_FROM) or _extends(group):
            found.append(_Says.OFF)
        else:
            found.append(next((says for words, says in _WORDS if words.match(group.after)), _Says.UNKNOWN))
    for i in reversed(range(len(groups) - 1)):
        if found[i] is _Says.UNKNOWN and groups[i].after == "，":
            found[i] = found[i + 1]
    return found


def _extends(group: Group) -> bool:
    return bool(re.search(r"延长.*假期?至$", group.before))


def _extended(group: Group, name: str, year: int) -> tuple[date, ...]:
    """延长2020年春节假期至2月2日: every day from the holiday's first statutory day on."""
    if not _extends(group):
        return ()
    end = group.dates[0]
    holiday = next((h for h in projection.statutory(year) if str(h.feast) in group.before + name), None)
    if holiday is None or not holiday.days[0] <= end <= holiday.days[0] + _LONGEST_EXTENSION:
        raise CalendarError(f"{name}：看不出假期从哪一天延长至 {end}，请改用逐日列出的格式导入")
    return tuple(holiday.days[0] + n * _DAY for n in range((end - holiday.days[0]).days + 1))


def _check_count(sentence: str, off: set[date], name: str) -> None:
    """共9天 must be the number of days off said in the same sentence, weekends that join them included or not."""
    for count in _COUNT.finditer(sentence):
        stated = int(count.group(1)) if count.group(1).isdigit() else _NUMERALS[count.group(1)]
        if not off or stated == len(off):
            continue
        if "连休" in sentence and stated == len(_with_weekend(off)):
            continue
        raise CalendarError(f"{name or '放假'}：原文写“{count.group()}”，列出的却是 {len(off)} 天，请核对起止日期")


def _with_weekend(off: set[date]) -> set[date]:
    joined = set(off)
    for on in off:
        for step in (-_DAY, _DAY):
            near = on + step
            while is_weekend(near):
                joined.add(near)
                near += step
    return joined
