"""How far a long command is, on standard error and only for somebody who looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Advance = Callable[[int, int | None], None]


@contextmanager
def progress(what: str, unit: str = "行") -> Iterator[Advance]:
    """Gives a function that takes how far it is and the whole (None if unknown, then so many ``unit``).

    Silent without a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: int, whole: int | None) -> None:
            text = what if whole is not None else f"{what} {done} {unit}"
            bar.update(task, completed=done, total=whole, description=text)

        yield advance
