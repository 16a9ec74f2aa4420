"""What every use case needs: settings, database, configuration, calendars, and the policies cases were opened under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sla_service.domain.calendar import Calendar
from sla_service.domain.policy import Policy
from sla_service.services.channels import Channels
from sla_service.services.config import Config, policy_from_dict
from sla_service.settings import Settings
from sla_service.store import versions
from sla_service.store.engine import Database


@dataclass(slots=True)
class Calendars:
    """The calendars by version. ``current`` is the one in force; a closed case is judged under the one it had."""

    current: Calendar
    load: Callable[[str], Calendar | None] = lambda _version: None
    _known: dict[str, Calendar] = field(default_factory=dict)

    def of(self, version: str | None) -> Calendar:
        """The calendar of that version; the current one for None or a version that nobody kept."""
        if version is None or version == self.current.version:
            return self.current
        if version not in self._known:
            self._known[version] = self.load(version) or self.current
        return self._known[version]


@dataclass(slots=True)
class App:
    """Built once per process by ``bootstrap``; safe to share between threads."""

    settings: Settings
    db: Database
    config: Config
    calendars: Calendars
    channels: Channels
    _policies: dict[str, Policy] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def calendar(self, hall: str = "main") -> Calendar:  # noqa: ARG002 (a hall may get its own)
        return self.calendars.current

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
