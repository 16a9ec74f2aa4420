"""The simulation foretells what the running service sends: the same history, event by event, through both."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from builders import CALENDAR, at, directory
from story import CONFIG, Story, story

from schemas.events import parse
from sla_service.domain.events import Event
from sla_service.domain.policy import BEIJING
from sla_service.services.config import Config, load_config
from sla_service.services.simulation import simulate
from sla_service.store import tables

EXAMPLES = Path(__file__).parents[2] / "examples" / "hall.jsonl"
MOMENT = timedelta(microseconds=1)
WORDS = ("urged", "escalated")

Raw = dict[str, Any]
Told = Counter[tuple[Any, ...]]


def served(hall: Story, history: list[Raw], end: datetime) -> Told:
    """What the service sends when every event arrives at the moment it happens, those of one moment together."""
    moments: dict[datetime, list[Raw]] = {}
    for raw in history:
        moments.setdefault(datetime.fromisoformat(raw["time"]), []).append(raw)
    for moment, together in sorted(moments.items()):
        hall.until(local(moment - MOMENT))
        hall.now = moment
        hall.send(*together)
    hall.until(local(end))
    sent = [m for m in hall.rows(tables.messages) if m["state"] in ("accepted", "delivered")]
    names = ("no", "target", "round", "occurrence", "role", "recipient", "channel", "due_on")
    return Counter((plain(m["step"]), *(m[name] for name in names)) for m in sent)


def foretold(history: list[Raw], config: Config, end: datetime) -> Told:
    events = [Event(*parse(raw, now=end)[:6]) for raw in history]
    result = simulate(events, config.policy, config.directory, CALENDAR, end=end)
    return Counter(
        (m.step, m.case, m.target, m.round, m.occurrence, m.role, m.to, m.channel, m.due_on) for m in result.messages
    )


def local(moment: datetime) -> str:
    return moment.astimezone(BEIJING).replace(tzinfo=None).isoformat()


def plain(step: str) -> str:
    word = step.split(" ", 1)[0]
    return word if word in WORDS else step


@pytest.mark.slow
def test_the_example_is_told_as_foretold(sqlite_url: str) -> None:
    history = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
    config = load_config(CONFIG)
    end = at("2026-06-05 18:00")
    expected = foretold(history, config, end)
    assert expected.total() > 40
    with story(sqlite_url, "2026-04-01 08:00") as hall:
        assert served(hall, history, end) == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_cases_to_which_anything_may_happen_are_told_as_foretold(seed: int, sqlite_url: str) -> None:
    random = Random(seed)
    history = [raw for n in range(5) for raw in drawn(random, f"BBC-{n}")]
    end = max(datetime.fromisoformat(raw["time"]) for raw in history) + timedelta(days=12)
    away = directory(("zhangsan", "lisi", "2026-10-08", "2026-10-09"))
    config = replace(load_config(CONFIG), directory=away)
    with story(sqlite_url, "2026-09-17 00:00", config=config) as hall:
        assert served(hall, history, end) == foretold(history, config, end)


def drawn(random: Random, no: str) -> list[Raw]:
    """An acceptance and a dozen events that may or may not make sense after it, across two festivals."""
    time = at("2026-09-18 09:00") + timedelta(minutes=random.randrange(5 * 24 * 60))
    first = {"department": "社会事务科", "handler": random.choice(_PEOPLE), "limit_days": random.choice((12, 15))}
    kind = random.choice((None, "simple", "complex", "special"))
    told = {"applicant_informed_at": "2026-09-18"} if random.random() < 0.5 else {}
    found = [_raw(no, 0, "case.accepted", time, {**first, **told, **({"kind": kind} if kind else {})})]
    for n in range(1, random.randrange(3, 14)):
        time += timedelta(minutes=random.choice((0, 30, 200, 900, 1440, 2000, 4000, 9000)))
        if random.random() < 0.3:
            time = max(time, time.replace(hour=random.choice((8, 17)), minute=30))
        type_, data = random.choice(_ANYTHING)
        chosen = {name: random.choice(values) for name, values in data.items()}
        if type_ == "event.voided":
            chosen = {"event_id": f"{no}/{random.randrange(n)}"}
        found.append(_raw(no, n, type_, time, {k: v for k, v in chosen.items() if v is not None}))
    return found


def _raw(no: str, n: int, type_: str, time: datetime, data: Raw) -> Raw:
    common = {"specversion": "1.0", "source": "hall", "subject": no, "id": f"{no}/{n}"}
    return {**common, "type": type_, "time": time.isoformat(), "data": data}


_PEOPLE = ("zhangsan", "sunqi", "lisi")
_ANYTHING: list[tuple[str, dict[str, tuple[Any, ...]]]] = [
    ("case.classified", {"kind": ("simple", "complex", "special")}),
    ("case.assigned", {"handler": _PEOPLE}),
    ("case.signed", {}),
    ("case.extended", {"limit_days": (8, 12, 15), "reason": ("会商",), "applicant_informed_at": ("2026-09-20", None)}),
    ("case.paused", {"reason": ("hearing",), "expected_until": ("2026-10-09", None)}),
    ("case.resumed", {}),
    ("case.resumed", {}),
    ("case.reset", {"reason": ("补齐",)}),
    ("case.progressed", {}),
    ("case.closed", {"outcome": ("resolved", "transferred", "withdrawn"), "replied_at": ("2026-09-20", None)}),
    ("case.replied", {}),
    ("case.reopened", {"reason": ("未办成",)}),
    ("case.reopened", {"reason": ("未办成",)}),
    ("event.voided", {}),
]
