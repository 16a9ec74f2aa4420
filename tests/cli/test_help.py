"""Help pages and wrong use: in Chinese, with an example, within the terminal."""

from __future__ import annotations

import click
import pytest

from sla_service.cli.main import _PLACES, COMMANDS, cli
from sla_service.cli.wide import width

CONTEXT = click.Context(cli)


def below(path, command):
    """A command and all below it."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from below((*path, name), inner)


EVERY = dict(found for name in _PLACES for found in below((name,), cli.get_command(CONTEXT, name)))
PATHS = list(EVERY)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_page_is_chinese_with_an_example_and_fits_eighty_columns(bare, path):
    bare.env["COLUMNS"] = "80"
    page = bare.ok(*path, "--help").out
    assert page.startswith("用法：sla " + " ".join(path))
    if "[参数]..." not in page.splitlines()[0]:  # a group's page may leave that to its commands
        assert "例子：\n  " in page
        assert f"sla {path[0]}" in page.partition("例子：")[2]
    for english in ("Usage", "Options", "Show this message", "[required]", "Commands", "default:", "COMMAND"):
        assert english not in page
    described = page.partition("例子：")[0]
    assert [line for line in described.splitlines() if width(line) > 80] == []


@pytest.mark.parametrize("path", [p for p, c in EVERY.items() if not hasattr(c, "commands")], ids=" ".join)
def test_every_command_prints_json(path):
    if path[-1] == "export":  # writes a file in a form of its own
        return
    assert any("--json" in p.opts for p in EVERY[path].params)


def test_the_first_page_lists_every_command_without_loading_it(bare):
    page = bare.ok("--help").out
    for section, commands in COMMANDS.items():
        assert f"\n{section}：\n" in page
        for name, (_, text) in commands.items():
            assert any(line.split() == [name, *text.split()] for line in page.splitlines()), name


def test_without_a_command_the_page_goes_to_the_error_stream(bare):
    said = bare()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("用法：sla")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["dux"], "sla：没有命令 dux，是不是 due？（例子见 sla --help）。"),
        (["zzz"], "sla：没有命令 zzz（例子见 sla --help）。"),
        (["--foo"], "sla：没有选项 --foo（例子见 sla --help）。"),
        (["due"], "sla due：缺少参数 START（例子见 sla due --help）。"),
        (
            ["due", "2026-11-20", "--kid", "simple"],
            "sla due：没有选项 --kid，是不是 --kind？（例子见 sla due --help）。",
        ),
        (["due", "2026-11-20", "x", "--days", "3"], "sla due：多了参数 x（例子见 sla due --help）。"),
        (["due", "2026-11-20", "--days"], "sla：选项 --days 后面要写一个值。"),
        (
            ["due", "2026-11-20", "--days", "x"],
            "sla due：选项 --days 要写 1 到 1000 之间的整数（例子见 sla due --help）。",
        ),
        (["due", "2026-11-20", "--json=1"], "sla：选项 --json 后面不带值。"),
        (["channel", "test", "wecom"], "sla channel test：缺少选项 --to（例子见 sla channel test --help）。"),
        (["source", "ad"], "sla source：没有命令 ad，是不是 add？（例子见 sla source --help）。"),
        (["calendar", "show", "x"], "sla calendar show：参数 YEAR 要写整数（例子见 sla calendar show --help）。"),
        (
            ["cases", "--light", "blue"],
            "sla cases：选项 --light 要写 green、yellow、red 或 grey（例子见 sla cases --help）。",
        ),
    ],
)
def test_wrong_use_is_one_chinese_sentence_and_exit_code_2(bare, args, sentence):
    said = bare(*args)
    assert (said.code, said.out, said.err.strip()) == (2, "", sentence)
