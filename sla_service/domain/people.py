"""Who and what a directory is made of: people, departments, absences, halls."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date

from sla_service.domain.policy import Hours

MAIN_HALL = "main"

#: The calendar of halls and departments that name none.
MAIN_CALENDAR = "main"


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff. ``aliases`` are other names that case systems use for him (staff numbers)."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    phone: str | None = field(default=None, repr=False)
    wecom: str | None = field(default=None, repr=False)
    department: str | None = None
    hall: str = MAIN_HALL


@dataclass(frozen=True, slots=True)
class Department:
    """``head`` is its section head, ``leader`` its bureau leader, both by id; ``id`` is unique in its hall.

    ``calendar`` is the name of a working calendar of its own, None for the hall's.
    """

    id: str
    head: str | None = None
    leader: str | None = None
    hall: str = MAIN_HALL
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """``by`` stands in for ``who`` (ids) from ``first`` to ``last``, both included."""

    who: str
    by: str
    first: date
    last: date

    def covers(self, on: date) -> bool:
        return self.first <= on <= self.last


@dataclass(frozen=True, slots=True)
class Hall:
    """A service hall. ``calendar`` and ``policy`` are names, None for those of the whole service."""

    id: str
    name: str = ""
    calendar: str | None = None
    hours: Hours | None = None
    policy: str | None = None


def same_name(text: str) -> str:
    """The form in which names are compared: width, case and blanks (张　三) make no difference."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
