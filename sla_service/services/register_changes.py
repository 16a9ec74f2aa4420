"""Tonight's export against yesterday's: what a row of a register says anew, as events.

A register shows each case as it stands; a handler who changed is another word in the same cell. So what its row said
last is kept (``store.registers``), and what differs becomes an event of its own: reassigned, classified, paused again,
resumed, closed, answered; a correction of the acceptance or of a closing takes the old event back first. Their ids hold
the time at which the file was written, so the same file makes the same events, and a row that says what it said before
makes none. A cell that has been emptied takes nothing back: registers leave cells empty for many reasons. An applicant
alone makes no difference either, and nothing of him is kept here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sla_service.domain.policy import BEIJING
from sla_service.services.register_events import Made

Row = Mapping[str, Any]
Raw = Mapping[str, Any]

_HOLDER: Final = ("department", "handler")
_KIND: Final = ("kind", "limit_days", "reason", "applicant_informed_at")
_BASE: Final = ("title", "matter", "wanted_by")
_MOST: Final = 20  # rows of one case in one file that are told apart


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent for a row, how many of its events say nothing new, and what is kept of it for tomorrow.

    ``outdated``: it says otherwise, but in a file older than the one that was read last.
    """

    events: tuple[Made, ...]
    unchanged: int
    row: Row
    outdated: bool = False


def plan(made: Sequence[Made], old: Row | None, as_of: datetime, *, closed: bool) -> Plan:
    """``made`` are the events of a row by itself, the acceptance first; ``old`` is what is kept of its case.

    ``as_of``: when the file was written. ``closed``: whether the case is closed as it stands; a closing at another time
    is then a correction, else the end of another round.
    """
    first = made[0].raw
    source, no, mark = first["source"], first["subject"], _mark(made)
    if old is None:
        said = _said(made)
        row = {"source": source, "no": no, "as_of": as_of, "seen": [mark], "before": [], "said": said}
        return Plan(tuple(made), 0, row)
    if as_of < old["as_of"]:  # an older file has nothing to say about what a newer one has said
        return Plan((), len(made), old, outdated=mark not in old["seen"])
    same = as_of == old["as_of"]
    before, seen = (old["before"], old["seen"]) if same else (old["seen"], [])
    row = {**old, "as_of": as_of, "before": before, "seen": [*seen, mark][-_MOST:] if mark not in seen else seen}
    if mark in before or mark in seen:
        return Plan((), len(made), row)
    difference = _Difference(made, old["said"], as_of, closed=closed)
    events = tuple(difference.events())
    return Plan(events, max(len(made) - len(events), 0), {**row, "said": difference.said})


def stamp(as_of: datetime) -> str:
    """``20261121T180000``: what the ids of differences end in."""
    text = f"{as_of.astimezone(BEIJING):%Y%m%dT%H%M%S.%f}"
    return text.rstrip("0").rstrip(".")


def _mark(made: Sequence[Made]) -> str:
    """A short hash of everything in a row but the applicant."""
    told = [(m.raw["type"], m.raw["time"], {**m.raw["data"], "applicant": None}) for m in made]
    return _hash(told)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def _by_type(made: Sequence[Made]) -> dict[str, Made]:
    return {m.raw["type"].removeprefix("case."): m for m in made}


def _said(made: Sequence[Made]) -> dict[str, Any]:
    """What a row that nobody knew came to."""
    found = _by_type(made)
    accepted = found["accepted"].raw
    data = accepted["data"]
    said: dict[str, Any] = {
        "accepted": accepted["id"],
        "base": _base(accepted),
        "first": {k: data[k] for k in (*_HOLDER, *_KIND) if k in data},
        "holder": [data.get(k) for k in _HOLDER],
        "kind": [data.get(k) for k in _KIND],
    }
    for what in ("paused", "resumed", "closed"):
        if what in found:
            said[what] = _event(found[what].raw)
    answered = next((found[w].raw["data"].get("replied_at") for w in ("closed", "replied") if w in found), None)
    if answered:
        said["replied"] = answered
    if "replied" in found:
        said["answered"] = True  # the plain id of an answer is used
    return said


def _base(accepted: Raw) -> str:
    return _hash([accepted["time"], *(accepted["data"].get(k) for k in _BASE)])


def _event(raw: Raw) -> dict[str, Any]:
    data = raw["data"]
    return {"id": raw["id"], "time": raw["time"], "word": data.get("outcome") or data.get("reason")}


