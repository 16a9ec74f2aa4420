"""When something is due stands in the database: no task is ever published for later."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LATER = re.compile(r"\b(eta|countdown)\s*=|\b(self|task|request)\.retry\(|apply_async\([^)]*\b(eta|countdown)\b")


def test_nothing_is_published_for_later():
    found = [
        f"{path.relative_to(ROOT)}:{n}"
        for folder in ("sla_service", "tasks", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LATER.search(line)
    ]
    assert found == []
