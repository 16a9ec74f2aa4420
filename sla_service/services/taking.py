"""Batches from doors whose sender has gone: nobody would send again what a fault of ours kept out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sla_service.services.app import App
from sla_service.services.intake import Incoming, Result, receive
from sla_service.store.engine import unavailable

log = logging.getLogger(__name__)

FAULT: Final = "服务处理这个事件时出错，原文已保留，请联系管理员。"


def take(app: App, items: Sequence[Incoming], *, now: datetime, door: str) -> list[Result]:
    """One result each. An event that brings out a fault of ours is kept as it came; the others go on without it.

    Left to itself it would come back with all that came along with it, for ever, or take them with it. Raises only
    the database's error when it is away: then everything is tried again.
    """
    try:
        return receive(app, items, now=now, door=door)
    except Exception as e:
        if unavailable(e):
            raise
        if len(items) > 1:
            return [result for one in items for result in take(app, [one], now=now, door=door)]
        log.exception("event %s failed", items[0].id)
        return receive(app, [replace(items[0], event=None, problem=FAULT)], now=now, door=door)
