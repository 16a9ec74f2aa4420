"""The audit log as use cases: noting what people and keys changed, sealing, verifying, letting old rows go."""

from __future__ import annotations

import getpass
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from sla_service.errors import SlaError
from sla_service.services.app import App
from sla_service.store import audit, tallies

#: 网络安全法第二十一条: logs are kept for at least six months.
LEAST_DAYS = 180
BLOCK = 5_000
_PRUNED_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not agree: the block, the row if it is one, and what is wrong with it."""

    block: int
    seq: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``head`` is the hash of the whole chain: kept elsewhere, it also shows a chain that was written anew."""

    findings: tuple[Finding, ...]
    blocks: int
    rows: int
    unsealed: int
    pruned: int
    head: str


def operator() -> str:
    """Who sits at this machine's command line, as far as the system knows."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        name = str(os.getuid())
    return f"cli:{name}"


def note(conn: Connection, now: datetime, who: str, what: str, subject: str, result: str = "ok", **detail: Any) -> None:
    """One change by a person, in the transaction of the change."""
    audit.add(conn, [audit.entry(now, who, what, subject, result, **detail)])


def noted(app: App, now: datetime, what: str, subject: str, result: str = "ok", **detail: Any) -> None:
    """What somebody at the command line did that left nothing else in the database."""
    with app.db.write() as conn:
        note(conn, now, operator(), what, subject, result, **detail)


def taken(conn: Connection, items: Sequence[Any], results: Sequence[Any], *, now: datetime, door: str) -> None:
    """What came in with a key: one row per source and batch, each event with its status and what its body weighed.

    ``items`` are ``intake.Incoming``, ``results`` theirs, in the same order.
    """
    of_source: dict[str, list[list[str]]] = {}
    for item, result in zip(items, results, strict=True):
        event = item.event
        source = event.source if event is not None else item.owner
        no, content = (event.subject, event.content[:16]) if event is not None else ("", "")
        of_source.setdefault(_storable(source), []).append(
            [_storable(result.id or ""), result.status, _storable(no), content]
        )
    rows = []
    for source, events in sorted(of_source.items()):
        counts = Counter(status for _, status, _, _ in events)
        told = " ".join(f"{status}={n}" for status, n in sorted(counts.items()))
        rows.append(audit.entry(now, f"source:{source}", "events", door, told, events=events))
    audit.add(conn, rows)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")


def seal(app: App, *, now: datetime) -> int:
    """Seals what was written since the last time, and lets go of what is older than the setting says."""
    done = 0
    while True:
        with app.db.write() as conn:
            rows = audit.seal(conn, now=now, algorithm=app.settings.audit_hash, limit=BLOCK)
            tallies.add(conn, rows)
            sealed = len(rows)
            if sealed < BLOCK:
                keep = timedelta(days=max(LEAST_DAYS, app.settings.audit_days))
                audit.prune(conn, before=now - keep, now=now, blocks_at_once=_PRUNED_AT_ONCE)
        done += sealed
        if sealed < BLOCK:
            return done


def prune(app: App, *, days: int, now: datetime) -> int:
    """Lets go of rows older than ``days``; fewer than 180 are refused."""
    if days < LEAST_DAYS:
        raise SlaError(f"审计日志至少保存 {LEAST_DAYS} 天（网络安全法第二十一条），不能只留 {days} 天。")
    with app.db.write() as conn:
        gone = audit.prune(conn, before=now - timedelta(days=days), now=now, blocks_at_once=1_000_000)
        note(conn, now, operator(), "audit.prune", f"{days}d", rows=gone)
        return gone


def verify(app: App, *, expect: str | None = None) -> Verdict:
    """Walks the whole chain. Finds a changed, missing or inserted row, a block taken out, and rows gone too early."""
    findings: list[Finding] = []
    at, wanted, rows, pruned, seen = "", 1, 0, 0, expect is None
    with app.db.read() as conn:
        for block in audit.blocks(conn):
            n = block["n"]
            if n != wanted:
                findings.append(Finding(n, None, f"缺少第 {wanted} 到 {n - 1} 块"))
            wanted = n + 1
            if block["pruned_at"] is not None:
                pruned += 1
                if block["pruned_at"] - block["sealed_at"] < timedelta(days=LEAST_DAYS):
                    findings.append(Finding(n, None, f"不满 {LEAST_DAYS} 天就被删除"))
            else:
                found = audit.rows_of(conn, n)
                rows += len(found)
                findings += _walk(block, at, found)
            at = block["hash"]
            seen = seen or at == expect
        findings += [Finding(n, None, "有行属于不存在的块") for n in audit.stray_blocks(conn)]
        left = audit.unsealed(conn)
    if not seen:
        findings.append(Finding(wanted - 1, None, "链里没有 --expect 给出的校验值，整条链可能被重写过"))
    return Verdict(tuple(findings), wanted - 1, rows, left, pruned, at)


def _walk(block: Mapping[str, Any], before: str, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """The first row of a block that does not follow from the one before it; what comes after tells nothing more."""
    algorithm, n, at = block["algorithm"], block["n"], before
    for row in rows:
        here = audit.chained(algorithm, at, row)
        if here != row["hash"]:
            return [Finding(n, row["seq"], "这一行被改动，或它前面少了或多了一行")]
        at = here
    if len(rows) != block["rows"]:
        return [Finding(n, None, f"应有 {block['rows']} 行，现有 {len(rows)} 行")]
    if audit.closed(algorithm, at, block) != block["hash"]:
        return [Finding(n, None, "块的校验值不符，末尾的行或块本身被改动")]
    return []
