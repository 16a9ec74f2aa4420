"""A history out of a file: the events that are good, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from schemas.events import InvalidEvent, ParsedEvent, parse
from sla_service.domain.events import Event
from sla_service.errors import SlaError
from sla_service.services.file_input import Input, Kind, check_utf8
from sla_service.services.json_rows import rows


@dataclass(slots=True)
class History:
    """``problems`` are (line, or element of an array, from 1; sentence). An id is taken once, the first one stands:
    the same content again is a duplicate, another content a conflict.
    """

    events: list[Event] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    duplicate: int = 0
    conflict: int = 0


def read_history(found: Input, *, now: datetime, progress: Callable[[int], None] | None = None) -> History:
    """The events of a JSON file (JSON Lines, one array, or a single event), of any time, past or future.

    ``progress`` is told the bytes read so far. Raises SlaError for a file that is something else or not UTF-8.
    """
    if found.kind is Kind.EMPTY:
        raise SlaError(f"{found.shown} 是空的，没有可以重放的事件。")
    if found.kind is not Kind.JSON:
        raise SlaError(f"{found.shown} 不是事件文件：重放只读 JSON 格式的事件（每行一个，或一个数组）。")
    check_utf8(found)
    history = History()
    contents: dict[tuple[str, str], str] = {}
    for row in rows(found):
        if row.problem:
            history.problems.append((row.number, row.problem))
        else:
            _take(history, contents, row.number, row.value, now)
        if progress is not None:
            progress(row.position)
    return history


def _take(history: History, contents: dict[tuple[str, str], str], number: int, value: object, now: datetime) -> None:
    try:
        event: ParsedEvent = parse(value, now=now, allow_future=True)
    except InvalidEvent as e:
        history.problems.append((number, e.problem))
        return
    key = (event.source, event.id)
    if key not in contents:
        contents[key] = event.content
        history.events.append(Event(event.source, event.id, event.type, event.subject, event.time, event.data))
    elif contents[key] == event.content:
        history.duplicate += 1
    else:
        history.conflict += 1
        history.problems.append((number, f"id {event.id} 已经用过，内容不同；以前一个为准。"))
