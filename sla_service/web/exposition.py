"""Figures as Prometheus' text format 0.0.4.

Not by its client library: that one counts within a process and needs a shared folder of files to add several up, while
everything here comes out of the database; and importing it costs a start 0.15 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sla_service.services.metrics import Family, Labels

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"


def text(families: Iterable[Family]) -> str:
    """The page; a family without samples is named all the same."""
    lines: list[str] = []
    for family in families:
        lines += (f"# HELP {family.name} {_line(family.help)}", f"# TYPE {family.name} {family.kind}")
        lines += (f"{family.name}{_labels(labels)} {value:.15g}" for labels, value in family.samples)
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_line(value).replace(chr(34), chr(92) + chr(34))}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _line(words: str) -> str:
    return words.replace("\\", "\\\\").replace("\n", "\\n")
