"""Bytes and text of a calendar file, from wherever it comes."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from sla_service.errors import CalendarError

DATE: Final = re.compile(r"(\d{4})(?:-|/|\.|年)?(\d{1,2})(?:-|/|\.|月)?(\d{1,2})日?")
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}


def load(source: Path | bytes | str, name: str = "") -> tuple[bytes, str]:
    """The bytes of a path, of an upload or of pasted text, and what messages call it."""
    if isinstance(source, str):
        return source.encode(), name or "粘贴的内容"
    if isinstance(source, bytes):
        return source, name or "文件"
    try:
        return source.read_bytes(), name or source.name
    except OSError as e:
        raise CalendarError(f"{source} 打不开（{e.strerror}），请检查路径和权限") from None


def decode(raw: bytes, name: str) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else GB 18030, which spreadsheets here still write."""
    marked = _MARKS.get(raw[:2])
    for encoding in [marked] if marked else ["utf-8", "gb18030"]:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CalendarError(f"{name}既不是 UTF-8 也不是 GBK 编码的文本，请另存为 UTF-8 后再导入")


def read_date(text: str, where: str) -> date:
    """2026-10-01, 2026/10/1, 20261001 or 2026年10月1日."""
    match = DATE.fullmatch(text.strip())
    try:
        year, month, day = (int(part) for part in match.groups()) if match else (0, 0, 0)
        return date(year, month, day)
    except ValueError:
        raise CalendarError(f"{where}的日期“{text}”读不出来，请写成 2026-10-01 的样子") from None
