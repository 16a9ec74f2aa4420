"""One row of a register as the events of its case: accepted, paused, resumed, closed, replied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from sla_service.domain.clock import business_date
from sla_service.domain.policy import BEIJING, Hours, at_minute
from sla_service.services.register_cells import BadCell, Moment, moment, text, whole
from sla_service.services.register_map import FIELDS, WORDS, Layout, RegisterMap
from sla_service.services.register_sheets import SheetRow

#: Fields that stand in ``data`` as they are: field -> key there, by event.
_ACCEPTED = {"title": "title", "matter": "matter", "department": "department", "handler": "handler", "reason": "reason"}
_KINDS = frozenset(("simple", "complex", "special"))
_OUTCOMES = frozenset(("resolved", "explained", "transferred", "withdrawn"))
_NOT_WORDS = _KINDS | _OUTCOMES


class BadRow(ValueError):  # noqa: N818
    """A row that cannot become events: which column, and why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Made:
    """One event. ``later_today``: its instant is the close of business of a day alone, which may be still to come.

    ``answer``: the answer that a closing holds, as the event that it would be if it had come alone.
    """

    raw: Mapping[str, Any]
    later_today: bool = False
    answer: Made | None = None


class RowReader:
    """Turns rows of one table into events, always the same ones for the same row."""

    def __init__(self, layout: Layout, rules: RegisterMap, zone: tzinfo, hours: Hours, source: str) -> None:
        self.layout, self.rules, self.zone, self.hours, self.source = layout, rules, zone, hours, source
        self.words = {**WORDS, **rules.words}

    def events(self, row: SheetRow, *, now: datetime) -> list[Made]:
        """The events of a row; none for an empty one and for titles that are repeated. Raises BadRow."""
        cells = row.cells
        if row.empty or self.cell(cells, "no") == self.layout.titles["no"]:
            return []
        return list(_Row(self, cells, now).events())

    def cell(self, cells: list[Any], field: str) -> Any:
        at = self.layout.at.get(field)
        return cells[at] if at is not None and at < len(cells) else None


class _Row:
    def __init__(self, reader: RowReader, cells: list[Any], now: datetime) -> None:
        self.reader, self.cells, self.now = reader, cells, now
        self.no = self._text("no")
        if not self.no:
            raise BadRow(self._title("no"), f"{self._title('no')}是空的")

    def events(self) -> Iterator[Made]:
        accepted = self._moment("accepted")
        if accepted is None:
            raise BadRow(self._title("accepted"), f"{self._title('accepted')}是空的")
        yield self._made("accepted", accepted.at or at_minute(accepted.on, 0), self._accepted_data())
        paused, resumed = self._moment("paused"), self._moment("resumed")
        if paused is not None:
            reason = self._word("pause_reason", lambda w: w not in _NOT_WORDS, "挂起原因") or "other"
            yield self._made("paused", paused.at or at_minute(paused.on, 0), {"reason": reason})
        if resumed is not None:
            yield self._made("resumed", resumed.at or at_minute(resumed.on, 0), {})
        closed, replied = self._moment("closed"), self._moment("replied")
        told = {"replied_at": self._written(replied)} if replied is not None else {}
        if closed is not None:
            answer = self._replied(replied, told) if replied is not None else None
            yield self._closed(closed, told, answer)
        elif replied is not None:
            yield self._replied(replied, told)

    def _replied(self, replied: Moment, told: Mapping[str, Any]) -> Made:
        return self._made("replied", self._closing(replied), told, later=self._later(replied))

    def _closed(self, closed: Moment, told: dict[str, Any], answer: Made | None) -> Made:
        at = self._closing(closed)
        outcome = self._word("outcome", lambda w: w in _OUTCOMES, "办理结果") or self.reader.rules.outcome
        data: dict[str, Any] = {"outcome": outcome, **told}
        if self.reader.rules.replied == "closed":
            data.setdefault("replied_at", at.isoformat())
            told = {"replied_at": data["replied_at"]}
            answer = answer or self._made("replied", at, told, later=self._later(closed))
        if note := self._text("note"):
            data["note"] = note
        return replace(self._made("closed", at, data, later=self._later(closed)), answer=answer)

    def _accepted_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self._word("kind", lambda w: w in _KINDS, "类别")}
        data |= {key: self._text(field) for field, key in _ACCEPTED.items()}
        data["applicant"] = {
            k: v for k, v in (("name", self._text("applicant_name")), ("phone", self._text("applicant_phone"))) if v
        }
        data["limit_days"] = self._checked("limit_days", whole)
        for field, key in (("wanted_by", "wanted_by"), ("informed", "applicant_informed_at")):
            when = self._moment(field)
            data[key] = self._written(when) if when else None
        return {key: value for key, value in data.items() if value}

    # -- cells ----------------------------------------------------------------------------------------------

    def _title(self, field: str) -> str:
        return self.reader.layout.titles.get(field, FIELDS[field][0])

    def _checked(self, field: str, read: Callable[[Any], Any]) -> Any:
        cell = self.reader.cell(self.cells, field)
        try:
            return read(cell)
        except BadCell as e:
            title = self._title(field)
            raise BadRow(title, f"{title}：{e}") from None

    def _text(self, field: str) -> str:
        if field not in self.reader.layout.at:
            return ""
        found: str = self._checked(field, text)
        return found

    def _moment(self, field: str) -> Moment | None:
        if field not in self.reader.layout.at:
            return None
        found: Moment | None = self._checked(field, lambda cell: moment(cell, self.reader.zone))
        return found

    def _word(self, field: str, fits: Callable[[str], bool], what: str) -> str | None:
        """The fixed name that a cell's word means; None for an empty cell."""
        found = self._text(field)
        if not found:
            return None
        meaning = self.reader.words.get(found) or self.reader.words.get(found.casefold(), "")
        if not meaning or not fits(meaning):
            raise BadRow(self._title(field), f"{what}“{found[:40]}”不认识，请在映射文件的 words 里写明它是什么")
        return meaning

    # -- times ----------------------------------------------------------------------------------------------

    def _closing(self, when: Moment) -> datetime:
        """A day alone means its close of business."""
        return when.at or self.reader.hours.close_at(when.on)

    def _later(self, when: Moment) -> bool:
        return when.at is None and when.on == business_date(self.now)

    def _written(self, when: Moment) -> str:
        return when.at.isoformat() if when.at else when.on.isoformat()

    def _made(self, what: str, at: datetime, data: Mapping[str, Any], *, later: bool = False) -> Made:
        shown = at.astimezone(BEIJING) if at.tzinfo is None else at
        raw = {
            "specversion": "1.0",
            "id": f"{self.no}/{what}",
            "source": self.reader.source,
            "type": f"case.{what}",
            "subject": self.no,
            "time": shown.isoformat(),
            "data": dict(data),
        }
        return Made(raw, later)


def plain_row(row: SheetRow, layout: Layout) -> dict[str, Any]:
    """What stands in the columns that are used, by title: for the list of refused rows."""
    found: dict[str, Any] = {}
    for field, at in layout.at.items():
        value = row.cells[at] if at < len(row.cells) else None
        if value is not None and value != "":
            found[layout.titles[field]] = value if isinstance(value, str | int | float) else _shown(value)
    return found


def _shown(value: Any) -> str:
    return (
        value.isoformat(" ")
        if isinstance(value, datetime)
        else str(value.isoformat() if isinstance(value, date) else value)
    )
