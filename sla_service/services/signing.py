"""Secrets of sources that sign, in either direction: made, sealed, rotated with overlap, never shown again.

What a source signs (``in``) and what is signed for it (``out``) have secrets of their own: what was sent in one
direction must not pass for something sent in the other.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy.engine import Connection

from sla_service.delivery import standard_webhooks as scheme
from sla_service.errors import SlaError
from sla_service.services import personal
from sla_service.services.app import App
from sla_service.settings import Settings
from sla_service.store import signing as rows

Use = Literal["in", "out"]
Row = Mapping[str, Any]

_PLAIN: Final = "plain:"  # no SLA_DATA_KEY was set when it was made


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret that holds."""

    id: str
    key: bytes = field(repr=False)


def make(conn: Connection, settings: Settings, source: str, use: Use, *, now: datetime) -> str:
    """A new secret, the only time that anybody sees it."""
    secret_id, secret = secrets.token_hex(6), scheme.new_secret()
    kept = _kept(settings, source, secret_id, secret)
    row = {"id": secret_id, "source": source, "use": use, "secret": kept, "created_at": now}
    rows.add(conn, {**row, "expires_at": None, "last_used_at": None})
    return secret


def renew(conn: Connection, settings: Settings, source: str, use: Use, *, until: datetime, now: datetime) -> str:
    """A new secret; the old ones hold until ``until``."""
    rows.expire(conn, source, use, at=until)
    return make(conn, settings, source, use, now=now)


def holding(conn: Connection, settings: Settings, source: str, use: Use, *, now: datetime) -> list[Secret]:
    """The secrets that hold, the newest first. Raises SlaError where SLA_DATA_KEY does not open them."""
    return [_opened(settings, row) for row in rows.of_source(conn, source, use, now=now)]


def signing_keys(conn: Connection, settings: Settings, source: str, *, now: datetime) -> tuple[bytes, ...]:
    """What signs for a source. Raises SlaError where there is nothing that could."""
    held = holding(conn, settings, source, "out", now=now)
    if not held:
        raise SlaError(f"来源 {source} 的 webhook 没有签名密钥，请用 sla source webhook {source} --rotate 换新的。")
    return tuple(secret.key for secret in held)


def unreadable(conn: Connection, settings: Settings, *, now: datetime) -> list[str]:
    """One sentence per source whose secrets SLA_DATA_KEY does not open."""
    found: dict[str, str] = {}
    for row in rows.everyone(conn):
        if row["expires_at"] is None or row["expires_at"] > now:
            try:
                _opened(settings, row)
            except SlaError as e:
                found[row["source"]] = str(e)
    return list(found.values())


def reseal(app: App) -> int:
    """Seals anew what lies under the old SLA_DATA_KEY or under none; gives how many."""
    box = personal.vault(app.settings)
    if box is None:
        return 0
    with app.db.write() as conn:
        old = [row for row in rows.everyone(conn) if not box.current(row["secret"])]
        rows.rewrite(conn, [(r["id"], _kept(app.settings, r["source"], r["id"], _text(app.settings, r))) for r in old])
    return len(old)


def _kept(settings: Settings, source: str, secret_id: str, secret: str) -> str:
    box = personal.vault(settings)
    return _PLAIN + secret if box is None else box.seal(secret, _place(source, secret_id))


def _opened(settings: Settings, row: Row) -> Secret:
    return Secret(row["id"], scheme.key_of(_text(settings, row)))


def _text(settings: Settings, row: Row) -> str:
    kept: str = row["secret"]
    if kept.startswith(_PLAIN):
        return kept.removeprefix(_PLAIN)
    box = personal.vault(settings)
    try:
        if box is not None:
            return box.open(kept, _place(row["source"], row["id"]))
    except SlaError:
        pass  # it speaks of applicants
    raise SlaError(
        f"来源 {row['source']} 的签名密钥打不开：请检查 SLA_DATA_KEY 和 SLA_DATA_KEY_OLD，"
        f"或用 sla source rotate {row['source']} --signing、sla source webhook {row['source']} --rotate 换新的。"
    )


def _place(source: str, secret_id: str) -> str:
    return json.dumps(["signing", source, secret_id])
