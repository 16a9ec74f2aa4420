"""Does the broker answer? Asked by the doctor, with an end to his patience."""

from __future__ import annotations

from typing import Final

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from sla_service.settings_values import masked_url

_SECONDS: Final = 3.0


def problem(url: str) -> str | None:
    """What is wrong with the broker at this address, without its password; None if it answers."""
    try:
        with Connection(url, connect_timeout=_SECONDS) as conn:  # type: ignore[no-untyped-call]
            conn.ensure_connection(max_retries=1, timeout=_SECONDS)
            conn.default_channel.client.ping()
    except (OperationalError, OSError) as e:
        return f"连不上消息队列 {masked_url(url)}：{e}"
    return None
