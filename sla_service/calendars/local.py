"""Local layers from YAML: days of a region or a hall that lie over the national calendar.

    name: 广西壮族自治区
    source: 关于2025年“壮族三月三”放假的通知
    document: 桂政办电〔2025〕1号
    url: https://…
    days:
      - {date: 2025-03-31, off: 壮族三月三}
      - {from: 2025-03-31, to: 2025-04-01, off: 壮族三月三}
      - {date: 2025-04-12, work: 壮族三月三}

Each entry has ``date`` (or ``from`` and ``to``, both included) and one of ``off`` and ``work``, whose value is
the name of the holiday (or ``true``, with ``name`` beside it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

import yaml

from sla_service.calendars.model import Layer, LayerDay, Rank
from sla_service.calendars.source import decode, load, read_date
from sla_service.errors import CalendarError

_TOP: Final = frozenset({"name", "source", "document", "url", "days"})
_ENTRY: Final = frozenset({"date", "from", "to", "off", "work", "name"})
_LONGEST: Final = 31  # days
_YES: Final = frozenset({"true", "True", "yes"})
_NO: Final = frozenset({"false", "False", "no"})


def read_local(
    source: Path | bytes | str,
    filename: str = "",
    *,
    rank: Rank = Rank.LOCAL,
    importer: str = "",
    imported_at: datetime | None = None,
) -> Layer:
    """The layer that a YAML file describes; raises :class:`CalendarError` naming the entry that is wrong."""
    raw, filename = load(source, filename)
    try:
        # BaseLoader makes plain strings only: off stays a word (YAML 1.1 has it as false), a date that does not
        # exist is ours to name. It builds no objects, so it is as safe as the safe loader.
        held = yaml.load(decode(raw, filename), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark else "内容"
        raise CalendarError(f"{filename}：{where}不是正确的 YAML，请检查缩进和引号") from None
    if not isinstance(held, dict):
        raise CalendarError(f"{filename}：应写 name（名称）和 days（日期列表）")
    top = _known(held, _TOP, filename)
    name, entries = top.get("name"), top.get("days")
    if not isinstance(name, str) or not name:
        raise CalendarError(f"{filename}：缺少 name（地方或大厅的名称）")
    if not isinstance(entries, list) or not entries:
        raise CalendarError(f"{filename}：缺少 days（日期列表）")
    return Layer(
        name=name,
        rank=rank,
        days=_days(entries, filename),
        source=_text(top.get("source")),
        document=_text(top.get("document")),
        url=_text(top.get("url")),
        sha256=hashlib.sha256(raw).hexdigest(),
        importer=importer,
        imported_at=imported_at,
    )


def _days(entries: list[object], filename: str) -> dict[date, LayerDay]:
    days: dict[date, LayerDay] = {}
    for number, entry in enumerate(entries, 1):
        where = f"{filename}：days 第 {number} 项"
        if not isinstance(entry, dict):
            raise CalendarError(f"{where}应写成 {{date: 2026-04-20, off: 壮族三月三}} 的样子")
        known = _known(entry, _ENTRY, where)
        day = _what(known, where)
        for on in _range(known, where):
            if days.setdefault(on, day).off != day.off:
                raise CalendarError(f"{where}与前面矛盾：{on} 既放假又上班")
    return dict(sorted(days.items()))


def _what(entry: dict[str, object], where: str) -> LayerDay:
    if ("off" in entry) == ("work" in entry):
        raise CalendarError(f"{where}要写 off（放假）或 work（上班）中的一个")
    key = "off" if "off" in entry else "work"
    name = entry.get("name") if entry[key] in _YES else entry[key]
    if not isinstance(name, str) or not name or name in _NO:
        raise CalendarError(f"{where}的 {key} 后面要写节日名称")
    return LayerDay(key == "off", name)


def _range(entry: dict[str, object], where: str) -> Iterator[date]:
    if ("date" in entry) == ("from" in entry) or ("from" in entry) != ("to" in entry):
        raise CalendarError(f"{where}要写 date，或者 from 和 to")
    first = read_date(str(entry.get("date", entry.get("from"))), where)
    last = read_date(str(entry.get("date", entry.get("to"))), where)
    if not 0 <= (last - first).days <= _LONGEST:
        raise CalendarError(f"{where}：{first} 至 {last} 不是一段假期，请检查起止日期")
    return (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))


def _known(held: dict[object, object], keys: frozenset[str], where: str) -> dict[str, object]:
    """The entry, if all its keys are known."""
    known = {str(key): value for key, value in held.items()}
    unknown = [key for key in known if key not in keys]
    if unknown:
        raise CalendarError(f"{where}：不认识“{unknown[0]}”，可以写 {'、'.join(sorted(keys))}")
    return known


def _text(value: object) -> str:
    return "" if value is None else str(value)
