"""What every use case needs: settings, database, configuration, calendars, and the policies cases were opened under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from sla_service.domain.calendar import Calendar
from sla_service.domain.people import MAIN_CALENDAR
from sla_service.domain.policy import Policy
from sla_service.services.channels import Channels
from sla_service.services.config import Config, policy_from_dict
from sla_service.settings import Settings
from sla_service.store import versions
from sla_service.store.engine import Database


@dataclass(frozen=True, slots=True)
class Change:
    """The version of a calendar that is in force, and what made it so. ``seq`` numbers the changes of all calendars."""

    calendar: Calendar
    seq: int = 0
    reason: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Calendars:
    """The calendars in force by name, and all others by version: a closed case is judged under the one it had.

    ``current`` is the one of halls that name none. Kept up to date by ``services.calendar_force``.
    """

    current: Calendar
    load: Callable[[str], Calendar | None] = lambda _version: None
    seen: int = 0  # the last change taken up
    changes: Mapping[str, Change] = field(default_factory=dict)
    _known: dict[str, Calendar] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, version: str | None) -> Calendar:
        """The calendar of that version; the current one for None or a version that nobody kept."""
        if version is None or version == self.current.version:
            return self.current
        if version not in self._known:
            self._known[version] = self.load(version) or self.current
        return self._known[version]

    def change(self, name: str) -> Change:
        """What is in force under that name; a calendar without layers of its own is the main one."""
        found = self.changes.get(name) or self.changes.get(MAIN_CALENDAR)
        return found or Change(self.current)

    def take_up(self, seq: int, changes: Mapping[str, Change]) -> None:
        """Puts newer versions in force; what is older than those already taken up is left alone."""
        with self._lock:
            if seq <= self.seen:
                return
            self._known |= {change.calendar.version: change.calendar for change in changes.values()}
            self.changes, self.seen = changes, seq
            self.current = changes[MAIN_CALENDAR].calendar


@dataclass(slots=True)
class App:
    """Built once per process by ``bootstrap``; safe to share between threads."""

    settings: Settings
    db: Database
    config: Config
    calendars: Calendars
    channels: Channels
    link_key: str | None = field(default=None, repr=False)  # what signs links, once it is known (services.links)
    _policies: dict[str, Policy] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def calendar(self, hall: str = "main", department: str | None = None) -> Calendar:
        """The calendar in force for a department of a hall."""
        return self.change(hall, department).calendar

    def calendar_of(self, row: Mapping[str, Any]) -> Calendar:
        """The calendar in force for a case's row."""
        return self.change(row["hall"], row["department"]).calendar

    def change(self, hall: str = "main", department: str | None = None) -> Change:
        """The calendar in force for a department of a hall, and since which change."""
        return self.calendars.change(self.calendar_name(hall, department))

    def calendar_name(self, hall: str, department: str | None = None) -> str:
        """The name of the calendar as the directory has it: the department's own, else the hall's, else the main one.

        A case goes by the department that has it now (docs/adr/0006-department-calendar.md).
        """
        return self.config.directory.calendar_name(hall, department)

    def calendar_names(self) -> list[str]:
        """Calendars that halls and departments count by."""
        directory = self.config.directory
        halls = {self.calendar_name(hall.id) for hall in directory.halls}
        return sorted(halls | {d.calendar for d in directory.departments if d.calendar})

    def current_policy(self, hall: str = "main") -> Policy:
        """The policy for new cases of a hall."""
        return self.config.policy_of(hall)

    def policy(self, version: str | None, hall: str = "main") -> Policy:
        """The policy a case was opened under; the hall's current one for None."""
        current = self.current_policy(hall)
        if version is None or version == current.version:
            return current
        with self._lock:
            if version not in self._policies:
                with self.db.read() as conn:
                    content = versions.policy(conn, version)
                self._policies[version] = policy_from_dict(content) if content is not None else current
            return self._policies[version]