class _Difference:
    """The events between what a row said last and what it says now. ``said`` is what it has said then."""

    def __init__(self, made: Sequence[Made], said: Mapping[str, Any], as_of: datetime, *, closed: bool) -> None:
        self.new, self.said, self.is_closed = _by_type(made), dict(said), closed
        self.accepted = self.new["accepted"].raw
        self.no, self.stamp = self.accepted["subject"], stamp(as_of)
        self.out: list[Made] = []
        self.at = self._instant(as_of)

    def events(self) -> list[Made]:
        self._acceptance()
        self._holder()
        self._kind()
        self._pauses()
        self._closing()
        self._answer()
        return self.out

    def _instant(self, as_of: datetime) -> str:
        """When a change counts for which the register has no column: when the file was written.

        Never before the acceptance, and before a closing in the same row, which would else come first.
        """
        at = max(as_of.astimezone(BEIJING), datetime.fromisoformat(self.accepted["time"]).astimezone(BEIJING))
        if "closed" in self.new:
            at = min(at, datetime.fromisoformat(self.new["closed"].raw["time"]).astimezone(BEIJING))
        return at.isoformat()

    def _add(self, what: str, time: str, data: Mapping[str, Any], *, plain: bool = False, later: bool = False) -> str:
        event_id = f"{self.no}/{what}" if plain else f"{self.no}/{what}/{self.stamp}"
        type_ = "event.voided" if what.startswith("voided") else f"case.{what}"
        self.out.append(Made({**self.accepted, "id": event_id, "type": type_, "time": time, "data": dict(data)}, later))
        return event_id

    def _void(self, event_id: str, what: str) -> None:
        """Takes an event back. What it was stands in the void's id, since one file may take back several."""
        self._add(f"voided/{what}", self.at, {"event_id": event_id, "reason": "台账里改了"})

    def _acceptance(self) -> None:
        base = _base(self.accepted)
        if base == self.said["base"]:
            return
        self._void(self.said["accepted"], "accepted")
        kept = {k: v for k, v in self.accepted["data"].items() if k not in (*_HOLDER, *_KIND)}
        data = {**kept, **self.said["first"]}  # who held it first, and as what it came in, stays as it was
        self.said["accepted"] = self._add("accepted", self.accepted["time"], data)
        self.said["base"] = base

    def _holder(self) -> None:
        data = {k: self.accepted["data"][k] for k in _HOLDER if self.accepted["data"].get(k)}
        old = dict(zip(_HOLDER, self.said["holder"], strict=True))
        if all(old[k] == v for k, v in data.items()):
            return
        self._add("assigned", self.at, data)
        moved = "department" in data and data["department"] != old["department"]
        handler = data.get("handler") or (None if moved else old["handler"])
        self.said["holder"] = [data.get("department") or old["department"], handler]

    def _kind(self) -> None:
        data = {k: self.accepted["data"][k] for k in _KIND if self.accepted["data"].get(k)}
        old = dict(zip(_KIND, self.said["kind"], strict=True))
        if "kind" not in data or all(old[k] == v for k, v in data.items()):
            return
        self._add("classified", self.at, data)
        self.said["kind"] = [data.get(k) for k in _KIND]

    def _pauses(self) -> None:
        """A pause at another time is a second one if the first has ended before it, else a correction."""
        for what, other in (("paused", "resumed"), ("resumed", "paused")):
            if what not in self.new:
                continue
            raw, old, between = self.new[what].raw, self.said.get(what), self.said.get(other)
            if old is not None and (old["time"], old["word"]) == (raw["time"], raw["data"].get("reason")):
                continue
            if old is not None and not (between and old["time"] <= between["time"] <= raw["time"]):
                self._void(old["id"], what)
            event_id = self._add(what, raw["time"], raw["data"], plain=old is None)
            self.said[what] = {**_event(raw), "id": event_id}

    def _closing(self) -> None:
        if "closed" not in self.new:
            return
        made, old = self.new["closed"], self.said.get("closed")
        raw = made.raw
        if old is not None and (old["time"], old["word"]) == (raw["time"], raw["data"]["outcome"]):
            return
        if old is not None and self.is_closed:
            self._void(old["id"], "closed")
        event_id = self._add("closed", raw["time"], raw["data"], plain=old is None, later=made.later_today)
        self.said["closed"] = {**_event(raw), "id": event_id}
        if raw["data"].get("replied_at"):
            self.said["replied"] = raw["data"]["replied_at"]

    def _answer(self) -> None:
        """An answer that has come since; with a closing that is sent now it stands in that event."""
        closed = self.new.get("closed")
        answer = closed.answer if closed is not None else self.new.get("replied")
        if answer is None or answer.raw["data"].get("replied_at") == self.said.get("replied"):
            return
        told = answer.raw["data"]
        self._add("replied", answer.raw["time"], told, plain="answered" not in self.said, later=answer.later_today)
        self.said |= {"replied": told.get("replied_at"), "answered": True}
