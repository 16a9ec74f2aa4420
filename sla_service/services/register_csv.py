"""CSV as it comes out of Chinese offices: UTF-8 with or without BOM, GBK, Excel's "Unicode text"; any delimiter."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice

from sla_service.errors import SlaError
from sla_service.services.file_input import Input
from sla_service.services.register_sheets import Sheet, SheetRow

_CHUNK = 1 << 20
_DELIMITERS = ",\t;|，"
_LOOK = 30  # lines that decide the delimiter


def sheets(found: Input) -> Iterator[Sheet]:
    """The one table of a CSV file. Raises SlaError for an encoding that nobody can guess."""
    encoding = _encoding(found)
    with found.path.open(encoding=encoding, newline="") as text:
        delimiter = _delimiter(list(islice(text, _LOOK)))
    yield Sheet("", _rows(found, encoding, delimiter), found.size)


def _encoding(found: Input) -> str:
    with found.path.open("rb") as file:
        head = file.read(4)
    if head.startswith(codecs.BOM_UTF8):
        tried = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tried = ["utf-16"]
    else:
        tried = ["utf-8", "gb18030"]
    for encoding in tried:
        if _fits(found, encoding):
            return encoding
    raise SlaError(f"{found.shown} 既不是 UTF-8 也不是 GBK 编码，请用 Excel 或编辑器另存为 UTF-8；什么都没有写入。")


def _fits(found: Input, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with found.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(lines: list[str]) -> str:
    """The one that cuts the first lines into the most columns."""
    return max(_DELIMITERS, key=lambda d: max((len(r) for r in csv.reader(lines, delimiter=d)), default=0))


def _rows(found: Input, encoding: str, delimiter: str) -> Iterator[SheetRow]:
    with found.path.open("rb") as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error:
                raise SlaError(
                    f"{found.shown} 第 {number} 行（文件的第 {reader.line_num} 行）读不下去，可能是引号没有配对；"
                    "改好后重新导入整个文件即可，已写入的行不会重复。"
                ) from None
            if cells is None:
                return
            yield SheetRow(number, list(cells), file.tell())
