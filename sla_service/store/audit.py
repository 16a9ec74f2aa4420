"""The audit log: rows written freely by whoever changes something, chained a moment later by whoever seals.

A chain that every writer had to extend would be one lock for all workers. So a row is written without its hash, in the
transaction of the change itself; the sealer takes what is not sealed yet, in order of number, and chains it as a block.
A row that commits late (its number was given out earlier) simply comes into the next block.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from sqlalchemy.engine import Connection

from sla_service.store import bulk, tables

Row = Mapping[str, Any]
_A, _B = tables.audit, tables.audit_blocks
_LOCK = 0x51A0_A0D1  # PostgreSQL's advisory lock: one sealer at a time
_PAGE = 2_000


def add(conn: Connection, rows: Sequence[Row]) -> None:
    """Adds rows of at, who, what, subject, result and detail (no applicant's data: rows are never erased)."""
    bulk.insert(conn, _A, rows)


def entry(now: datetime, who: str, what: str, subject: str, result: str, **detail: Any) -> dict[str, Any]:
    return {"at": now, "who": who, "what": what, "subject": subject, "result": result, "detail": detail}


# -- the chain ----------------------------------------------------------------------------------------------


def digest(algorithm: str, *parts: str) -> str:
    """Hex digest by ``sha256`` or ``sm3`` (GB/T 32905-2016)."""
    data = "\n".join(parts).encode()
    if algorithm == "sm3":
        made = hashes.Hash(hashes.SM3())  # in every build, unlike hashlib's
        made.update(data)
        return made.finalize().hex()
    return hashlib.new(algorithm, data).hexdigest()


def chained(algorithm: str, before: str, row: Row) -> str:
    """The hash of a row in its place: every column that was written, and what came before."""
    plain = [row["seq"], row["at"].astimezone(UTC).isoformat(), *(row[k] for k in ("who", "what", "subject", "result"))]
    return digest(algorithm, before, json.dumps([*plain, row["detail"]], sort_keys=True, ensure_ascii=True))


def closed(algorithm: str, last: str, block: Row) -> str:
    """The hash that stands for a whole block, its own columns included."""
    at = block["sealed_at"].astimezone(UTC).isoformat()
    return digest(algorithm, last, json.dumps([block["n"], at, block["rows"], algorithm]))


def seal(conn: Connection, *, now: datetime, algorithm: str, limit: int) -> list[Row]:
    """Chains up to ``limit`` unsealed rows as one block; gives them. None also when another one is at it."""
    if conn.dialect.name != "sqlite" and not conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))).scalar():
        return []
    query = sa.select(_A).where(_A.c.block.is_(None)).order_by(_A.c.seq).limit(limit)
    rows: list[Row] = [dict(r) for r in conn.execute(query).mappings()]
    if not rows:
        return []
    head = last_block(conn)
    block = {"n": head["n"] + 1 if head else 1, "sealed_at": now, "rows": len(rows), "algorithm": algorithm}
    at = head["hash"] if head else ""
    sealed = []
    for row in rows:
        at = chained(algorithm, at, row)
        sealed.append({"seq": row["seq"], "block": block["n"], "hash": at})
    if conn.dialect.name == "sqlite":
        mine = _A.update().where(_A.c.seq == sa.bindparam("k"))
        values = [{"k": r["seq"], "b": r["block"], "h": r["hash"]} for r in sealed]
        conn.execute(mine.values(block=sa.bindparam("b"), hash=sa.bindparam("h")), values)
    else:
        bulk.update(conn, _A, sealed, key=("seq",))
    conn.execute(_B.insert().values(**block, hash=closed(algorithm, at, block)))
    return rows


def last_block(conn: Connection) -> Row | None:
    row = conn.execute(sa.select(_B).order_by(_B.c.n.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else dict(row)


def blocks(conn: Connection) -> Iterator[Row]:
    after = 0
    while found := list(conn.execute(sa.select(_B).where(_B.c.n > after).order_by(_B.c.n).limit(_PAGE)).mappings()):
        yield from map(dict, found)
        after = found[-1]["n"]


def rows_of(conn: Connection, block: int) -> list[Row]:
    query = sa.select(_A).where(_A.c.block == block).order_by(_A.c.seq)
    return [dict(r) for r in conn.execute(query).mappings()]


def stray_blocks(conn: Connection) -> list[int]:
    """Numbers of blocks that rows name and the chain does not know."""
    query = sa.select(_A.c.block).outerjoin(_B, _B.c.n == _A.c.block).where(_A.c.block.is_not(None), _B.c.n.is_(None))
    return list(conn.execute(query.distinct().limit(10)).scalars())


def unsealed(conn: Connection) -> int:
    return int(conn.execute(sa.select(sa.func.count()).where(_A.c.block.is_(None))).scalar_one())


def listed(conn: Connection, *, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    """All rows in order of number, a page at a time."""
    wanted = [_A.c.at >= since] if since is not None else []
    wanted += [_A.c.at < until] if until is not None else []
    after = 0
    while True:
        query = sa.select(_A).where(_A.c.seq > after, *wanted).order_by(_A.c.seq).limit(_PAGE)
        found = list(conn.execute(query).mappings())
        if not found:
            return
        yield from map(dict, found)
        after = found[-1]["seq"]


def prune(conn: Connection, *, before: datetime, now: datetime, blocks_at_once: int) -> int:
    """Deletes the rows of blocks sealed before then; their hashes stay, so that the chain can still be walked."""
    old = sa.select(_B.c.n).where(_B.c.sealed_at < before, _B.c.pruned_at.is_(None)).order_by(_B.c.n)
    numbers = list(conn.execute(old.limit(blocks_at_once)).scalars())
    if not numbers:
        return 0
    gone = conn.execute(_A.delete().where(_A.c.block.in_(numbers))).rowcount
    conn.execute(_B.update().where(_B.c.n.in_(numbers)).values(pruned_at=now))
    return gone
