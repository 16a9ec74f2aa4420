"""Who may see which cases: the roles of the pages' accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sla_service.domain.directory import Directory
from sla_service.domain.people import Person
from sla_service.domain.policy import Role

#: Whoever holds one of these sees the whole hall.
_OF_THE_HALL = (Role.STATION_CHIEF, Role.BUREAU_LEADER, Role.JOINT_COMMITTEE, Role.DUTY)


class Access(StrEnum):
    """A ``viewer`` sees his hall, ``staff`` their own cases, a ``leader`` his departments; an ``admin`` everything."""

    VIEWER = "viewer"
    STAFF = "staff"
    LEADER = "leader"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases: those of ``hall`` (None: all halls), and if ``bounded`` only those named by the rest.

    A case belongs to a department by its own, and only where it has none by its handler's.
    """

    hall: str | None = None
    bounded: bool = False
    handlers: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    members: tuple[str, ...] = ()  # handlers of those departments

    def sees(self, case: Mapping[str, Any]) -> bool:
        """Of a case row; ``store.queries`` says the same in SQL, and a test holds the two equal."""
        if self.hall is not None and case["hall"] != self.hall:
            return False
        if not self.bounded or case["handler"] in self.handlers:
            return True
        if case["department"] is not None:
            return case["department"] in self.departments
        return case["handler"] in self.members


EVERYTHING = Scope()


def scope_of(access: Access, hall: str | None, person: Person | None, directory: Directory) -> Scope:
    """What an account may see. Staff and leaders who stand no longer in the directory see nothing."""
    if access is Access.ADMIN:
        return EVERYTHING
    if access is Access.VIEWER:
        return Scope(hall)
    if person is None:
        return Scope(hall, bounded=True)
    names = _names(person)
    if access is Access.STAFF:
        return Scope(person.hall, bounded=True, handlers=names)
    if any(person.id in directory.roles.get((person.hall, role), ()) for role in _OF_THE_HALL):
        return Scope(person.hall)
    led = tuple(d.id for d in directory.departments if d.hall == person.hall and person.id in (d.head, d.leader))
    people = (p for p in directory.people if p.hall == person.hall and p.department in led)
    return Scope(person.hall, True, names, led, tuple(name for p in people for name in _names(p)))


def _names(person: Person) -> tuple[str, ...]:
    """As case systems may write him."""
    return (person.id, person.name, *person.aliases)
