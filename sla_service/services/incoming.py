"""One body on its way in, and what became of it: what every door hands over and is handed back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.events import InvalidEvent, ParsedEvent, parse


@dataclass(frozen=True, slots=True)
class Incoming:
    """One body as it came: parsed, or the reason why it could not be. ``owner`` is whose key it came with."""

    raw: Any
    event: ParsedEvent | None
    field: str = ""
    problem: str = ""
    owner: str = ""

    @property
    def id(self) -> str | None:
        if self.event is not None:
            return self.event.id
        value = self.raw.get("id") if isinstance(self.raw, Mapping) else None
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event; ``case`` is the case object as it stands after the batch."""

    id: str | None
    status: str
    problem: str = ""
    case: Mapping[str, Any] | None = None

    def out(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.problem:
            plain["problem"] = self.problem
        if self.case is not None:
            plain["case"] = self.case
        return plain


def read(raw: Any, *, now: datetime, source: str | None = None, allow_future: bool = False) -> Incoming:
    """Parses one body; ``source`` is whose key it came with, an event of another's source is invalid."""
    owner = source or ""
    try:
        event = parse(raw, now=now, allow_future=allow_future)
    except InvalidEvent as e:
        return Incoming(raw, None, e.field, e.problem, owner)
    if source is not None and event.source != source:
        problem = f"source 是 {event.source}，与来源 {source} 的密钥不符，请用它自己的密钥发送。"
        return Incoming(raw, None, "source", problem, owner)
    return Incoming(raw, event, owner=owner)
