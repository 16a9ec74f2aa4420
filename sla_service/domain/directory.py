"""Who works where, who stands in for whom, and who is told: people, departments, roles, absences of the halls.

A role that has nobody falls to somebody else, and each fall is said: an alert never vanishes for want of a
recipient. Everything here is bounded by the hall, but for the ids of people, which are unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sla_service.domain.people import MAIN_CALENDAR, MAIN_HALL, Absence, Department, Hall, Person, same_name
from sla_service.domain.policy import Role

__all__ = [
    "MAIN_HALL",
    "ROLE_WORDS",
    "Absence",
    "Department",
    "Directory",
    "Fall",
    "Hall",
    "Person",
    "Receivers",
    "same_name",
]

ROLE_WORDS: Mapping[str, str] = {
    Role.HANDLER: "承办人",
    Role.SECTION_HEAD: "科长",
    Role.STATION_CHIEF: "站长",
    Role.BUREAU_LEADER: "局长",
    Role.JOINT_COMMITTEE: "联合党委",
    Role.DUTY: "值班员",
}

#: From the breach on: the next role up, and at the very top whoever is on duty.
_UP = tuple(ROLE_WORDS)


@dataclass(frozen=True, slots=True)
class Fall:
    """Why somebody else was told; ``code`` is fixed, ``text`` is for people. Becomes a finding of the case."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who is told, each with the role that he is told in, and every fall on the way; empty if there is nobody."""

    people: tuple[tuple[Person, str], ...]
    fell: tuple[Fall, ...] = ()


