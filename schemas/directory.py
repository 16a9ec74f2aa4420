"""``directory.yaml``: people, departments, roles, absences and halls, as people write them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from schemas.files import FileModel
from schemas.policy import HoursFile
from schemas.values import Day, Word, Words, one_or_many

HallRole = Literal["station_chief", "bureau_leader", "joint_committee", "duty"]


class PersonFile(FileModel):
    """One member of staff."""

    id: Word
    name: Word
    aliases: Annotated[list[Word], BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word])] = Field(
        default_factory=list
    )
    phone: Annotated[str, Field(max_length=30)] | None = None
    wecom: Word | None = None
    department: Word | None = None
    hall: Word | None = None


class DepartmentFile(FileModel):
    """``head`` is the section head, ``leader`` the bureau leader, both by id; ``calendar`` instead of the hall's."""

    id: Word
    head: Word | None = None
    leader: Word | None = None
    hall: Word | None = None
    calendar: Word | None = None


class RolesFile(FileModel):
    """Roles of one whole hall, each a list of ids."""

    hall: Word | None = None
    station_chief: Words | None = None
    bureau_leader: Words | None = None
    joint_committee: Words | None = None
    duty: Words | None = None


class AbsenceFile(FileModel):
    """``by`` stands in for ``who``, both ends included."""

    who: Word
    by: Word
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


class HallFile(FileModel):
    """A hall with what it has of its own; ``policy`` is a file beside policy.yaml."""

    id: Word
    name: Word | None = None
    calendar: Word | None = None
    hours: HoursFile | None = None
    policy: Word | None = None


def _one_hall(value: object) -> object:
    """A single hall's roles need no list."""
    return [value] if isinstance(value, dict) else value


class DirectoryFile(FileModel):
    """The whole file."""

    halls: list[HallFile] = Field(default_factory=list)
    people: list[PersonFile] = Field(default_factory=list)
    departments: list[DepartmentFile] = Field(default_factory=list)
    roles: Annotated[
        list[RolesFile], BeforeValidator(_one_hall, json_schema_input_type=RolesFile | list[RolesFile])
    ] = Field(default_factory=list)
    absences: list[AbsenceFile] = Field(default_factory=list)
