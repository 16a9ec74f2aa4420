"""The only reader of the clock. Everything else takes ``now`` as an argument.

``SLA_CLOCK_SHIFT`` (seconds, for rehearsals and tests) moves what the service takes for now; alerts are then
as unreal as the clock, so ``sla up`` and ``sla doctor`` say so.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta


def shift() -> timedelta:
    """How far the service's clock was moved, zero unless SLA_CLOCK_SHIFT is set."""
    return timedelta(seconds=float(os.environ.get("SLA_CLOCK_SHIFT") or 0))


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) + shift()
