"""Where a source wants to be told, and what has become of it: set, shown, removed, looked through, repeated.

A source has one address. What is told there stands in ``webhook_events``, how it gets there in ``webhook_sending``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from sla_service.delivery.addresses import BadAddressError, Resolve, Rules, addresses, read, system_resolve
from sla_service.delivery.webhook_client import Poster
from sla_service.errors import NotFoundError, UsageError
from sla_service.services import audit, signing
from sla_service.services.app import App
from sla_service.services.doctor_check import Level
from sla_service.settings import Settings
from sla_service.settings_values import masked_url
from sla_service.store import signing as secret_rows
from sla_service.store import sources, webhooks

Row = Mapping[str, Any]

SENT_KEPT: Final = timedelta(days=30)
DEAD_KEPT: Final = timedelta(days=90)
_LONG: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Hook:
    """An address as it stands. ``secret`` is given once, when it was made."""

    source: str
    url: str
    state: str  # active, failing, disabled
    set_at: datetime
    disabled_at: datetime | None
    answered_at: datetime | None
    waiting: int
    dead: int
    secrets: tuple[Row, ...] = ()
    secret: str | None = field(default=None, repr=False)


def rules(settings: Settings) -> Rules:
    return Rules(http=settings.webhook_http, private=settings.webhook_private)


def poster(settings: Settings) -> Poster:
    return Poster(rules(settings))


def check(settings: Settings, url: str, *, resolve: Resolve = system_resolve) -> str:
    """The address as it may be set. Raises UsageError: one sentence.

    A name that leads nowhere is refused like one that leads inside, so that nobody learns which names there are.
    """
    url = url.strip()
    try:
        target = read(url, rules(settings))
        addresses(target, rules(settings), resolve)
    except BadAddressError as e:
        raise UsageError(str(e)) from None
    except (OSError, UnicodeError):
        raise UsageError(_NOWHERE.format(host=target.host)) from None
    return url


_NOWHERE: Final = "主机 {host} 在内网或保留地址上，不能用；要发到内网，请管理员设置 SLA_WEBHOOK_PRIVATE=true。"


def put(app: App, source: str, url: str, *, who: str, now: datetime) -> Hook:
    """Sets a checked address. The secret is made with the first one and stays when the address changes."""
    with app.db.write() as conn:
        _known(conn, source)
        old = webhooks.endpoint(conn, source)
        if old is None or old["url"] != url or old["disabled_at"] is not None:
            webhooks.put(conn, source, url, now=now)
            audit.note(conn, now, who, "webhook.set", source, url=masked_url(url))
        made = None
        if not secret_rows.of_source(conn, source, "out", now=now):
            made = signing.make(conn, app.settings, source, "out", now=now)
        return _hook(conn, source, now, secret=made)


def get(app: App, source: str, *, now: datetime) -> Hook:
    """Raises NotFoundError."""
    with app.db.read() as conn:
        _known(conn, source)
        return _hook(conn, source, now)


def every(app: App, *, now: datetime) -> list[Hook]:
    with app.db.read() as conn:
        return [_hook(conn, row["source"], now) for row in webhooks.endpoints(conn)]


def renew(app: App, source: str, *, overlap: timedelta, who: str, now: datetime) -> Hook:
    """A new secret; until the old ones end, both sign."""
    with app.db.write() as conn:
        _hook(conn, source, now)
        made = signing.renew(conn, app.settings, source, "out", until=now + overlap, now=now)
        audit.note(conn, now, who, "webhook.rotate", source, overlap_seconds=int(overlap.total_seconds()))
        return _hook(conn, source, now, secret=made)


def remove(app: App, source: str, *, who: str, now: datetime) -> int:
    """Forgets the address, its secrets and what has not gone out; gives how many events that were."""
    with app.db.write() as conn:
        _known(conn, source)
        if not webhooks.remove(conn, source):
            raise NotFoundError(_none(source))
        secret_rows.drop(conn, source, "out")
        gone = webhooks.drop(conn, source)
        audit.note(conn, now, who, "webhook.remove", source, dropped=gone)
        return gone


# -- the outbox, looked through -----------------------------------------------------------------------------


def listed(app: App, *, source: str | None, state: str | None, limit: int) -> list[Row]:
    """The newest first."""
    with app.db.read() as conn:
        if source is not None:
            _known(conn, source)
        return webhooks.listed(conn, source=source, state=state, limit=limit)


def one(app: App, event_id: str) -> Row:
    with app.db.read() as conn:
        found = webhooks.one(conn, event_id)
    if found is None:
        raise NotFoundError(f"没有发给业务系统的事件 {event_id}，用 sla webhooks list 查看。")
    return found


def repeat(app: App, *, source: str | None, event_id: str | None, who: str, now: datetime) -> int:
    """Lets dead events go out again, under their old ids; gives how many."""
    with app.db.write() as conn:
        if source is not None:
            _known(conn, source)
        back = webhooks.repeat(conn, source=source, event_id=event_id, now=now)
        audit.note(conn, now, who, "webhook.retry", source or event_id or "*", events=len(back))
    return len(back)


def prune(app: App, *, now: datetime) -> int:
    """Deletes what went out a month ago, and what has been dead for three."""
    with app.db.write() as conn:
        return webhooks.prune(conn, sent_before=now - SENT_KEPT, dead_before=now - DEAD_KEPT)


def troubles(app: App, *, now: datetime) -> list[tuple[Level, str, str]]:
    """For the doctor: how bad, what is wrong, and the command that mends it. Test sources are left to themselves."""
    found: list[tuple[Level, str, str]] = []
    with app.db.read() as conn:
        tests = {row["name"] for row in sources.everyone(conn) if row["test"]}
        hooks = [_hook(conn, row["source"], now) for row in webhooks.endpoints(conn) if row["source"] not in tests]
        since = {hook.source: webhooks.oldest_waiting(conn, hook.source) for hook in hooks}
        closed = signing.unreadable(conn, app.settings, now=now)
    found += [("error", text, "检查 SLA_DATA_KEY；sla data reseal") for text in closed]
    for hook in hooks:
        see = f"sla webhooks list --source {hook.source}"
        if hook.disabled_at is not None:
            mend = f"sla source webhook {hook.source} --url 新地址（或 --remove）"
            found.append(("warning", f"{hook.source} 的 webhook 回答了 410，已停用", mend))
        if hook.dead:
            mend = f"{see} --state dead；修好后 sla webhooks retry --source {hook.source}"
            found.append(("error", f"{hook.dead} 个事件没有发到 {hook.source} 的 webhook，已放弃", mend))
        begun = since[hook.source]
        if begun is not None and now - begun > _LONG:
            found.append(("warning", f"{hook.source} 的 webhook 有事件等了一天以上，共 {hook.waiting} 个", see))
    return found


def _hook(conn: Connection, source: str, now: datetime, *, secret: str | None = None) -> Hook:
    row = webhooks.endpoint(conn, source)
    if row is None:
        raise NotFoundError(_none(source))
    counts = webhooks.counts(conn, source)
    shown = ("id", "created_at", "expires_at")
    held = secret_rows.of_source(conn, source, "out", now=now)
    return Hook(
        source=source,
        url=row["url"],
        state="disabled" if row["disabled_at"] else "failing" if row["failures"] else "active",
        set_at=row["set_at"],
        disabled_at=row["disabled_at"],
        answered_at=row["answered_at"],
        waiting=counts["open"],
        dead=counts["dead"],
        secrets=tuple({k: r[k] for k in shown} for r in held),
        secret=secret,
    )


def _known(conn: Connection, source: str) -> None:
    if source not in sources.by_name(conn, [source]):
        raise NotFoundError(f"没有登记来源 {source}，已登记的见 sla source list。")


def _none(source: str) -> str:
    return f"来源 {source} 没有设置 webhook；设置用 sla source webhook {source} --url 地址。"
