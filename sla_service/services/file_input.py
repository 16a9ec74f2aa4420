"""A file that was handed to the file door: what it is, told by its content first and its name second."""

from __future__ import annotations

import codecs
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from sla_service.errors import SlaError

STDIN = "-"
_CHUNK = 1 << 20
_HEAD = 1 << 16
_ZIP, _OLE, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"
_BOM = codecs.BOM_UTF8
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JSON_NAMES = frozenset({".json", ".jsonl", ".ndjson"})
_CSV_NAMES = frozenset({".csv", ".tsv"})


class Kind(StrEnum):
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Input:
    """``name`` is how people called it, ``path`` where its bytes are, ``size`` how many.

    ``written``: when it was last changed, None for standard input.
    """

    name: str
    path: Path
    size: int
    kind: Kind
    written: datetime | None = None

    @property
    def shown(self) -> str:
        return "标准输入" if self.name == STDIN else self.name


@contextmanager
def opened(name: str, stdin: BinaryIO) -> Iterator[Input]:
    """The file ``name``, or for ``-`` a copy of standard input: it is read twice, and it may be long.

    Raises OSError if it cannot be read, SlaError if it is nothing that the file door takes.
    """
    if name != STDIN:
        yield _look(name, Path(name))
        return
    with tempfile.NamedTemporaryFile(prefix="sla-stdin-") as copy:
        shutil.copyfileobj(stdin, copy, _CHUNK)
        copy.flush()
        yield _look(name, Path(copy.name))


def _look(name: str, path: Path) -> Input:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    about = path.stat()
    written = None if name == STDIN else datetime.fromtimestamp(about.st_mtime, UTC)
    return Input(name, path, about.st_size, _kind(name, head), written)


def _kind(name: str, head: bytes) -> Kind:
    shown = "标准输入" if name == STDIN else name
    suffix = Path(name).suffix.lower()
    if head.startswith(_ZIP):
        return Kind.XLSX
    if head.startswith(_OLE):
        raise SlaError(f"{shown} 是旧版 Excel（.xls）或加了密码的文件，请在 Excel 里另存为不加密的 .xlsx。")
    if head.startswith(_GZIP):
        raise SlaError(f"{shown} 是压缩文件，请先解压。")
    text = head.removeprefix(_BOM).lstrip()
    if not text:
        return Kind.EMPTY
    if suffix in _CSV_NAMES:
        return Kind.CSV
    if suffix in _JSON_NAMES or text[:1] in (b"{", b"["):
        return Kind.JSON
    if b"\0" in head and not head.startswith(_UTF16):
        raise SlaError(f"{shown} 不是文本文件，能导入的有事件（JSON）和台账（CSV、XLSX）。")
    return Kind.CSV


def check_utf8(found: Input) -> None:
    """Looks through the whole file before anything of it is taken, so that nothing is half done.

    Raises SlaError naming the first line that is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, bytes_before = 1, 0
    with found.path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as e:
                lines += chunk[: max(e.start - pending, 0)].count(b"\n")
                at = bytes_before - pending + e.start + 1
                raise SlaError(
                    f"{found.shown} 第 {lines} 行（第 {at} 个字节）不是 UTF-8 编码，"
                    "请另存为 UTF-8 再导入；什么都没有写入。"
                ) from None
            if not chunk:
                return
            lines += chunk.count(b"\n")
            bytes_before += len(chunk)
