"""What docs/webhooks.md shows works: its Python verifies what is sent, and the waits are those that are kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sla_service.delivery import standard_webhooks as scheme
from sla_service.services.webhook_sending import WAITS

PAGE = (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text("utf-8")
BODY = '{"subject":"BBC〔2026〕1"}'.encode()


def verify() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verified"]


def test_the_python_of_the_page_verifies_what_is_sent():
    verified, (old, new) = verify(), (scheme.new_secret(), scheme.new_secret())
    keys = [scheme.key_of(secret) for secret in (new, old)]
    headers = scheme.sign(keys, "evt_1", datetime.now(UTC), BODY)
    assert verified(old, headers, BODY)
    assert verified(new, headers, BODY)
    assert not verified(scheme.new_secret(), headers, BODY)
    assert not verified(old, headers, BODY + b" ")
    late = scheme.sign(keys, "evt_1", datetime.fromtimestamp(1_700_000_000, UTC), BODY)
    assert not verified(old, late, BODY)


def test_the_page_names_the_waits_that_are_kept():
    said = ["5 秒", "5 分钟", "30 分钟", *(f"{h}" for h in (2, 5, 10, 14, 20, 24))]
    assert "、".join(said) + " 小时之后" in PAGE
    assert [w.total_seconds() for w in WAITS] == [5, 300, 1800, *(h * 3600 for h in (2, 5, 10, 14, 20, 24))]
