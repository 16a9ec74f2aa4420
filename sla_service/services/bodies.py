"""The body of an event as it came: what stands in no column of the inbox, and the whole of it put together again.

Equal as JSON values to what was sent; of its bytes only blanks and the order of names are not kept. Applicants' data
stand in ``data`` alone and stay sealed and erasable there, which a second copy of the bytes would not be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from schemas.event_problems import unfit
from sla_service.domain.policy import BEIJING

Row = Mapping[str, Any]

_COLUMNS: Final = frozenset(("specversion", "id", "source", "type", "subject", "time", "data"))
_PLAIN_TIME: Final = len("2026-11-20T10:12:00+08:00")
_TEXT: Final = "json"  # what no database keeps as it is: characters without a meaning, endless nesting


def beside(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Attributes of a body that fits which no column holds: extensions, and a time that was written another way."""
    found = {name: raw[name] for name in raw if name not in _COLUMNS}
    time = raw["time"]
    if len(time) != _PLAIN_TIME or not time.endswith("+08:00"):
        found["time"] = time
    return _storable(found) if found else None


def _storable(found: dict[str, Any]) -> dict[str, Any]:
    try:
        if unfit(found, "") is None:
            return found
        return {_TEXT: json.dumps(found, default=repr)}
    except RecursionError:
        return {_TEXT: json.dumps(dict.fromkeys(found, "…"))}


def body(row: Row) -> dict[str, Any]:
    """The CloudEvent of an inbox row."""
    more = dict(row["extra"] or {})
    if more.keys() == {_TEXT}:
        more = dict(json.loads(more[_TEXT]))
    time = more.pop("time", None) or row["time"].astimezone(BEIJING).isoformat()
    found = {"specversion": "1.0", "id": row["id"], "source": row["source"], "type": row["type"]}
    if row["no"]:
        found["subject"] = row["no"]
    return {**found, "time": time, **more, "data": row["data"]}
