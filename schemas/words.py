"""Values and guesses inside sentences."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable

_TELLING = 3  # characters: fewer are part of too many words


def shown(value: object, limit: int = 60, *, quote: bool = True) -> str:
    """``value`` as JSON for a sentence: short, without control or lone surrogate characters."""
    if isinstance(value, str) and not quote:
        text = json.dumps(value[:limit], ensure_ascii=False)[1:-1]
    elif isinstance(value, str):
        text = json.dumps(value[:limit] + ("…" if len(value) > limit else ""), ensure_ascii=False)
    elif isinstance(value, dict):
        text = "一个对象"
    elif isinstance(value, list | tuple):
        text = "一个列表"
    elif isinstance(value, bool) or value is None:
        text = json.dumps(value)
    elif isinstance(value, int) and abs(value) >= 10**limit:
        text = "一个过大的数"  # str() refuses more than 4,300 digits
    else:
        text = str(value)[:limit]
    return text.encode("utf-8", "backslashreplace").decode()


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be: nearly the same, or the only one that holds it."""
    words = list(known)
    alike = difflib.get_close_matches(word[:50], words, n=1)
    holding = [w for w in words if len(word) >= _TELLING and word in w]
    return alike[0] if alike else holding[0] if len(holding) == 1 else None
