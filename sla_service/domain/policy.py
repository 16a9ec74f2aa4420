"""The rules of one hall as frozen values: limits, hours, ladder, switches. No parsing, no defaults from files here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Literal

#: Business time. One fixed offset: the whole country keeps Beijing time and has had no summer time since 1991.
BEIJING = timezone(timedelta(hours=8), "+08:00")

DAY_MINUTES = 24 * 60


class Kind(StrEnum):
    SIMPLE = "simple"
    COMPLEX = "complex"
    SPECIAL = "special"


class Anchor(StrEnum):
    DUE = "due"
    BREACH = "breach"
    PAUSE_END = "pause_end"
    SHARE = "share"


class Role(StrEnum):
    """Who may be told, lowest first; from the breach on an empty role falls to the next one up."""

    HANDLER = "handler"
    SECTION_HEAD = "section_head"
    STATION_CHIEF = "station_chief"
    BUREAU_LEADER = "bureau_leader"
    JOINT_COMMITTEE = "joint_committee"
    DUTY = "duty"


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours in minutes after midnight, Beijing time; ``close`` may be 1440, the end of the day."""

    open: int = 8 * 60 + 30
    close: int = 17 * 60 + 30

    def open_at(self, day: date) -> datetime:
        return at_minute(day, self.open)

    def close_at(self, day: date) -> datetime:
        return at_minute(day, self.close)


def at_minute(day: date, minute: int) -> datetime:
    """The instant ``minute`` minutes after midnight of ``day`` in Beijing (1440: midnight of the next day)."""
    if minute >= DAY_MINUTES:
        day, minute = day + timedelta(days=1), minute - DAY_MINUTES
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=BEIJING)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder.

    ``key`` is the step as written ("due-1wd", "due-0wd 14:00", "50%"). ``offset`` is in working days, negative
    before the anchor. ``minute`` is the time of day, None for opening (for ``breach`` itself: the due instant).
    ``share`` is the used part of the limit, 0 to 1. ``repeat`` is in working days. Empty ``kinds`` or
    ``departments`` means all.
    """

    key: str
    anchor: Anchor
    to: tuple[str, ...]
    via: tuple[str, ...]
    offset: int = 0
    share: float = 0.0
    minute: int | None = None
    all: bool = False
    kinds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    repeat: int | None = None
    until: Literal["closed", "acknowledged"] = "closed"
    window: Literal["working_hours", "always"] | None = None

    @property
    def before_breach(self) -> bool:
        """Reminders: they never climb above the section head and his deputy on duty."""
        return self.anchor in (Anchor.DUE, Anchor.SHARE, Anchor.PAUSE_END)


@dataclass(frozen=True, slots=True)
class Target:
    """One promise that is timed: what starts it, what stops it, how many working days, and its ladder."""

    name: str
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    limits: Mapping[str, int]  # kind -> working days
    yellow: Mapping[str, int] = field(default_factory=dict)  # kind -> working days left from which it is yellow
    ladder: tuple[Step, ...] = ()

    def __hash__(self) -> int:  # as a key of what follows from it; equality goes by content
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides how a case is counted and who is told. ``version`` is the hash of its content."""

    version: str
    targets: tuple[Target, ...]
    hours: Hours = Hours()
    send_window: Literal["working_hours", "always"] = "working_hours"
    non_working_receipt: Literal["as_received", "next_workday"] = "as_received"
    unclassified_as: str = Kind.SIMPLE
    reclassify_from: Literal["start", "reclassification"] = "start"
    reopen: Literal["restart", "continue"] = "restart"
    cap_days: int = 15
    cap_counts: Literal["total", "extra"] = "total"
    pause_days: int = 5  # working days a pause may last when nobody said how long
    no_reply_via: tuple[str, ...] = ("wecom",)  # rules.md 17: reminded each working morning

    def __hash__(self) -> int:  # so that what follows from a policy alone is worked out once; equality stays by content
        return hash(self.version)

    def target(self, name: str) -> Target | None:
        for target in self.targets:
            if target.name == name:
                return target
        return None


MAIN_TARGET = "resolve"
