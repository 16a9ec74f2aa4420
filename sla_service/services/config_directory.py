"""The directory file as the domain's value, with every name in it looked up."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.directory import DirectoryFile, RolesFile
from schemas.files import Document
from schemas.words import near
from sla_service.domain.directory import MAIN_HALL, Absence, Department, Directory, Hall, Person, same_name
from sla_service.domain.policy import Hours, Role

_HALL_ROLES = (Role.STATION_CHIEF, Role.BUREAU_LEADER, Role.JOINT_COMMITTEE, Role.DUTY)


def load(document: Document) -> Directory:
    """The directory; FileProblems names each line that points to nobody."""
    return from_file(document.load(DirectoryFile, check))


def from_file(file: DirectoryFile) -> Directory:
    halls = _halls(file)
    only = halls[0].id
    people = tuple(
        Person(p.id, p.name, tuple(p.aliases), p.phone, p.wecom, p.department, p.hall or only) for p in file.people
    )
    return Directory(
        people=people,
        departments=tuple(Department(d.id, d.head, d.leader, d.hall or only, d.calendar) for d in file.departments),
        roles={(r.hall or only, role): ids for r in file.roles for role, ids in _held(r)},
        absences=tuple(Absence(a.who, a.by, a.first, a.last) for a in file.absences),
        halls=halls,
    )


def _halls(file: DirectoryFile) -> tuple[Hall, ...]:
    """``main`` comes first where it is listed, else the first; without any there is ``main`` alone."""
    listed = [
        Hall(h.id, h.name or h.id, h.calendar, Hours(h.hours.open, h.hours.close) if h.hours else None, h.policy)
        for h in file.halls
    ]
    return tuple(sorted(listed, key=lambda h: h.id != MAIN_HALL)) or (Hall(MAIN_HALL),)


def _held(roles: RolesFile) -> list[tuple[str, tuple[str, ...]]]:
    every = ((role.value, getattr(roles, role)) for role in _HALL_ROLES)
    return [(role, tuple(ids)) for role, ids in every if ids]


def check(document: Document, file: DirectoryFile) -> None:
    """What refers to something has to find it."""
    _Check(document, file).run()


class _Check:
    def __init__(self, document: Document, file: DirectoryFile) -> None:
        self.document, self.file = document, file
        self.halls = [h.id for h in file.halls] or [MAIN_HALL]
        self.people = {p.id: p for p in file.people}
        self.default = MAIN_HALL if MAIN_HALL in self.halls else self.halls[0]
        self.departments: dict[str, list[str]] = {}
        for department in file.departments:
            self.departments.setdefault(department.hall or self.default, []).append(department.id)

    def run(self) -> None:
        self._once("halls", (h.id for h in self.file.halls), "厅")
        self._people()
        self._departments()
        self._roles()
        self._absences()

    def _complain(self, loc: tuple[str | int, ...], text: str) -> None:
        self.document.complain(loc, text)

    def _people(self) -> None:
        self._once("people", (p.id for p in self.file.people), "人员编号")
        keys: dict[tuple[str, str], str] = {}
        for i, person in enumerate(self.file.people):
            hall = self._hall(("people", i), person.hall)
            for alias in (person.id, *person.aliases):
                other = keys.setdefault((hall, same_name(alias)), person.id)
                if other != person.id:
                    self._complain(("people", i), f"{person.name}的编号或别名 {alias} 和 {other} 的重复，分不清是谁。")
            known = self.departments.get(hall, [])
            if person.department is not None and person.department not in known:
                self._unknown(("people", i, "department"), "科室", person.department, known)

    def _departments(self) -> None:
        seen: set[tuple[str, str]] = set()
        for i, department in enumerate(self.file.departments):
            hall = self._hall(("departments", i), department.hall)
            if (hall, same_name(department.id)) in seen:
                self._complain(("departments", i), f"科室 {department.id} 写了两次。")
            seen.add((hall, same_name(department.id)))
            for post in ("head", "leader"):
                self._person(("departments", i, post), getattr(department, post), hall)

    def _roles(self) -> None:
        single = isinstance(self.document.data, dict) and isinstance(self.document.data.get("roles"), dict)
        seen: set[str] = set()
        for i, roles in enumerate(self.file.roles):
            loc: tuple[str | int, ...] = ("roles",) if single else ("roles", i)
            hall = self._hall(loc, roles.hall)
            if hall in seen:
                self._complain(loc, f"厅 {hall} 的岗位写了两处，请合在一起。")
            seen.add(hall)
            for role, ids in _held(roles):
                for id_ in ids:
                    self._person((*loc, role), id_, hall)

    def _absences(self) -> None:
        for i, absence in enumerate(self.file.absences):
            loc = ("absences", i)
            for name in ("who", "by"):
                self._person((*loc, name), getattr(absence, name), None)
            if absence.who == absence.by:
                self._complain((*loc, "by"), f"{absence.who} 不能自己代自己。")
            if absence.first > absence.last:
                self._complain((*loc, "to"), f"to 要不早于 from，现在是 {absence.first} 到 {absence.last}。")
            for earlier in self.file.absences[:i]:
                if earlier.who == absence.who and earlier.first <= absence.last and absence.first <= earlier.last:
                    self._complain(
                        loc, f"{absence.who} 在 {earlier.first} 到 {earlier.last} 已有人代班，日期不能重叠。"
                    )

    def _hall(self, loc: tuple[str | int, ...], hall: str | None) -> str:
        if hall is None and len(self.halls) > 1 and MAIN_HALL not in self.halls:
            self._complain(loc, f"有多个厅，要写明 hall（{'、'.join(self.halls[:5])} 等）。")
        elif hall is not None and hall not in self.halls:
            self._unknown((*loc, "hall"), "厅", hall, self.halls)
        return hall or self.default

    def _person(self, loc: tuple[str | int, ...], id_: str | None, hall: str | None) -> None:
        if id_ is None or (id_ in self.people and hall is None):
            return
        person = self.people.get(id_)
        if person is None:
            meant = next((p.id for p in self.file.people if id_ == p.name or id_ in p.aliases), None)
            self._unknown(loc, "人员编号", id_, [meant] if meant else self.people, sure=meant)
        elif hall is not None and (person.hall or self.default) != hall:
            self._complain(loc, f"{id_} 是厅 {person.hall or self.default} 的人，不能用在厅 {hall}。")

    def _unknown(
        self, loc: tuple[str | int, ...], what: str, word: str, known: Iterable[str], *, sure: str | None = None
    ) -> None:
        guess = sure or near(word, known)
        self._complain(loc, f"没有{what} {word}" + (f"，是不是 {guess}？" if guess else "，请先把它写进来。"))

    def _once(self, section: str, ids: Iterable[str], what: str) -> None:
        seen: set[str] = set()
        for i, id_ in enumerate(ids):
            if id_ in seen:
                self._complain((section, i), f"{what} {id_} 写了两次。")
            seen.add(id_)
