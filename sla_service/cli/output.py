"""What commands print: one JSON document with ``--json``, tables otherwise, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

#: ``--json`` of every command.
json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="输出一份 JSON，供脚本使用。")


def emit(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=plain)


def plain(value: object) -> str:
    """JSON has no dates: RFC 3339."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def say(text: str) -> None:
    """A word to whoever sits in front of the terminal; never part of the result."""
    click.echo(text, err=True)
