"""Click in Chinese: headings and wrapping of help pages, and the sentence for every kind of wrong use."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click
from click.core import Context
from click.formatting import HelpFormatter

from sla_service.cli.wide import pad, width, wrap

_HEADINGS = {"Options": "选项", "Commands": "命令", "Positional arguments": "参数"}
_WORDS = {
    "Show this message and exit.": "显示这份帮助。",
    "Show the version and exit.": "显示版本号。",
    "[required]": "（必填）",
    "[OPTIONS]": "[选项]",
    "[COMMAND] [ARGS]...": "[命令] [参数]...",
    "COMMAND [ARGS]...": "命令 [参数]...",
}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_FIRST_MOST = 26  # columns that names of options may take before their text moves to the next line
_LEFT = 2


def examples(*lines: str) -> str:
    """The end of a help page: commands as they are typed; a line that starts with ``#`` explains."""
    return "\b\n例子：\n" + "\n".join(line if line.startswith("#") else f"  {line}" for line in lines)


def _translated(text: str) -> str:
    for english, chinese in _WORDS.items():
        text = text.replace(english, chinese)
    text = re.sub(r"\[default: ([^\]]*)\]", r"（默认 \1）", text)
    return re.sub(r"\s+（", "（", text)


class Formatter(HelpFormatter):
    """Help pages that count a Chinese character as two columns."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        head = f"{prefix or '用法：'}{prog} "
        first, *rest = wrap(_translated(args), max(self.width - width(head), 20)) or [""]
        self.write(f"{head}{first}".rstrip() + "\n")
        for line in rest:
            self.write(" " * width(head) + line + "\n")

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{_HEADINGS.get(heading, heading)}：\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for i, paragraph in enumerate(text.split("\n\n")):
            self.write("\n" if i else "")
            if paragraph.startswith("\b"):  # as it stands, from the margin on
                self.write(paragraph.removeprefix("\b").strip("\n") + "\n")
                continue
            for line in wrap(_joined(paragraph), self.width - self.current_indent):
                self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        rows = [(_translated(name), _translated(text)) for name, text in rows]
        first = min(max((width(name) for name, _ in rows), default=0), _FIRST_MOST)
        indent = " " * self.current_indent
        for name, text in rows:
            found = wrap(_joined(text), max(self.width - self.current_indent - first - _LEFT, 20))
            if width(name) > first:
                self.write(f"{indent}{name}\n")
                name = ""  # noqa: PLW2901 (it has its own line now)
            for line in found or [""]:
                self.write(f"{indent}{pad(name, first)}{' ' * _LEFT}{line}".rstrip() + "\n")
                name = ""  # noqa: PLW2901


def _joined(text: str) -> str:
    """One paragraph: lines are joined, with a blank only between two words of Latin letters."""
    return re.sub(r"(?<=[!-~])\n\s*(?=[!-~])", " ", text).replace("\n", "")


class ChineseContext(Context):
    formatter_class = Formatter


def dress(command: click.Command) -> click.Command:
    """Gives a command, and those below it, the Chinese help page, whoever wrote it."""
    command.context_class = ChineseContext
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    command.context_settings.setdefault("max_content_width", 100)
    for inner in getattr(command, "commands", {}).values():
        dress(inner)
    return command


def sentence(error: click.ClickException) -> str:
    """What is wrong with the call, and where examples stand."""
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    help_ = f"（例子见 {path} --help）" if path else ""
    return f"{path or 'sla'}：{_problem(error).rstrip('。')}{help_}。"


def _problem(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}{_near(error.possibilities)}"
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"没有命令 {error.command_name}{_near(error.possibilities)}"
    if isinstance(error, click.MissingParameter):
        return f"缺少{_named(error.param)}"
    if isinstance(error, click.BadParameter):
        return f"{_named(error.param)} {_asked(error)}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 后面{'不带值' if 'does not take' in error.message else '要写一个值'}"
    extra = re.match(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL)
    return f"多了参数 {extra[1]}" if extra else error.format_message()


def _near(names: list[str] | None) -> str:
    return f"，是不是 {names[0]}？" if names else ""


def _named(param: click.Parameter | None) -> str:
    if param is None:
        return "参数"
    if isinstance(param, click.Argument):
        return f"参数 {param.make_metavar(click.get_current_context(silent=True) or Context(click.Command('')))}"
    return f"选项 {max(param.opts, key=len)}"


def _asked(error: click.BadParameter) -> str:
    """What was asked for; Click's own English is replaced by what the type takes."""
    if _CHINESE.search(error.message):
        return error.message
    kind = error.param.type if error.param is not None else None
    if isinstance(kind, click.Choice):
        words = [str(c) for c in kind.choices]
        return f"要写 {'、'.join(words[:-1])} 或 {words[-1]}"
    if isinstance(kind, click.IntRange):
        low, high = kind.min, kind.max
        return f"要写 {low} 到 {high} 之间的整数" if high is not None else f"要写不小于 {low} 的整数"
    if isinstance(kind, click.types.IntParamType):
        return "要写整数"
    return f"不对：{error.message}"
