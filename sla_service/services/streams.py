"""The Redis stream ``sla:events`` as everybody but its readers sees it: how far it is, and what was put aside.

The readers (``tasks.stream``) note its state in the database each quarter of a minute, so whoever asks needs no broker.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from sla_service.services.app import App
from sla_service.store import facts

STREAM: Final = "sla:events"
DEAD: Final = "sla:events:dead"
GROUP: Final = "sla"
FIELD: Final = b"event"
TIMEOUT_SECONDS: Final = 10
FACT: Final = "stream_state"
_COUNTED: Final = 10_000

Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class StreamState:
    """``lag``: entries nobody has taken yet, of which the oldest was written at ``oldest_at``; ``pending``: taken and
    not acknowledged; ``dead``: put aside with a reason; ``length``: all that Redis holds of the stream.
    """

    at: datetime
    lag: int = 0
    pending: int = 0
    dead: int = 0
    length: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadEntry:
    """An entry that could not become an event. ``id`` is its own in ``sla:events:dead``, ``at`` when it got there."""

    id: str
    at: datetime
    entry: str
    reason: str
    event: bytes | None


def connect(broker_url: str) -> redis.Redis:
    """A client for the broker's URL; Celery's ``redis+socket://`` is redis-py's ``unix://``."""
    url = broker_url.replace("redis+socket://", "unix://", 1)
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def look(client: redis.Redis, *, now: datetime) -> StreamState:
    """How the stream stands. Raises RedisError when the broker is away."""
    try:
        groups: Any = client.xinfo_groups(STREAM)
    except ResponseError:  # nobody has written to it yet
        groups = []
    group = next((g for g in groups if g["name"] == GROUP.encode()), None)
    taken = group["last-delivered-id"].decode() if group is not None else "0-0"
    ahead: Any = client.xrange(STREAM, f"({taken}", "+", count=1)
    lag = group.get("lag") if group is not None else None
    if lag is None:  # Redis cannot tell after entries were deleted by hand: then counted, up to a limit
        counted: Any = client.xrange(STREAM, f"({taken}", "+", count=_COUNTED) if ahead else []
        lag = len(counted)
    length: Any = client.xlen(STREAM)
    dead: Any = client.xlen(DEAD)
    oldest = written_at(ahead[0][0]) if ahead else None
    return StreamState(now, int(lag), int(group["pending"]) if group is not None else 0, dead, length, oldest)


def written_at(entry_id: bytes) -> datetime:
    """When an entry was written: its id begins with the milliseconds. An id that a sender made up may mean anything."""
    try:
        return datetime.fromtimestamp(int(entry_id.split(b"-")[0]) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def note(app: App, state: StreamState) -> None:
    """Leaves the state where every process can read it (``facts``)."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(state).items()}
    with app.db.write() as conn:
        facts.put(conn, FACT, json.dumps(plain), now=state.at)


def noted(app: App) -> StreamState | None:
    """The state as the readers saw it last; None if no reader has ever run."""
    with app.db.read() as conn:
        fact = facts.get(conn, FACT)
    if fact is None:
        return None
    plain = json.loads(fact["value"])
    oldest = plain.pop("oldest_at")
    at = datetime.fromisoformat(plain.pop("at"))
    return StreamState(at, **plain, oldest_at=datetime.fromisoformat(oldest) if oldest else None)


# -- what was put aside -----------------------------------------------------------------------------------------------


def dead(client: redis.Redis, *, limit: int) -> list[DeadEntry]:
    """What was put aside, the newest first."""
    rows: Any = client.xrevrange(DEAD, count=limit)
    return [_dead(entry_id, fields) for entry_id, fields in rows]


def _dead(entry_id: bytes, fields: dict[bytes, bytes]) -> DeadEntry:
    words = {k: fields.get(k, b"").decode("utf-8", "replace") for k in (b"id", b"reason")}
    return DeadEntry(entry_id.decode(), written_at(entry_id), words[b"id"], words[b"reason"], fields.get(FIELD))


def repeat(client: redis.Redis, entry: DeadEntry) -> bool:
    """Puts an entry back into the stream, to be read under today's rules; False for one without an event.

    Written first and removed after: between the two it is there twice, which is harmless, and never not at all.
    """
    if entry.event is None:
        return False
    client.xadd(STREAM, {FIELD: entry.event})
    client.xdel(DEAD, entry.id)
    return True
