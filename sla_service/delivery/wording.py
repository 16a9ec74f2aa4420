"""Templates of messages: Jinja2 in a sandbox, Chinese or English, each replaceable by a file of the config folder.

A file is named ``one.j2`` (one case) or ``many.j2`` (several in one message), before it the step (``breach.one.j2``,
``due-1wd.one.j2``, ``urged.many.j2``) and before that the channel (``sms.breach.one.j2``); the most specific one is
taken. Its first line is the title. What it may use is checked when it is loaded, not when it is sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any, Final, Literal

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sla_service.delivery import render, render_en
from sla_service.delivery.render import Item, Words, once_each

log = logging.getLogger(__name__)

Lang = Literal["zh", "en"]
SPEAKERS: Final[Mapping[str, ModuleType]] = {"zh": render, "en": render_en}
#: More lines than this do not help anybody on a phone, and WeCom takes 2,048 bytes.
LINES: Final = 12
_TITLE: Final = 24  # characters of a case's title in a list
_NAME: Final = re.compile(r"(?:(?P<before>[\w.+%-]+)\.)?(?P<kind>one|many)\.j2")
_LONGEST: Final = 20_000  # characters of a template: more is a mistake


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
_LOOP: Final = frozenset({"index", "index0", "first", "last", "length"})


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _shipped(lang: str, kind: str) -> Template:
    text = resources.files("sla_service.delivery").joinpath("templates", lang, f"{kind}.j2").read_text("utf-8")
    return _environment().from_string(text)


@dataclass(frozen=True, slots=True)
class Wording:
    """The templates in force; ``own`` are those of the config folder by file name, checked."""

    own: Mapping[str, str] = field(default_factory=dict)

    def words(self, items: Sequence[Item], *, channel: str, lang: Lang = "zh") -> Words:
        """One message about all of ``items``: in full for one case, a list by urgency for several."""
        ordered = sorted(once_each(items), key=lambda i: (i.urgency, i.no))
        kind = "one" if len(ordered) == 1 else "many"
        values = variables(ordered, channel=channel, lang=lang)
        name = self.name(kind, channel, {i.step for i in ordered})
        if name is not None:
            try:
                return _cut(_own(self.own[name]).render(values))
            except (
                TemplateError,
                ArithmeticError,
                LookupError,
                TypeError,
                ValueError,
            ) as e:  # an alert must not be lost to a template
                log.error("template %s failed, the shipped one is used: %s", name, e)  # noqa: TRY400
        return _cut(_shipped(lang, kind).render(values))

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
    return _environment().from_string(text)


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
        "item": shown[0],
        "items": shown[:LINES],
        "n": len(items),
        "more": max(0, len(items) - LINES),
        "counts": speak.counts(red, today, rest),
        "red": red,
        "today": today,
        "rest": rest,
        "moved": all(i.step.startswith("due_changed") for i in items),
        "channel": channel,
    }


def digest(name: str, items: Sequence[Item], values: Mapping[str, Any], *, lang: Lang = "zh") -> dict[str, str]:
    """The words of a digest, red first; ``values`` is what it counts besides its cases."""
    ordered = sorted(items, key=lambda i: (i.urgency, i.no))
    about = variables(ordered, channel="", lang=lang) if ordered else {"items": [], "more": 0, "counts": ""}
    words = _cut(_shipped(lang, name).render({**about, **values}))
    return {"title": words.title, "body": words.body}


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


def _cut(text: str) -> Words:
    """The first line is the title; empty lines fall away."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return Words(lines[0] if lines else "", "\n".join(lines[1:]))


# -- checking --------------------------------------------------------------------------------------------------


def problems(name: str, text: str) -> list[tuple[int, str]]:
    """What is wrong with a template of the config folder: (line, sentence)."""
    if _NAME.fullmatch(name) is None:
        return [(0, "文件名要以 one.j2（一件）或 many.j2（几件）结尾，前面可以写步骤和渠道，例如 breach.one.j2")]
    if len(text) > _LONGEST:
        return [(0, f"最多 {_LONGEST} 个字符")]
    try:
        tree = _environment().parse(text)
        template = _environment().from_string(text)
    except TemplateError as e:
        return [(getattr(e, "lineno", 0) or 0, f"写法不对：{e.message}")]
    found = [(_line(tree, unknown), _no_such(unknown, VARIABLES)) for unknown in sorted(_unknown(tree))]
    known = sorted(ATTRIBUTES | _LOOP)
    found += [(n.lineno, _no_such(n.attr, known)) for n in tree.find_all(nodes.Getattr) if n.attr not in known]
    return found or _tried(template, name)


def _unknown(tree: nodes.Template) -> set[str]:
    return find_undeclared_variables(tree) - set(VARIABLES)


def _line(tree: nodes.Template, name: str) -> int:
    return next((n.lineno for n in tree.find_all(nodes.Name) if n.name == name), 0)


def _no_such(name: str, known: Sequence[str]) -> str:
    return f"没有变量 {name}，可以用的有 {'、'.join(known)}"


def _tried(template: Template, name: str) -> list[tuple[int, str]]:
    """Whether it can say what it has to: tried on cases of every sort."""
    for items in samples(many=name.endswith("many.j2")):
        try:
            made = _cut(template.render(variables(items, channel="wecom")))
        except Exception as e:  # noqa: BLE001 (a template may raise anything)
            return [(0, f"试填时出错：{e}")]
        if not made.title:
            return [(0, "第一行是标题，不能为空")]
    return []


def samples(*, many: bool) -> list[list[Item]]:
    """Cases to try a template on, and to preview it with."""
    base = Item("hall", "BBC-2026-0001", "诊所名称核准", "due-1wd", "handler", "simple", date(2026, 11, 25), 1, False)
    base = replace(base, handler="张三", department="社会事务科")
    over = replace(base, step="breach+2wd", role="section_head", left=-2, overdue=True)
    urged = replace(base, step="urged 2026-11-24", by="市民热线", text="请尽快回复")
    moved = (date(2026, 11, 25), date(2026, 11, 26))
    every = [
        base,
        replace(base, step="due-0wd", left=0),
        over,
        urged,
        replace(base, step="pause_end", due_on=None, left=None),
        replace(base, step="due_changed x", moved=moved, text="放假通知", withdrawn=True),
        replace(base, title="", handler="", department="", kind=None, reassigned=True, provisional="等放假通知"),
        replace(base, step="no_reply"),
    ]
    if not many:
        return [[item] for item in every]
    numbered = [replace(item, no=f"BBC-2026-{n:04}") for n, item in enumerate(every * 2, start=1)]
    return [numbered[:2], numbered[:8], numbered, [replace(numbered[5], no=f"C{n}") for n in (1, 2)]]
