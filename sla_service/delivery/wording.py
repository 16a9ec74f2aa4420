"""Templates of messages: Jinja2 in a sandbox, Chinese or English, each replaceable by a file of the config folder.

A file is named ``one.j2`` (one case) or ``many.j2`` (several in one message), before it the step (``breach.one.j2``,
``due-1wd.one.j2``, ``urged.many.j2``) and before that the channel (``sms.breach.one.j2``); the most specific one is
taken. Its first line is the title. Digests are ``digest_staff.j2``
and ``digest_leader.j2``, with the channel before. What a template may use is checked when it is loaded, not when it is
sent (``template_check``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any, Final, Literal

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sla_service.delivery import render, render_en
from sla_service.delivery.render import Item, Words, once_each

log = logging.getLogger(__name__)

Lang = Literal["zh", "en"]
DigestKind = Literal["digest_staff", "digest_leader"]
SPEAKERS: Final[Mapping[str, ModuleType]] = {"zh": render, "en": render_en}
#: More lines than this do not help anybody on a phone, and WeCom takes 2,048 bytes.
LINES: Final = 12
_TITLE: Final = 24  # characters of a case's title in a list
NAME: Final = re.compile(r"(?:(?P<before>[\w.+%-]+)\.)?(?P<kind>one|many|digest_staff|digest_leader)\.j2")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a template can say of one case (``item``, and each of ``items``)."""

    no: str
    title: str
    short_title: str
    head: str
    status: str
    when: str
    todo: str
    who: str
    note: str
    state: str
    mark: str
    owner: str
    handler: str
    department: str
    kind: str
    step: str
    role: str
    due: str
    left: int | None
    overdue: bool
    by: str
    text: str
    moved: bool
    moved_from: str
    moved_to: str
    withdrawn: bool
    reassigned: bool
    provisional: str


#: What a template can say of the message as a whole.
VARIABLES: Final = ("item", "items", "n", "more", "counts", "red", "today", "rest", "moved", "channel")
ATTRIBUTES: Final = frozenset(f.name for f in fields(Shown))
#: What digests can say besides, and what they count by department and in all.
DIGEST_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "digest_staff": (*VARIABLES, "soon", "soon_text"),
    "digest_leader": (*VARIABLES, "weekly", "committee", "beyond", "since", "total", "departments", "quiet", "matters"),
}
COUNTED: Final = frozenset({"name", "mark", "open", "red", "today", "new_red", "closed", "new", "n"})


@cache
def environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _shipped(lang: str, kind: str) -> Template:
    text = resources.files("sla_service.delivery").joinpath("templates", lang, f"{kind}.j2").read_text("utf-8")
    return environment().from_string(text)


@dataclass(frozen=True, slots=True)
class Wording:
    """The templates in force; ``own`` are those of the config folder by file name, checked."""

    own: Mapping[str, str] = field(default_factory=dict)

    def words(self, items: Sequence[Item], *, channel: str, lang: Lang = "zh") -> Words:
        """One message about all of ``items``: in full for one case, a list by urgency for several."""
        ordered = sorted(once_each(items), key=lambda i: (i.urgency, i.no))
        kind = "one" if len(ordered) == 1 else "many"
        values = variables(ordered, channel=channel, lang=lang)
        return self._filled(self.name(kind, channel, {i.step for i in ordered}), kind, values, lang)

    def digest(
        self, kind: DigestKind, items: Sequence[Item], counted: Mapping[str, Any], *, channel: str, lang: Lang = "zh"
    ) -> Words:
        """The words of a digest, red first; ``counted`` is what it says besides its cases."""
        ordered = sorted(items, key=lambda i: (i.urgency, i.no))
        values = {**variables(ordered, channel=channel, lang=lang), **counted}
        return self._filled(self.name(kind, channel, set()), kind, values, lang)

    def _filled(self, name: str | None, kind: str, values: Mapping[str, Any], lang: Lang) -> Words:
        if name is not None:
            try:
                return cut(_own(self.own[name]).render(values))
            except (
                TemplateError,
                ArithmeticError,
                LookupError,
                TypeError,
                ValueError,
            ) as e:  # an alert must not be lost to a template
                log.error("template %s failed, the shipped one is used: %s", name, e)  # noqa: TRY400
        return cut(_shipped(lang, kind).render(values))

    def name(self, kind: str, channel: str, steps: set[str]) -> str | None:
        """The config folder's file for this message, the most specific one; None for the shipped template."""
        step = next(iter(steps)) if len(steps) == 1 else ""
        for before in (f"{channel}.", ""):
            for part in (*_step_names(step), ""):
                name = f"{before}{part}{kind}.j2"
                if name in self.own:
                    return name
        return None


@cache
def _own(text: str) -> Template:
    return environment().from_string(text)


def _step_names(step: str) -> Iterator[str]:
    """``due-0wd 14:00`` may be named ``due-0wd_1400``, ``due-0wd`` or ``due``; ``breach+2wd`` also ``breach``."""
    if not step:
        return
    yield step.replace(" ", "_").replace(":", "") + "."
    day = step.split(" ", maxsplit=1)[0]
    yield day + "."
    yield re.split(r"[-+]", day)[0] + "."


def variables(items: Sequence[Item], *, channel: str, lang: Lang = "zh") -> dict[str, Any]:
    """What a template is given, for cases in the order in which they are to be told."""
    speak = SPEAKERS[lang]
    red = sum(i.overdue for i in items)
    today = sum(not i.overdue and i.left == 0 for i in items)
    rest = len(items) - red - today
    shown = [_shown(i, speak) for i in items]
    return {
        "item": shown[0] if shown else None,
        "items": shown[:LINES],
        "n": len(items),
        "more": max(0, len(items) - LINES),
        "counts": speak.counts(red, today, rest),
        "red": red,
        "today": today,
        "rest": rest,
        "moved": bool(items) and all(i.step.startswith("due_changed") for i in items),
        "channel": channel,
    }


def _shown(item: Item, speak: ModuleType) -> Shown:
    title = item.title if len(item.title) <= _TITLE else item.title[: _TITLE - 1] + "…"
    before, after = item.moved or (None, None)
    return Shown(
        no=item.no,
        title=item.title,
        short_title=title,
        head=speak.headline(item),
        status=speak.status(item),
        when=speak.when(item),
        todo=speak.todo(item),
        who=speak.who(item),
        note=speak.note(item),
        state=speak.state(item),
        mark="●" if item.overdue else "○",
        owner=item.handler if item.role != "handler" else "",
        handler=item.handler,
        department=item.department,
        kind=item.kind or "",
        step=item.step,
        role=item.role,
        due=speak.day(item.due_on) if item.due_on else "",
        left=item.left,
        overdue=item.overdue,
        by=item.by,
        text=item.text,
        moved=item.moved is not None,
        moved_from=speak.day(before) if before else "",
        moved_to=speak.day(after) if after else "",
        withdrawn=item.withdrawn,
        reassigned=item.reassigned,
        provisional=item.provisional,
    )


def cut(text: str) -> Words:
    """The first line is the title; empty lines fall away."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return Words(lines[0] if lines else "", "\n".join(lines[1:]))
