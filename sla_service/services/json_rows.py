"""JSON files of events, one at a time however long they are: JSON Lines, one array, or a single event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, TextIO

from schemas.events import NotJson, parse_json
from sla_service.services.file_input import Input

#: An event larger than this is none: a quotation mark is missing, or the file is something else.
MAX_EVENT = 16 << 20
_CHUNK = 1 << 18
_MARK = re.compile(r'["\\{}\[\],]')
_TOO_LONG = "这一条超过 16 MB，可能是引号或括号没有配对。"


class JsonRow(NamedTuple):
    """``number`` is the line, in an array the element, from 1. ``problem`` says why ``value`` is only text."""

    number: int
    value: Any
    problem: str = ""
    position: int = 0  # bytes read so far


def rows(found: Input) -> Iterator[JsonRow]:
    """The events of a file that is UTF-8 all through; what is not JSON is a row with its problem."""
    with found.path.open("rb") as file:
        first = _first(file)
        if first == b"[":
            with found.path.open(encoding="utf-8-sig", newline="") as text:
                yield from _elements(text, file)
            return
        if first == b"{" and found.size <= MAX_EVENT:
            line = _first_line(file)
            if _row(1, line, 0).problem:  # one event over several lines, or a first line that is wrong
                single = _row(1, file.read().decode("utf-8-sig"), found.size)
                file.seek(0)
                if not single.problem or line.strip() == "{":
                    yield single
                    return
        yield from _lines(file)


def _first(file: BinaryIO) -> bytes:
    """The first byte that says something; the file stands at its beginning again."""
    head = file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return head[:1]


def _first_line(file: BinaryIO) -> str:
    """The first line that is not empty; the file stands at its beginning again."""
    line = file.readline(MAX_EVENT)
    while line and not line.removeprefix(b"\xef\xbb\xbf").strip():
        line = file.readline(MAX_EVENT)
    file.seek(0)
    return line.decode("utf-8-sig", "replace")


def _row(number: int, text: str, position: int) -> JsonRow:
    try:
        return JsonRow(number, parse_json(text), "", position)
    except NotJson as e:
        problem = e.problem.replace("正文", "这一条").replace("：第 1 行第", "：第")
        return JsonRow(number, text.strip(), problem, position)


def _lines(file: BinaryIO) -> Iterator[JsonRow]:
    number = 0
    while line := file.readline(MAX_EVENT):
        number += 1
        if len(line) == MAX_EVENT and not line.endswith(b"\n"):
            while rest := file.readline(MAX_EVENT):
                if rest.endswith(b"\n"):
                    break
            yield JsonRow(number, line[:200].decode("utf-8", "replace"), _TOO_LONG, file.tell())
        elif line.removeprefix(b"\xef\xbb\xbf").strip():
            yield _row(number, line.decode("utf-8-sig").rstrip("\r\n"), file.tell())


class _Scanner:
    """Finds where an array's elements end, without reading what is in them."""

    def __init__(self) -> None:
        self.buffer = ""
        self.at = 0  # everything before was looked at
        self.depth = 0
        self.quoted = False
        self.ended = False

    def feed(self, chunk: str) -> Iterator[str]:
        """The elements that are complete now; the closing bracket ends the last one."""
        self.buffer += chunk
        begin = 0
        while not self.ended and (mark := _MARK.search(self.buffer, self.at)) is not None:
            sign, here = mark[0], mark.start()
            if sign == "\\":
                if here + 1 >= len(self.buffer):  # what it escapes comes with the next chunk
                    self.at = here
                    break
                self.at = here + 2
                continue
            self.at = here + 1
            if sign == '"':
                self.quoted = not self.quoted
            elif self.quoted:
                continue
            elif sign in "{[":
                self.depth += 1
            elif sign == "," and self.depth == 0:
                yield self.buffer[begin:here]
                begin = here + 1
            elif sign in "}]":
                self.depth -= 1
                if self.depth < 0:
                    self.ended = True
                    yield self.buffer[begin:here]
                    begin = here + 1
        else:
            self.at = len(self.buffer) if not self.ended else self.at
        self.buffer, self.at = self.buffer[begin:], max(self.at - begin, 0)


def _elements(text: TextIO, file: BinaryIO) -> Iterator[JsonRow]:
    scanner = _Scanner()
    number = 0
    head = text.read(_CHUNK).lstrip()[1:]
    size = file.seek(0, 2)
    position = 0
    while True:
        position += len(head.encode("utf-8", "replace"))
        for element in scanner.feed(head):
            number += 1
            if element.strip() or not scanner.ended or number > 1:
                yield _row(number, element, min(position, size))
        if scanner.ended:
            if rest := (scanner.buffer + text.read(_CHUNK)).strip():
                yield JsonRow(number + 1, rest[:200], "数组的 ] 之后还有内容。", size)
            return
        if len(scanner.buffer) > MAX_EVENT:
            yield JsonRow(number + 1, scanner.buffer[:200], _TOO_LONG, size)
            return
        head = text.read(_CHUNK)
        if not head:
            yield JsonRow(number + 1, scanner.buffer[:200].strip(), "文件到这里就断了，数组没有以 ] 结束。", size)
            return
