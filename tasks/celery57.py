"""Keeps a Celery 5.7.0 worker alive when the broker restarts while messages are unacknowledged.

After a lost connection the worker closes what is left of it (``Consumer.on_connection_error_after_connected``).
Closing hands unacknowledged messages back, through a channel whose ``connection.client`` is None by then, and the
``AttributeError: 'NoneType' object has no attribute 'hostname'`` that follows ends the worker. Raised as the connection
error that it is, it is ignored at each of those places, as Celery and Kombu do with every other one.

Remove this module and its call in ``tasks.app`` when ``tests/supervisor/test_celery57.py`` says that a worker without
it survives: that is when Celery or Kombu has mended it.
"""

from __future__ import annotations

from typing import Any

import kombu.transport.redis as transport
from redis.exceptions import ConnectionError as BrokerGoneError

_MARK = "_sla_checked"


def install() -> None:
    """Once per process, before the worker connects. Safe to repeat."""
    original = transport.Channel._connparams  # noqa: SLF001  the one place that all the call paths share
    if hasattr(original, _MARK):
        return

    def connparams(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise BrokerGoneError("the broker's channel is closed already")
        return original(self, *args, **kwargs)

    setattr(connparams, _MARK, True)
    setattr(transport.Channel, original.__name__, connparams)
