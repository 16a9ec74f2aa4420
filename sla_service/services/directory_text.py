"""directory.yaml changed entry by entry: what people wrote around the entries, comments too, stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

_PLAIN = re.compile(r"[^\W\d_][\w·-]*")  # starts with a letter: no number, date or sign that YAML would read
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Section:
    """Where one list stands. ``items`` are the spans of its entries; ``column`` is that of its dashes."""

    items: tuple[tuple[int, int], ...]
    flow: bool
    column: int
    begin: int
    end: int


class DirectoryText:
    """The text of a directory file. Its sections must be right already: a list of mappings, or empty."""

    def __init__(self, text: str) -> None:
        self.text = text

    def replace(self, section: str, index: int, entry: Mapping[str, Any]) -> None:
        """Writes the entry with that number (from 0) anew, on one line."""
        found = self._section(section)
        assert found is not None  # noqa: S101 (there is no entry without its section)
        begin, end = found.items[index]
        self.text = self.text[:begin] + line(entry) + self.text[end:]

    def append(self, section: str, entries: Sequence[Mapping[str, Any]]) -> None:
        """Adds entries at the end of a section, which is made if it is not there."""
        if not entries:
            return
        found = self._section(section)
        if found is None:
            head = "" if not self.text or self.text.endswith("\n") else "\n"
            self.text += f"{head}\n{section}:{_block(entries, 2)}\n"
        elif not found.items:
            self.text = self.text[: found.begin] + _block(entries, 2) + self.text[found.end :]
        elif found.flow:
            more = "".join(f", {line(entry)}" for entry in entries)
            at = found.items[-1][1]
            self.text = self.text[:at] + more + self.text[at:]
        else:
            at = self.text.find("\n", found.items[-1][1])  # behind a comment on the last entry's line
            at = len(self.text) if at < 0 else at
            self.text = self.text[:at] + _block(entries, found.column) + self.text[at:]

    def _section(self, name: str) -> _Section | None:
        root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        if not isinstance(root, MappingNode):
            return None
        for key, value in root.value:
            if key.value == name:
                return self._found(key, value)
        return None

    def _found(self, key: Node, value: Node) -> _Section:
        if isinstance(value, SequenceNode) and value.value:
            spans = tuple((item.start_mark.index, _end(item)) for item in value.value)
            return _Section(spans, bool(value.flow_style), value.start_mark.column, 0, 0)
        colon = self.text.index(":", key.end_mark.index) + 1
        if isinstance(value, SequenceNode):
            return _Section((), False, 0, colon, value.end_mark.index)  # []
        written = value.value != "" and value.start_mark.line == key.start_mark.line
        end_of_line = self.text.find("\n", colon)
        end_of_line = len(self.text) if end_of_line < 0 else end_of_line
        return _Section((), False, 0, colon if written else end_of_line, _end(value) if written else end_of_line)


def _end(node: Node) -> int:
    """Behind the last thing that belongs to the node: a block's own mark lies behind comments and blank lines."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _block(entries: Sequence[Mapping[str, Any]], column: int) -> str:
    return "".join(f"\n{' ' * column}- {line(entry)}" for entry in entries)


def line(entry: Mapping[str, Any]) -> str:
    """``{id: zhangsan, name: 张三, phone: "13800000001"}``"""
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in entry.items() if value not in (None, [])) + "}"


def _value(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    text = str(value)
    plain = _PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
