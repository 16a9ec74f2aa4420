"""Changing directory.yaml: checked as a whole before it is written, whole or not at all, the old one kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.directory import DirectoryFile
from schemas.files import FileProblems, read
from sla_service.domain.directory import Directory, Person
from sla_service.errors import ConfigError, NotFoundError, UsageError
from sla_service.services import config_directory
from sla_service.services.config import DIRECTORY
from sla_service.services.directory_text import DirectoryText

KEPT = f"{DIRECTORY}.old"


@dataclass(frozen=True, slots=True)
class Held:
    """The file as it stands: its text, its entries, and what they come to."""

    path: Path
    text: str
    file: DirectoryFile
    directory: Directory


@dataclass(frozen=True, slots=True)
class Substitution:
    """``who`` is away, ``by`` stands in; ``remarks`` say what happens on days when ``by`` is away as well."""

    who: Person
    by: Person
    first: date
    last: date
    remarks: tuple[str, ...] = ()


def held(folder: Path) -> Held:
    """Raises ConfigError for a file that is missing or wrong."""
    path = folder / DIRECTORY
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"没有 {path}，可以用 sla init {folder} 写出带注释的默认文件。") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} 不是 UTF-8 编码，请另存为 UTF-8 再试。") from None
    return parsed(path, text)


def parsed(path: Path, text: str) -> Held:
    """Raises ConfigError with everything that is wrong."""
    try:
        file = read(text.encode(), str(path)).load(DirectoryFile, config_directory.check)
    except FileProblems as e:
        raise ConfigError(str(e)) from None
    return Held(path, text, file, config_directory.from_file(file))


def write(new: Held) -> Path:
    """Puts the text in place; gives where the one before it is kept."""
    old = new.path.with_name(KEPT)
    part = new.path.with_name(f"{DIRECTORY}.new")
    try:
        part.write_text(new.text, encoding="utf-8")
        old.write_bytes(new.path.read_bytes())
        part.replace(new.path)
    except OSError as e:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{new.path}：写不进去（{e.strerror}），请检查权限和磁盘空间。") from None
    return old


def person(directory: Directory, who: str, *, hall: str | None = None) -> Person:
    """The one that ``who`` (id, alias or name) means, in one hall or in any. Raises NotFoundError."""
    halls = [hall] if hall else [h.id for h in directory.halls]
    found = [p for place in halls for p in directory.matches(who, hall=place)]
    exact = directory.person(who)
    if exact is not None and (hall is None or exact.hall == hall):
        return exact
    if len(found) == 1:
        return found[0]
    if found:
        ids = "、".join(p.id for p in found)
        raise NotFoundError(f"通讯录里有 {len(found)} 个“{who}”（{ids}），请写编号。")
    raise NotFoundError(f"通讯录里没有“{who}”，请写编号、姓名或别名；sla directory show 列出所有人。")


def substitute(now_held: Held, who: str, by: str, first: date, last: date) -> tuple[Held, Substitution]:
    """The file with one absence more. Raises ConfigError where it does not fit with those that are there."""
    away, acting = person(now_held.directory, who), person(now_held.directory, by)
    if away.id == acting.id:
        raise UsageError(f"{away.name}不能自己代自己。")
    if first > last:
        raise UsageError(f"--from {first} 晚于 --to {last}，请对调。")
    for absence in now_held.directory.absences:
        if absence.who == away.id and absence.first <= last and first <= absence.last:
            other = now_held.directory.person(absence.by)
            raise UsageError(
                f"{away.name}在 {absence.first} 到 {absence.last} 已由{other.name if other else absence.by}代班，"
                f"日期不能重叠；要改请直接改 {now_held.path} 的 absences。"
            )
    text = DirectoryText(now_held.text)
    text.append("absences", [{"who": away.id, "by": acting.id, "from": first, "to": last}])
    new = parsed(now_held.path, text.text)
    return new, Substitution(away, acting, first, last, tuple(_remarks(new.directory, away, acting, first, last)))


def _remarks(directory: Directory, who: Person, by: Person, first: date, last: date) -> list[str]:
    """What becomes of it on days when the one who stands in is away too: somebody else acts, or nobody can."""
    found: list[str] = []
    for absence in directory.absences:
        if absence.who != by.id or absence.last < first or last < absence.first:
            continue
        begin, end = max(first, absence.first), min(last, absence.last)
        span = str(begin) if begin == end else f"{begin} 到 {end}"
        if directory.in_circle(who, begin):
            found.append(f"{span} {by.name}也请假，代班的人转了一圈又回到{who.name}，这几天的消息仍发给{who.name}。")
        else:
            found.append(f"{span} {by.name}也请假，由{directory.substitute(who, begin).name}代。")
    return found


def plain(entry: Any) -> Mapping[str, Any]:
    """An entry as it is written: only what was said, under the names of the file."""
    dumped: Mapping[str, Any] = entry.model_dump(by_alias=True, exclude_unset=True)
    return dumped
