"""A whole month in one list that a person can read: any message too many, too few or elsewhere changes it.

``python tests/stories/test_month.py`` writes the list anew after a change that was meant; its diff is what to review.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import month
from story import story

from sla_service.store import migrate, tables

GOLDEN = Path(__file__).parent / "month.golden.txt"
HEAD = """\
# 一个大厅的一个月：2026-09-14 至 2026-10-20，300 件，12 人，三次请假（一次代班人也不在），中秋和国庆，
# 10-09 11:00 至 10-12 10:20 停机。每行一条消息：时间、渠道、收件人、标题。由 test_month.py 核对，一条不多，一条不少。
"""


def told(url: str) -> tuple[list[str], Counter[str]]:
    with story(url, month.BEGIN, config=month.config()) as hall:
        lines = month.live(hall)
        states = Counter(m["state"] for m in hall.rows(tables.messages))
    return lines, states


def written(lines: list[str]) -> str:
    """By day, with a count, so that a reader finds his way."""
    days: dict[str, list[str]] = {}
    for line in lines:
        days.setdefault(line[:5], []).append(line[6:])
    blocks = [f"\n## {day}（{len(these)} 条）\n" + "\n".join(these) + "\n" for day, these in days.items()]
    return HEAD + "".join(blocks)


def test_the_month_is_told_as_it_stands_in_the_golden_file(sqlite_url):
    lines, states = told(sqlite_url)
    assert written(lines) == GOLDEN.read_text("utf-8")
    assert set(states) <= {"accepted", "suppressed"}  # nothing stuck, nothing lost
    hours = {line.split(" ")[1] for line in lines}
    assert all("08:30" <= hour < "17:30" for hour in hours)
    days = {line[:5] for line in lines}
    assert not days & {"09-25", "09-26", "09-27", "10-01", "10-04", "10-07"}
    assert {"09-20", "10-12"} <= days  # a make-up Sunday; the day the service came back


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/sla.db"
        migrate.upgrade(address)
        GOLDEN.write_text(written(told(address)[0]), "utf-8")