@dataclass(frozen=True)
class Directory:
    """Everybody, with look-ups made once. ``roles`` maps (hall, role) to ids."""

    people: tuple[Person, ...] = ()
    departments: tuple[Department, ...] = ()
    roles: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    absences: tuple[Absence, ...] = ()
    halls: tuple[Hall, ...] = (Hall(MAIN_HALL),)
    _by_id: Mapping[str, Person] = field(init=False, repr=False, compare=False)
    _by_key: Mapping[tuple[str, str], Person] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[tuple[str, str], tuple[Person, ...]] = field(init=False, repr=False, compare=False)
    _departments: Mapping[tuple[str, str], Department] = field(init=False, repr=False, compare=False)
    _absences: Mapping[str, tuple[Absence, ...]] = field(init=False, repr=False, compare=False)
    _own_calendars: Mapping[tuple[str, str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys: dict[tuple[str, str], Person] = {}
        names: dict[tuple[str, str], tuple[Person, ...]] = {}
        for person in self.people:
            for alias in (person.id, *person.aliases):
                keys.setdefault((person.hall, same_name(alias)), person)
            name = (person.hall, same_name(person.name))
            names[name] = (*names.get(name, ()), person)
        away: dict[str, tuple[Absence, ...]] = {}
        for absence in self.absences:
            away[absence.who] = (*away.get(absence.who, ()), absence)
        made = {
            "_by_id": {p.id: p for p in self.people},
            "_by_key": keys,
            "_by_name": names,
            "_departments": {(d.hall, same_name(d.id)): d for d in self.departments},
            "_absences": away,
            "_own_calendars": {(d.hall, same_name(d.id)): d.calendar for d in self.departments if d.calendar},
        }
        for attribute, value in made.items():
            object.__setattr__(self, attribute, value)

    def person(self, id_: str) -> Person | None:
        """By exact id, in any hall."""
        return self._by_id.get(id_)

    def hall(self, id_: str) -> Hall | None:
        for hall in self.halls:
            if hall.id == id_:
                return hall
        return None

    def calendar_name(self, hall: str, department: str | None = None) -> str:
        """The name of the calendar that a case counts by: its department's own, else the hall's, else the main one."""
        if department and self._own_calendars:
            own = self._own_calendars.get((hall, same_name(department)))
            if own is not None:
                return own
        found = self.hall(hall)
        return (found.calendar if found else None) or MAIN_CALENDAR

    def mixed_halls(self) -> frozenset[str]:
        """Halls of which some department has a calendar of its own."""
        return frozenset(hall for hall, _ in self._own_calendars)

    def department(self, id_: str | None, hall: str = MAIN_HALL) -> Department | None:
        return self._departments.get((hall, same_name(id_))) if id_ else None

    def matches(self, who: str, department: str | None = None, hall: str = MAIN_HALL) -> tuple[Person, ...]:
        """Everybody that ``who`` can mean: the one with that id or alias, else those with that name.

        Of several with one name those of ``department`` come first, and alone if there are any.
        """
        key = (hall, same_name(who))
        if not key[1]:
            return ()
        if key in self._by_key:
            return (self._by_key[key],)
        found = self._by_name.get(key, ())
        if len(found) > 1 and department:
            own = same_name(department)
            near = tuple(p for p in found if p.department and same_name(p.department) == own)
            return near or found
        return found

    def find(self, who: str, department: str | None = None, hall: str = MAIN_HALL) -> Person | None:
        """The one person that ``who`` (id, alias or name) means; None if nobody, or if it could be several."""
        found = self.matches(who, department, hall)
        return found[0] if len(found) == 1 else None

    def substitute(self, person: Person, on: date) -> Person:
        """Who acts for ``person`` on that day, through chains; himself if present or if the chain is a circle."""
        return self._acting(person, on)[0]

    def _acting(self, person: Person, on: date) -> tuple[Person, bool]:
        """The acting person, and whether the substitutes go in a circle (all of them are away)."""
        acting, seen = person, {person.id}
        while True:
            away = next((a for a in self._absences.get(acting.id, ()) if a.covers(on)), None)
            by = self._by_id.get(away.by) if away is not None else None
            if by is None:
                return acting, False
            if by.id in seen:
                return person, True
            seen.add(by.id)
            acting = by

    def in_circle(self, person: Person, on: date) -> bool:
        """Do those who stand in for ``person`` on that day stand in for each other?"""
        return self._acting(person, on)[1]

    def circles(self) -> tuple[tuple[Absence, date], ...]:
        """Absences whose substitutes go in a circle, each with the first day of it that was found."""
        found = []
        days = sorted({a.first for a in self.absences})
        for absence in self.absences:
            person = self._by_id.get(absence.who)
            first = next((d for d in days if absence.covers(d) and person and self._acting(person, d)[1]), None)
            if first is not None:
                found.append((absence, first))
        return tuple(found)

    def holders(self, role: str, department: Department | None, hall: str = MAIN_HALL) -> tuple[Person, ...]:
        """Who holds a role above the handler, absent or not. A department's own leader comes before the hall's."""
        if role == Role.SECTION_HEAD:
            ids: Iterable[str | None] = (department.head,) if department else ()
        elif role == Role.BUREAU_LEADER and department and department.leader:
            ids = (department.leader,)
        else:
            ids = self.roles.get((hall, role), ())
        return tuple(p for p in (self._by_id.get(i) for i in ids if i) if p is not None)

    def receivers(
        self,
        role: str,
        *,
        handler: str | None,
        department: str | None,
        hall: str = MAIN_HALL,
        on: date,
        before_breach: bool,
    ) -> Receivers:
        """Who is told what is addressed to ``role``, on the day ``on``.

        ``handler`` (id, alias or name) and ``department`` are the case's. Before the breach a role without a person
        falls to the section head, then to whoever is on duty, never higher; from the breach on to the next role up.
        Nobody receives, in a higher role, a case of his own.
        """
        return _Search(self, handler, department, hall, on).run(role, before_breach=before_breach)


class _Search:
    """One question to the directory, with the falls noted on the way."""

    def __init__(self, directory: Directory, who: str | None, department: str | None, hall: str, on: date) -> None:
        self.directory, self.who, self.hall, self.on = directory, who, hall, on
        self.fell: list[Fall] = []
        self.matched = directory.matches(who, department, hall) if who else ()
        self.handler = self.matched[0] if len(self.matched) == 1 else None
        self.named = department
        own = self.handler.department if self.handler else None
        self.department = directory.department(department, hall) or directory.department(own, hall)

    def run(self, role: str, *, before_breach: bool) -> Receivers:
        for one in _order(role, before_breach=before_breach):
            people = self._people(one)
            if people:
                return Receivers(tuple((p, one) for p in people), tuple(self._told(people[0], one, role)))
        told = "、".join(dict.fromkeys(ROLE_WORDS.get(r, r) for r in _order(role, before_breach=before_breach)))
        return Receivers((), (*self.fell, Fall("no_receiver", f"{told}都没有人可通知，请补全通讯录")))

    def _told(self, person: Person, as_role: str, asked: str) -> Iterator[Fall]:
        if as_role == asked:
            yield from self.fell
            return
        for fall in self.fell:
            yield Fall(fall.code, f"{fall.text}，改为通知{ROLE_WORDS.get(as_role, as_role)}{person.name}")

    def _people(self, role: str) -> list[Person]:
        acting: dict[str, Person] = {}
        own: list[str] = []
        for holder in self._holders(role):
            person, circle = self.directory._acting(holder, self.on)  # noqa: SLF001 (one room)
            if circle:
                self.fell.append(Fall("substitute_circle", f"{holder.name}的代班人互相代班，仍通知本人"))
            if role != Role.HANDLER and self.handler is not None and person.id == self.handler.id:
                own.append(person.name if person.id == holder.id else f"{holder.name}的代班人{person.name}")
            else:
                acting[person.id] = person
        if own and not acting:
            self.fell.append(Fall("own_case", f"{ROLE_WORDS.get(role, role)}{own[0]}就是本件的承办人"))
        return list(acting.values())

    def _holders(self, role: str) -> tuple[Person, ...]:
        if role == Role.HANDLER:
            if self.handler is not None:
                return (self.handler,)
            self.fell.append(self._why_no_handler())
            return ()
        holders = self.directory.holders(role, self.department, self.hall)
        if not holders:
            self.fell.append(Fall("role_empty", self._why_empty(role)))
        return holders

    def _why_no_handler(self) -> Fall:
        if not self.who or not self.who.strip():
            return Fall("no_handler", "本件没有承办人")
        if self.matched:
            return Fall("handler_ambiguous", f"通讯录里有 {len(self.matched)} 个“{self.who}”，分不清是谁")
        return Fall("handler_unknown", f"通讯录里没有承办人“{self.who}”")

    def _why_empty(self, role: str) -> str:
        word = ROLE_WORDS.get(role, role)
        if role != Role.SECTION_HEAD:
            return f"通讯录里没有{word}"
        if self.department is not None:
            return f"{self.department.id}没有{word}"
        return f"通讯录里没有科室“{self.named}”" if self.named else f"本件没有科室，找不到{word}"


def _order(role: str, *, before_breach: bool) -> tuple[str, ...]:
    """The roles to try, the asked one first."""
    if before_breach:
        return tuple(dict.fromkeys((role, *((Role.SECTION_HEAD,) if role == Role.HANDLER else ()), Role.DUTY)))
    if role == Role.DUTY:  # stands beside the section head
        return (role, *_UP[2:-1])
    return _UP[_UP.index(Role(role)) :] if role in _UP else (role, Role.DUTY)
