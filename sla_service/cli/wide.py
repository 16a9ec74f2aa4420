"""Text on a terminal, where a Chinese character takes two columns."""

from __future__ import annotations

import re
import unicodedata

_NOT_FIRST = frozenset("，。、；：！？）》」』】〉”’…%)]},.;:!?")
_NOT_LAST = frozenset("（《「『【〈“‘([{")
_ATOM = re.compile(r"\s+|[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]|[^\s\u2e80-\uff60]+|.")
#: Control characters and those that turn the direction of text: a case's title must not steer the terminal.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def width(text: str) -> int:
    """Columns that a terminal uses for ``text``."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clean(text: str) -> str:
    """``text`` on one line, without anything that a terminal would take for a command."""
    return _STEERING.sub(" ", text) if _STEERING.search(text) else text


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """``text`` filled with spaces to ``columns``; with ``right`` it ends there."""
    gap = " " * max(columns - width(text), 0)
    return gap + text if right else text + gap


def shorten(text: str, columns: int) -> str:
    """``text``, cut with an ellipsis where it is wider than ``columns``."""
    if width(text) <= columns:
        return text
    return _cut(text, columns - 1)[0] + "…"


def wrap(text: str, columns: int) -> list[str]:
    """``text`` in lines of at most ``columns``: between words, or between Chinese characters.

    No line begins with a closing mark or ends with an opening one (避头尾), unless there is no room for that.
    """
    lines: list[str] = []
    line = ""
    for atom in _atoms(text):
        if not line:
            atom = atom.lstrip()  # noqa: PLW2901 (blanks at the break are dropped)
        if width(line) + width(atom.rstrip()) > columns and line:
            lines.append(line.rstrip())
            line = atom.lstrip()
        else:
            line += atom
        while width(line.rstrip()) > columns:
            head, line = _cut(line, columns)
            lines.append(head)
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _atoms(text: str) -> list[str]:
    """The pieces between which a line may be broken."""
    atoms: list[str] = []
    glue = False
    for piece in _ATOM.findall(text):
        if atoms and (glue or piece[0] in _NOT_FIRST):
            atoms[-1] += piece
        else:
            atoms.append(piece)
        glue = piece[-1] in _NOT_LAST
    return atoms


def _cut(text: str, columns: int) -> tuple[str, str]:
    """The longest beginning that fits, at least one character, and the rest."""
    used = 0
    for i, char in enumerate(text):
        used += _columns(char)
        if used > columns and i:
            return text[:i], text[i:]
    return text, ""
