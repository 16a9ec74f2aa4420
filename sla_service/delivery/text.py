"""Lengths as providers count them: bytes of UTF-8 in WeCom, UTF-16 units and parts in SMS."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
_ZWJ = "\u200d"
_WIDEST = 4  # bytes of the longest UTF-8 character: a limit below could not make progress
_ONE_PART = 70
_PART_OF_MANY = 67  # a long SMS spends three characters of each part on the header that joins them
_PHONE = re.compile(r"(?<!\d)((?:\+?86)?1\d{2})\d{4}(\d{4})(?!\d)")
_BRACKETS = str.maketrans("【】", "〔〕")


def utf8(text: str) -> bytes:
    """The bytes that go out. Half a surrogate pair, which no encoder takes, becomes a question mark."""
    return text.encode("utf-8", "replace")


def byte_length(text: str) -> int:
    """The length WeCom counts."""
    return len(utf8(text))


def split_bytes(text: str, limit: int) -> tuple[str, ...]:
    """``text`` in pieces of at most ``limit`` bytes each; joined they are the text again.

    Cut after a line break if there is one in the second half of what fits, else between two characters, never
    inside one, nor between a letter and its accents or the parts of a joined emoji. Empty text has no pieces.
    """
    if limit < _WIDEST:
        raise ValueError(f"a piece must hold at least one character ({_WIDEST} bytes), not {limit}")
    pieces = []
    rest = text
    while byte_length(rest) > limit:
        end = _fits(rest, limit)
        line = rest.rfind("\n", end // 2, end)
        end = line + 1 if line >= 0 else end
        pieces.append(rest[:end])
        rest = rest[end:]
    return (*pieces, rest) if rest else tuple(pieces)


def shorten_bytes(text: str, limit: int) -> str:
    """``text`` if it has at most ``limit`` bytes, else its beginning with an ellipsis, at most that long."""
    if byte_length(text) <= limit:
        return text
    room = limit - byte_length(ELLIPSIS)
    if room < _WIDEST:
        return "" if limit < _WIDEST else text[: _fits(text, limit)]
    return text[: _fits(text, room)].rstrip() + ELLIPSIS


def sms_value(text: str, limit: int) -> str:
    """A variable of an SMS template: one line, no 【】 (carriers read them as the signature), ``limit`` long."""
    line = re.sub(r"\s+", " ", text).strip().translate(_BRACKETS)
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def sms_parts(text: str, signature: str = "") -> int:
    """How many SMS a text costs, its signature 【…】 included: one up to 70 characters, else 67 to each part.

    Counted in UTF-16 units, as carriers do: an emoji is two. An empty text costs nothing.
    """
    if not text:
        return 0
    whole = f"【{signature.strip('【】')}】{text}" if signature else text
    units = len(whole.encode("utf-16-le", "replace")) // 2
    return 1 if units <= _ONE_PART else -(-units // _PART_OF_MANY)


def mask_phones(text: str) -> str:
    """Mainland mobile numbers as 138****0000 (个人信息保护法 art. 6: no more of them than is needed)."""
    return _PHONE.sub(r"\1****\2", text)


def _fits(text: str, limit: int) -> int:
    """How many characters of a text longer than ``limit`` bytes fit into them, at a boundary; at least one."""
    raw = utf8(text[:limit])[:limit]
    end = hard = len(raw.decode("utf-8", "ignore"))
    while end > 1 and _joined(text, end):
        end -= 1
    return end if not _joined(text, end) else hard


def _joined(text: str, at: int) -> bool:
    """True if the characters before and at ``at`` are seen as one."""
    after = text[at : at + 1]
    return bool(after) and (
        unicodedata.combining(after) != 0
        or unicodedata.category(after) in {"Mn", "Me", "Mc"}  # variation selectors are Mn
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or after == _ZWJ
        or text[at - 1] == _ZWJ
    )


def one_line(text: str) -> str:
    """What others wrote, as part of a line of ours: a title with line breaks in it could pass for a second message."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
