"""Reading a YAML file that people write: strictly, with the line of everything that is wrong, in their words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.file_words import Loc, plain_loc, sentence, where
from schemas.words import shown

_TAG = "tag:yaml.org,2002:"
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 40
_PLAIN = frozenset({_TAG + "map", _TAG + "seq"})
_TRUE = frozenset({"yes", "true", "on"})


class Problem(NamedTuple):
    """``line`` counts from 1, 0 for the file as a whole."""

    line: int
    text: str


class FileProblems(ValueError):  # noqa: N818 (several, not one)
    """A file that cannot be used: one line per problem, ``name:line: text``."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.name = name
        self.problems = sorted(set(problems))
        super().__init__(
            "\n".join(f"{name}:{p.line}: {p.text}" if p.line else f"{name}：{p.text}" for p in self.problems)
        )


class FileModel(BaseModel):
    """Base of what files hold: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


M = TypeVar("M", bound=FileModel)


@dataclass(slots=True)
class Document:
    """A file's content as plain values, with the line of each and each scalar as it was written."""

    name: str
    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    written: dict[Loc, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, *loc: str | int) -> int:
        """The line of the nearest thing around ``loc`` that stands in the file."""
        return next((self.lines[loc[:n]] for n in range(len(loc), -1, -1) if loc[:n] in self.lines), 1)

    def complain(self, loc: Loc, text: str) -> None:
        self.problems.append(Problem(self.line(*loc), text))

    def load(self, model: type[M], *checks: Callable[[Document, M], None]) -> M:
        """The content as ``model``; ``checks`` look at what is right in itself and may complain.

        Raises FileProblems with everything that is wrong.
        """
        loaded, data = None, self.data if self.data is not None else {}
        try:
            loaded = model.model_validate(data)
        except ValidationError as e:
            for error in e.errors(include_url=False):
                loc = plain_loc(error["loc"], data)
                line = self.line(*(loc[:-1] if error["type"] == "missing" else loc))
                self.problems.append(Problem(line, sentence(model, loc, error, self.written.get(loc))))
        else:
            for check in checks:
                check(self, loaded)
        if self.problems or loaded is None:
            raise FileProblems(self.name, self.problems)
        return loaded


def read(content: bytes | str, name: str) -> Document:
    """The YAML document in ``content`` (UTF-8); what is wrong so far stands in its ``problems``."""
    document = Document(name)
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1 if isinstance(content, bytes) else 0
        raise FileProblems(name, [Problem(line, "不是 UTF-8 编码，请用编辑器另存为 UTF-8。")]) from None
    try:
        node = yaml.compose(text, Loader=_FAST)
    except (yaml.YAMLError, RecursionError):
        raise FileProblems(name, [_syntax(text)]) from None
    if node is None:
        return document
    if not isinstance(node, MappingNode):
        raise FileProblems(name, [Problem(node.start_mark.line + 1, "整个文件要是“名称: 值”的形式。")])
    document.data = _Walk(document).value(node, ())
    return document


def _syntax(text: str) -> Problem:
    """The syntax error in ``text``, in the words of the slower loader, which are the same everywhere."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = mark.line + 1 if mark else 1
        if "\\t" in (e.problem or ""):
            return Problem(line, "这里有 Tab，缩进请用空格。")
        if "single document" in (e.context or ""):
            return Problem(line, "文件里只能有一份内容，请去掉分隔用的 ---。")
        return Problem(line, "YAML 写法不对，请检查这一行和上一行的缩进、冒号后的空格、引号和括号。")
    except yaml.reader.ReaderError as e:
        return Problem(text.count("\n", 0, e.position) + 1, "这里有不能用的控制字符，请删去。")
    except (yaml.YAMLError, RecursionError):
        pass
    return Problem(1, "YAML 写法不对，或嵌套太深。")


class _Walk:
    """From nodes to plain values. What is empty (``absences:`` with nothing under it) counts as left out."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def value(self, node: Node, loc: Loc) -> Any:
        self.document.lines.setdefault(loc, node.start_mark.line + 1)
        if len(loc) > _MAX_DEPTH:  # an anchor that holds itself
            self._complain(node, "嵌套太深。")
            return None
        if not isinstance(node, ScalarNode) and node.tag not in _PLAIN:
            self._complain(node, f"不支持标签 {shown(node.tag)}，请直接写值。")
            return None
        if isinstance(node, MappingNode):
            return dict(self._entries(node, loc))
        if isinstance(node, SequenceNode):
            return [self._item(item, (*loc, i)) for i, item in enumerate(node.value)]
        self.document.written[loc] = node.value
        return self._scalar(node, loc)

    def _entries(self, node: MappingNode, loc: Loc) -> Iterator[tuple[str, Any]]:
        first: dict[str, int] = {}
        for key, inner in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self._complain(key, "名称要是一个词。")
                continue
            name = key.value
            if name in first:
                self._complain(key, f"{name} 写了两次，第一次在第 {first[name]} 行，请合在一起。")
                continue
            first[name] = line
            self.document.lines[*loc, name] = line
            value = self.value(inner, (*loc, name))
            if value is not None:
                yield name, value

    def _item(self, node: Node, loc: Loc) -> Any:
        value = self.value(node, loc)
        if value is None:
            self._complain(node, "“-”后面是空的，请写上内容或删去这一行。")
        return value

    def _scalar(self, node: Node, loc: Loc) -> Any:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind in ("int", "float") and ":" in text:
            self._complain(node, f'{where(loc)} 的 {text} 没有加引号，会被读成一个数；请写成 "{text}"。')
            return text
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() in _TRUE
            case "int":
                return int(text) if re.fullmatch(r"[+-]?(0|[1-9][0-9]{0,17})", text) else text
            case "float":
                return float(text) if re.fullmatch(r"[+-]?[0-9]{1,17}(\.[0-9]{1,17})?", text) else text
            case "timestamp":
                return _date(text)
        self._complain(node, f"不支持标签 {shown(node.tag)}，请直接写值。")
        return None

    def _complain(self, node: Node, text: str) -> None:
        self.document.problems.append(Problem(node.start_mark.line + 1, text))


def _date(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:  # with a time, or a day that does not exist: the field says what it takes
        return text
