"""The books of a chaos run: what was due, what phones showed, and so what was lost, doubled or left unknown."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from arena import Arena
from hall_files import person, phone

from sla_service.store import tables
from sla_service.store.unclear import listed

NUMBER = re.compile(r"C\d{5}")
WECOM = "wecomapp"
Told = tuple[str, str, str]  # provider, address, case number


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    ``doubled`` counts every showing beyond the first, ``wecom`` those of them on WeCom; ``listed`` is how many of the
    doubled and unknown ones are on the doctor's list.
    """

    row: str
    database: str
    kills: int
    due: int
    sent: int
    lost: int
    doubled: int
    unknown: int
    listed: int
    wecom: int = 0


def shown(arena: Arena) -> Counter[Told]:
    """How often each phone showed each case."""
    found: Counter[Told] = Counter()
    for entry in arena.stub.shown():
        for no in NUMBER.findall(entry["text"]):
            found[entry["provider"], entry["to"], no] += 1
    return found


def unclear(arena: Arena) -> set[Told]:
    """What the doctor lists as unclear."""
    with arena.app.db.read() as conn:
        return {_told(dict(r)) for r in listed(conn, since=arena.now - timedelta(days=365))}


def parked(arena: Arena) -> set[Told]:
    m = tables.messages
    rows = arena.rows(sa.select(m.c.channel, m.c.recipient, m.c.no).where(m.c.state == "unknown"))
    return {_told(r) for r in rows}


def _told(row: dict[str, Any]) -> Told:
    n = int(str(row["recipient"])[1:])
    return (WECOM, person(n), row["no"]) if row["channel"] == "wecom" else ("yunmas", phone(n), row["no"])


def settle(
    arena: Arena, name: str, due: Iterable[Told], book: Callable[[Row], None], *, kills: int | None = None
) -> Row:
    """Closes the books of one row of the matrix and holds it to the promise."""
    wanted, seen = set(due), shown(arena)
    never = wanted - set(seen)
    unknown = parked(arena)
    lost = never - unknown
    doubled = {told: n - 1 for told, n in seen.items() if n > 1}
    on_list = unclear(arena)
    open_question = set(doubled) | unknown
    row = Row(
        row=name,
        database="sqlite" if arena.app.db.sqlite else "postgresql",
        kills=arena.kills if kills is None else kills,
        due=len(wanted),
        sent=sum(seen.values()),
        lost=len(lost),
        doubled=sum(doubled.values()),
        unknown=len(unknown),
        listed=len(open_question & on_list),
        wecom=sum(n for told, n in doubled.items() if told[0] == WECOM),
    )
    book(row)
    assert not lost, f"{name}: lost {sorted(lost)[:5]} of {len(lost)}"
    twice = sorted(t for t in doubled if t[0] == WECOM)
    assert not twice, f"{name}: doubled on WeCom {twice[:5]} of {len(twice)}"
    assert open_question <= on_list, f"{name}: not on the doctor's list {sorted(open_question - on_list)[:5]}"
    strangers = set(seen) - wanted
    assert not strangers, f"{name}: nobody was to be told {sorted(strangers)[:5]}"
    return row


def table(rows: Iterable[dict[str, Any]]) -> str:
    names = list(Row.__dataclass_fields__)
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return "\n".join("  ".join(word.ljust(w) for word, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def as_json(rows: Iterable[dict[str, Any]], path: Path) -> None:
    path.write_text(json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n", "utf-8")


def plain(row: Row) -> dict[str, Any]:
    return asdict(row)
