"""Templates of the config folder are checked when they are loaded: an alert must not fail for a misspelt name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from jinja2 import Template, TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from sla_service.delivery.samples import digest, samples
from sla_service.delivery.wording import (
    ATTRIBUTES,
    COUNTED,
    DIGEST_VARIABLES,
    NAME,
    VARIABLES,
    cut,
    environment,
    variables,
)

_LONGEST: Final = 20_000  # characters of a template: more is a mistake
_NAMES: Final = (
    "文件名要以 one.j2（一件）、many.j2（几件）、digest_staff.j2 或 digest_leader.j2（汇总）结尾，"
    "前面可以写步骤和渠道，例如 breach.one.j2"
)
_LOOP: Final = frozenset({"index", "index0", "first", "last", "length"})


def problems(name: str, text: str) -> list[tuple[int, str]]:
    """What is wrong with a template of the config folder: (line, sentence)."""
    named = NAME.fullmatch(name)
    if named is None:
        return [(0, _NAMES)]
    if len(text) > _LONGEST:
        return [(0, f"最多 {_LONGEST} 个字符")]
    try:
        tree = environment().parse(text)
        template = environment().from_string(text)
    except TemplateError as e:
        return [(getattr(e, "lineno", 0) or 0, f"写法不对：{e.message}")]
    known, fields = _known(named["kind"])
    unknown = sorted(find_undeclared_variables(tree) - set(known))
    found = [(_line(tree, one), _no_such(one, known)) for one in unknown]
    found += [(n.lineno, _no_such(n.attr, fields)) for n in tree.find_all(nodes.Getattr) if n.attr not in fields]
    return found or _tried(template, named["kind"])


def _known(kind: str) -> tuple[Sequence[str], Sequence[str]]:
    """The variables of that kind of template, and the fields they have."""
    if not kind.startswith("digest"):
        return VARIABLES, sorted(ATTRIBUTES | _LOOP)
    return DIGEST_VARIABLES[kind], sorted(ATTRIBUTES | _LOOP | COUNTED)


def _line(tree: nodes.Template, name: str) -> int:
    return next((n.lineno for n in tree.find_all(nodes.Name) if n.name == name), 0)


def _no_such(name: str, known: Sequence[str]) -> str:
    return f"没有变量 {name}，可以用的有 {'、'.join(known)}"


def _tried(template: Template, kind: str) -> list[tuple[int, str]]:
    """Whether it can say what it has to: tried on cases of every sort."""
    for values in _values(kind):
        try:
            made = cut(template.render(values))
        except Exception as e:  # noqa: BLE001 (a template may raise anything)
            return [(0, f"试填时出错：{e}")]
        if not made.title:
            return [(0, "第一行是标题，不能为空")]
    return []


def _values(kind: str) -> Iterator[Mapping[str, Any]]:
    if not kind.startswith("digest"):
        for one in samples(many=kind == "many"):
            yield variables(one, channel="wecom")
        return
    for weekly, committee in ((False, False), (True, False), (True, True)):
        items, counted = digest(kind, weekly=weekly, committee=committee)
        yield variables(items, channel="wecom") | counted
        if kind == "digest_leader":
            yield {**variables((), channel="wecom"), **counted, "departments": [], "matters": []}
