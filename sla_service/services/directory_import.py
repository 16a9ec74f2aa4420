"""What a list of people makes of directory.yaml: who is new, what changes, what cannot be taken and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sla_service.delivery.text import mask_phones
from sla_service.domain.directory import MAIN_HALL, same_name
from sla_service.services.directory_admin import Held, parsed, plain
from sla_service.services.directory_rows import Given
from sla_service.services.directory_text import DirectoryText

_PHONE: Final = re.compile(r"\+?[0-9][0-9 -]{4,28}")
_WORDS: Final[Mapping[str, str]] = {
    "name": "姓名",
    "aliases": "别名",
    "phone": "手机",
    "wecom": "企业微信",
    "department": "科室",
    "hall": "厅",
    "head": "科长",
    "leader": "分管局长",
    "calendar": "日历",
}
_ORDER: Final = ("id", "name", "aliases", "phone", "wecom", "department", "hall")


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that would be new (``what`` empty) or another; phone numbers are masked in ``what``."""

    section: str
    id: str
    name: str
    new: bool
    what: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is left out, by its number in the file."""

    number: int
    reason: str


@dataclass(slots=True)
class Plan:
    """``new`` is the file as it would be; ``same`` counts rows that say what is there already."""

    new: Held
    changes: list[Change] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    same: int = 0


def plan(now: Held, rows: Iterable[Given]) -> Plan:
    """Works out what the rows come to; writes nothing. A row that is wrong keeps no other from being taken."""
    work = _Work(now)
    for row in rows:
        reason = work.take(row)
        if reason:
            work.refused.append(Refused(row.number, reason))
    return work.plan()


class _Work:
    """The entries as they would be, section by section, in the file's order."""

    def __init__(self, now: Held) -> None:
        self.now = now
        self.old: dict[str, list[dict[str, Any]]] = {
            name: [dict(plain(e)) for e in getattr(now.file, name)] for name in ("people", "departments", "absences")
        }
        self.entries = {name: list(entries) for name, entries in self.old.items()}
        self.halls = [h.id for h in now.file.halls] or [MAIN_HALL]
        self.default = now.directory.halls[0].id
        self.told: set[str] = set()  # ids that this file has named before
        self.changes: list[Change] = []
        self.refused: list[Refused] = []
        self.same = 0

    def take(self, row: Given) -> str:
        """Why the row cannot be taken; empty if it was."""
        if row.problem:
            return row.problem
        if row.section == "people":
            return self._person(dict(row.entry))
        if row.section == "departments":
            return self._department(dict(row.entry))
        if row.section == "absences":
            return self._absence(dict(row.entry))
        return f"{row.section} 请直接写进 {self.now.path}"

    # -- people ---------------------------------------------------------------------------------------------

    def _person(self, entry: dict[str, Any]) -> str:
        wrong = self._wrong_person(entry)
        if wrong:
            return wrong
        id_ = entry["id"]
        at = next((i for i, p in enumerate(self.entries["people"]) if p["id"] == id_), None)
        before = self.entries["people"][at] if at is not None else {}
        if before.get("aliases") and entry.get("aliases"):
            entry["aliases"] = list(dict.fromkeys([*before["aliases"], *entry["aliases"]]))
        after = _ordered({**before, **entry})
        clash = self._clash(after)
        if clash:
            return clash
        self.told.add(id_)
        department = after.get("department")
        if department and not self._knows(department, self._hall(after)):
            self.entries["departments"].append(
                {"id": department, **({"hall": after["hall"]} if after.get("hall") else {})}
            )
            self.changes.append(Change("departments", department, department, new=True))
        self._put("people", at, before, after, name=after["name"])
        return ""

    def _wrong_person(self, entry: Mapping[str, Any]) -> str:
        missing = [word for key, word in (("id", "编号"), ("name", "姓名")) if not entry.get(key)]
        if missing:
            return f"缺少{'和'.join(missing)}"
        if entry["id"] in self.told:
            return f"编号 {entry['id']} 在文件里写了两次"
        if entry.get("phone") and not _PHONE.fullmatch(entry["phone"]):
            return "手机号要写数字，例如 13800000001"
        hall = entry.get("hall")
        if hall and hall not in self.halls:
            return f"没有厅 {hall}，directory.yaml 里有 {'、'.join(self.halls)}"
        if not hall and len(self.halls) > 1 and MAIN_HALL not in self.halls and entry["id"] not in self._ids():
            return "有多个厅，要有“厅”一列"
        return ""

    def _clash(self, after: Mapping[str, Any]) -> str:
        """Ids and aliases point to one person of a hall."""
        mine = {same_name(a): a for a in (after["id"], *after.get("aliases", ()))}
        for other in self.entries["people"]:
            if other["id"] == after["id"]:
                continue
            theirs = map(same_name, (other["id"], *other.get("aliases", ())))
            both = [mine[key] for key in theirs if key in mine]
            if both and self._hall(other) == self._hall(after):
                return f"编号或别名 {both[0]} 已经是{other['name']}（{other['id']}）的，分不清是谁"
        return ""

    def _ids(self) -> set[str]:
        return {p["id"] for p in self.entries["people"]}

    def _hall(self, entry: Mapping[str, Any]) -> str:
        return str(entry.get("hall") or self.default)

    def _knows(self, department: str, hall: str) -> bool:
        return any((d["id"], self._hall(d)) == (department, hall) for d in self.entries["departments"])

    # -- departments and absences ---------------------------------------------------------------------------

    def _department(self, entry: dict[str, Any]) -> str:
        for post in ("head", "leader"):
            if entry.get(post) and entry[post] not in self._ids():
                return f"科室 {entry['id']} 的 {post} {entry[post]} 不在通讯录里"
        key = (entry["id"], self._hall(entry))
        at = next((i for i, d in enumerate(self.entries["departments"]) if (d["id"], self._hall(d)) == key), None)
        before = self.entries["departments"][at] if at is not None else {}
        self._put("departments", at, before, {**before, **entry}, name=entry["id"])
        return ""

    def _absence(self, entry: dict[str, Any]) -> str:
        for who in (entry["who"], entry["by"]):
            if who not in self._ids():
                return f"{who} 不在通讯录里"
        if entry in self.entries["absences"]:
            self.same += 1
            return ""
        for other in self.entries["absences"]:
            if other["who"] == entry["who"] and other["from"] <= entry["to"] and entry["from"] <= other["to"]:
                return f"{entry['who']} 在 {other['from']} 到 {other['to']} 已有人代班，日期不能重叠"
        if entry["who"] == entry["by"] or entry["from"] > entry["to"]:
            return "请假要由别人代班，from 不晚于 to"
        self.entries["absences"].append(entry)
        what = f"{entry['from']} 到 {entry['to']} 由 {entry['by']} 代"
        self.changes.append(Change("absences", entry["who"], entry["who"], new=True, what=what))
        return ""

    # -- the sum --------------------------------------------------------------------------------------------

    def _put(self, section: str, at: int | None, before: dict[str, Any], after: dict[str, Any], *, name: str) -> None:
        if at is None:
            self.entries[section].append(after)
            self.changes.append(Change(section, after["id"], name, new=True, what=_what({}, after)))
        elif before == after:
            self.same += 1
        else:
            self.entries[section][at] = after
            self.changes.append(Change(section, after["id"], name, new=False, what=_what(before, after)))

    def plan(self) -> Plan:
        text = DirectoryText(self.now.text)
        for section, entries in self.entries.items():
            known = len(self.old[section])
            for i, entry in enumerate(entries[:known]):
                if entry != self.old[section][i]:
                    text.replace(section, i, entry)
            text.append(section, entries[known:])
        return Plan(parsed(self.now.path, text.text), self.changes, self.refused, self.same)


def _ordered(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _ORDER if key in entry}


def _what(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """``手机：138****0001 → 139****0002；科室：社会事务科``"""
    parts = []
    for key, word in _WORDS.items():
        old, new = _shown(before.get(key)), _shown(after.get(key))
        if old != new and not (key == "name" and not before):
            parts.append(f"{word}：{old} → {new}" if old else f"{word}：{new}")
        elif before.get(key) != after.get(key):
            parts.append(f"{word}：改了")  # what is masked looks alike
    return "；".join(p for p in parts if not p.startswith("姓名：改了"))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(value)
    return mask_phones(str(value)) if value else ""
