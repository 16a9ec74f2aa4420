"""Values and guesses inside sentences."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable


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
    """The known word that ``word`` was probably meant to be."""
    return next(iter(difflib.get_close_matches(word[:50], list(known), n=1)), None)
