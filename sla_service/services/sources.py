"""Case systems (业务系统) and their keys: registered, given a new key, listed, and, if only for tests, emptied."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from schemas.words import near
from sla_service import systime
from sla_service.domain.directory import MAIN_HALL
from sla_service.errors import NotFoundError, SlaError, UsageError
from sla_service.services import audit, signing
from sla_service.services.app import App
from sla_service.settings_values import masked_url
from sla_service.store import signing as signing_rows
from sla_service.store import sources as rows
from sla_service.store import webhooks, wiping

_LONGEST = 200
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def add(
    app: App,
    name: str,
    *,
    hall: str,
    test: bool,
    go_live: datetime,
    now: datetime,
    batch_delay: timedelta = timedelta(),
) -> str:
    """Registers a source and gives its key, the only time that anybody sees it.

    ``hall`` has to stand in the directory. ``batch_delay``: its events come in a nightly file, so its breaches are
    announced only that much later. Raises UsageError for a name that no event could carry, SlaError for one
    that is taken.
    """
    _check_name(name)
    if app.config.directory.hall(hall) is None:
        known = "、".join(h.id for h in app.config.directory.halls)
        raise NotFoundError(f"没有厅 {hall}，通讯录里有 {known}。")
    with app.db.write() as conn:
        seconds = int(batch_delay.total_seconds())
        if not rows.add(conn, name, hall=hall, test=test, go_live=go_live, now=now, batch_delay=seconds):
            raise SlaError(f"来源 {name} 已经登记过；要换密钥请用 sla source rotate {name}。")
        audit.note(conn, now, audit.operator(), "source.add", name, hall=hall, test=test, batch_delay_seconds=seconds)
        return rows.new_key(conn, name, now=now)


def register(app: App, name: str, *, now: datetime) -> bool:
    """Registers a source without a key, so that a file of its events can be taken; False if it was there."""
    _check_name(name)
    with app.db.write() as conn:
        audit.note(conn, now, audit.operator(), "source.register", name)
        return rows.add(conn, name, hall=MAIN_HALL, test=False, go_live=now, now=now)


def rotate(app: App, name: str, *, overlap: timedelta, now: datetime) -> tuple[str, int]:
    """A new key; the old ones hold for ``overlap`` longer. Gives the key and how many old ones still hold."""
    with app.db.write() as conn:
        _known(conn, name)
        old = rows.expire_keys(conn, name, at=now + overlap)
        audit.note(conn, now, audit.operator(), "source.rotate", name, overlap_seconds=int(overlap.total_seconds()))
        return rows.new_key(conn, name, now=now), old


def rotate_signing(app: App, name: str, *, overlap: timedelta, now: datetime) -> tuple[str, int]:
    """A new secret for what the source signs, or its first; the old ones hold for ``overlap`` longer.

    Gives the secret, the only time that anybody sees it, and how many old ones still hold.
    """
    with app.db.write() as conn:
        _known(conn, name)
        old = len(signing_rows.of_source(conn, name, "in", now=now))
        made = signing.renew(conn, app.settings, name, "in", until=now + overlap, now=now)
        seconds = int(overlap.total_seconds())
        audit.note(conn, now, audit.operator(), "source.rotate_signing", name, overlap_seconds=seconds)
        return made, old


def delay(app: App, name: str, by: timedelta, *, now: datetime) -> int:
    """From now on the breaches of this source are announced ``by`` after the due instant; gives how many clocks move.

    What was announced stays announced. The tick looks at each clock once and sets its next look anew.
    """
    with app.db.write() as conn:
        _known(conn, name)
        rows.set_delay(conn, name, by)
        audit.note(conn, now, audit.operator(), "source.delay", name, batch_delay_seconds=int(by.total_seconds()))
        return rows.wake(conn, name, now=now)


def listed(app: App) -> list[dict[str, Any]]:
    """Every source with its keys and signing secrets (never what is secret in them) and its address."""
    with app.db.read() as conn:
        keys = _by_source(rows.keys(conn))
        secrets = _by_source(s for s in signing_rows.everyone(conn) if s["use"] == "in")
        hooks = {h["source"]: masked_url(h["url"]) for h in webhooks.endpoints(conn)}
        everyone = rows.everyone(conn)
    return [
        {**s, "keys": keys.get(s["name"], []), "signing": secrets.get(s["name"], []), "webhook": hooks.get(s["name"])}
        for s in everyone
    ]


def _by_source(keys: Iterable[rows.Row]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for key in keys:
        shown = {name: key[name] for name in ("id", "created_at", "expires_at", "last_used_at")}
        found.setdefault(key["source"], []).append(shown)
    return found


def wipe(app: App, name: str) -> dict[str, int]:
    """Empties a test source; gives the number of rows by table. Any other source is refused."""
    with app.db.write() as conn:
        if not _known(conn, name)["test"]:
            raise SlaError(f"{name} 不是测试来源，不能清空；测试来源用 sla source add 名称 --test 登记。")
        gone = wiping.wipe(conn, name)
        audit.note(conn, systime.now(), audit.operator(), "source.wipe", name, rows=gone)
        return gone


def _known(conn: Connection, name: str) -> rows.Row:
    found = rows.by_name(conn, [name]).get(name)
    if found is None:
        close = near(name, (r["name"] for r in rows.everyone(conn)))
        hint = f"，是不是 {close}？" if close else "，已登记的见 sla source list。"
        raise NotFoundError(f"没有登记来源 {name}{hint}")
    return found


def _check_name(name: str) -> None:
    if not name or name != name.strip() or _UNFIT.search(name) or len(name) > _LONGEST:
        raise UsageError(f"来源名要是 1 到 {_LONGEST} 个字符，前后没有空格，没有控制字符。")
