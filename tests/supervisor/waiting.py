"""Waiting for what other processes do, as long as it takes; only what never comes fails a test."""

import time
from collections.abc import Callable
from typing import Any

import psutil  # type: ignore[import-untyped]

_PATIENCE = 120.0  # seconds, against hanging for ever; no statement about speed


def until(condition: Callable[[], Any], what: str = "it") -> Any:
    """The first true value of ``condition``."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} never came about")


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has reaped counts as gone."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
