"""``render`` in English, function by function."""

from __future__ import annotations

from datetime import date

from sla_service.delivery.render import Item

BUTTON, SEEN, SEEN_BY = "Open", "Got it", "Seen by {name}"
_KINDS = {"simple": "simple", "complex": "complex", "special": "special"}
_FIXED = {
    "opening": "In progress",
    "urged": "Urged",
    "escalated": "Escalated",
    "no_reply": "Reply owed",
    "due_changed": "Due date moved",
}


def day(on: date) -> str:
    """``Wed 25 Nov``"""
    return f"{on:%a} {on.day} {on:%b}"


def short(on: date) -> str:
    """``25 Nov``"""
    return f"{on.day} {on:%b}"


def several(no: str, n: int) -> str:
    return f"{no} +{n - 1}"


def status(item: Item) -> str:
    if item.overdue:
        late = -(item.left or 0)
        return f"overdue by {_days(late)}" if late > 0 else "overdue since close of business"
    if item.left is None:
        return "paused"
    return "due today" if item.left == 0 else f"{_days(item.left)} left"


def headline(item: Item) -> str:
    first = item.step.split(" ", maxsplit=1)[0]
    if first in _FIXED:
        return _FIXED[first]
    if first.startswith("pause_end"):
        return "Pause ends"
    if item.overdue:
        return "Overdue"
    return "Due today" if item.left == 0 else "Due soon"


def when(item: Item) -> str:
    if item.step.startswith("no_reply"):
        return "Closed, the applicant has no answer yet"
    if item.due_on is None:
        return status(item).capitalize()
    held = " (provisional: holiday notice to come)" if item.provisional else ""
    if not item.overdue and item.left == 0:
        return f"Due by close of business today{held}"
    verb = "was due" if item.overdue else "due"
    return f"{status(item).capitalize()}, {verb} {day(item.due_on)}{held}"


def todo(item: Item) -> str:
    handler = item.role == "handler"
    if item.step.startswith("no_reply"):
        return "Please answer the applicant and record when."
    if item.step.startswith("pause_end"):
        return "Please check whether work can resume." if handler else "Please ask whether the pause should end."
    if item.reassigned:
        return "This case has been handed to you."
    if item.step.startswith("escalated"):
        return "Please decide how to proceed."
    if item.overdue:
        return "Please close it now and answer the applicant." if handler else "Please see that it is closed."
    if handler:
        return "Please close it in time, or extend it before it is due."
    return "Please remind the handler to close it in time."


def who(item: Item) -> str:
    handler = item.handler and f"handler {item.handler}"
    return " · ".join(w for w in (handler, item.department, _KINDS.get(item.kind or "", "")) if w)


def note(item: Item) -> str:
    if item.moved:
        return f"{day(item.moved[0])} moved to {day(item.moved[1])}"
    first = item.step.split(" ", maxsplit=1)[0]
    told = first in ("urged", "escalated", "due_changed") or first.startswith("pause_end")
    return headline(item).lower() if told else ""


def state(item: Item) -> str:
    said = "reply owed" if item.step.startswith("no_reply") else status(item)
    return f"{said} (provisional)" if item.provisional else said


def soon(on: date, today: date) -> str:
    return "due tomorrow" if (on - today).days == 1 else f"due {day(on)}"


def morning(red: int, today: int, next_day: int, words: str) -> str:
    return ", ".join(f"{n} {w}" for n, w in ((red, "overdue"), (today, "due today"), (next_day, words)) if n)


def counts(red: int, today: int, rest: int) -> str:
    return ", ".join(f"{n} {w}" for n, w in ((red, "overdue"), (today, "due today"), (rest, "open")) if n)


def _days(n: int) -> str:
    return f"{n} working day{'' if n == 1 else 's'}"
