"""Events at a steady rate against a service with many running cases: does anything grow that should not?

    python bench/load.py [--database URL] [--rate 100] [--seconds 60 | --minutes 60] [--cases 10000] [--json FILE]

Real web, beat and two workers on loopback, sandbox channels, eight senders with ten events per request. Every few
seconds it takes memory, open connections, the database's size and the age of what waits; at the end a minute at
``--burst`` times the rate, and how long until the senders are on time again. Without ``--database`` it brings its own
PostgreSQL; ``sqlite`` is a file (default rate 20). ``--minutes 60`` is the whole form, the default a look.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psutil  # noqa: E402  (the project's folder has to be on the path first)
import sqlalchemy as sa  # noqa: E402
from servers import Postgres, Valkey, free_port  # noqa: E402

from sla_service.bootstrap import build  # noqa: E402
from sla_service.services import intake  # noqa: E402
from sla_service.settings import Settings  # noqa: E402
from sla_service.store import migrate, sources, tables  # noqa: E402
from sla_service.supervisor.leash import leash  # noqa: E402

BATCH = 10  # events per request
SENDERS = 8  # connections
EVERY = 10.0  # seconds between two looks, at most
PATIENCE = 120.0
FLAT = ("rss_mb", "connections", "database_connections", "p95_ms")  # first, middle, last look
TABLES = (tables.inbox, tables.cases, tables.clocks, tables.messages, tables.audit)


def parts(env: dict[str, str], folder: Path, port: int) -> list[subprocess.Popen[bytes]]:
    celery = [sys.executable, "-m", "celery", "-A", "tasks.app"]
    quiet = ["-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    commands = [[*celery, "worker", "-P", "threads", "-c", "4", *quiet] for _ in range(2)]
    commands.append([*celery, "beat", "-l", "WARNING", "--pidfile=", "-s", str(folder / "schedule")])
    web = ["uvicorn", "sla_service.web.app:create_app", "--factory", "--log-level", "warning", "--no-access-log"]
    commands.append([sys.executable, "-m", *web, "--port", str(port)])
    log = (folder / "log").open("ab")
    return [
        subprocess.Popen(c, env=env, cwd=folder, stdout=log, stderr=log, preexec_fn=leash(signal.SIGKILL))  # noqa: PLW1509
        for c in commands
    ]


def accepted(no: str) -> dict[str, Any]:
    data = {"kind": "complex", "department": "社会事务科", "handler": "zhangsan", "title": "压力测试"}
    head = {"specversion": "1.0", "id": f"{no}/1", "source": "load", "type": "case.accepted", "subject": no}
    return {**head, "time": datetime.now(UTC).isoformat(), "data": data}


def next_event(n: int, cases: int) -> dict[str, Any]:
    """New cases and closings in turn, so that about as many run at the end as at the beginning."""
    if n % 2:
        return accepted(f"N{n}")
    no = f"L{(n // 2) % cases}" if n // 2 < cases else f"N{2 * (n // 2 - cases) + 1}"
    now = datetime.now(UTC).isoformat()
    head = {"specversion": "1.0", "id": f"{no}/close", "source": "load", "type": "case.closed", "subject": no}
    return {**head, "time": now, "data": {"outcome": "resolved", "replied_at": now}}


class Sender(threading.Thread):
    """One connection of the case systems. Keeps to its share of the rate; what it could not send in time is late."""

    def __init__(self, all_: Senders) -> None:
        super().__init__(daemon=True)
        self.all, self.late = all_, 0.0
        self.waits: list[float] = []

    def run(self) -> None:
        conn = http.client.HTTPConnection("127.0.0.1", self.all.port, timeout=40)
        headers = {"Authorization": f"Bearer {self.all.key}", "Content-Type": "application/cloudevents-batch+json"}
        due = time.monotonic()
        while not self.all.stop:
            due += BATCH * SENDERS / self.all.rate
            time.sleep(max(0.0, due - time.monotonic()))
            self.late = max(0.0, time.monotonic() - due)
            events = self.all.next_batch()
            begin = time.monotonic()
            conn.request("POST", "/v1/events", json.dumps(events), headers)
            answer = conn.getresponse()
            body = json.loads(answer.read())
            self.waits.append(time.monotonic() - begin)
            self.all.answered(body.get("results", [{"status": f"http {answer.status}"}]))
        conn.close()


class Senders:
    """Several case systems at once: a single connection would measure one round trip after the other."""

    def __init__(self, port: int, key: str, cases: int) -> None:
        self.port, self.key, self.cases = port, key, cases
        self.rate, self.stop, self.sent = 1.0, False, 0
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._threads = [Sender(self) for _ in range(SENDERS)]

    def start(self, rate: float) -> None:
        self.rate = rate
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self.stop = True
        for thread in self._threads:
            thread.join(60)

    def next_batch(self) -> list[dict[str, Any]]:
        with self._lock:
            self.sent += BATCH
            first = self.sent - BATCH
        return [next_event(first + i, self.cases) for i in range(BATCH)]

    def answered(self, results: list[dict[str, Any]]) -> None:
        with self._lock:
            self.answers.update(r["status"] for r in results)

    @property
    def late(self) -> float:
        return max(t.late for t in self._threads)

    @property
    def p95_ms(self) -> int:
        recent = sorted(w for t in self._threads for w in t.waits[-100:]) or [0.0]
        return round(recent[int(len(recent) * 0.95)] * 1000)


def sample(
    engine: sa.Engine, children: list[subprocess.Popen[bytes]], began: float, senders: Senders
) -> dict[str, Any]:
    now = datetime.now(UTC)
    m, k = tables.messages.c, tables.clocks.c
    with engine.connect() as conn:
        rows = {t.name: conn.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in TABLES}
        message = conn.execute(
            sa.select(sa.func.min(m.not_before)).where(m.state == "queued", m.not_before <= now)
        ).scalar()
        look = conn.execute(sa.select(sa.func.min(k.next_at)).where(k.next_at <= now)).scalar()
        size, opened = _size(conn)
    memory = [psutil.Process(c.pid).memory_info().rss >> 20 for c in children]
    sockets = sum(len(psutil.Process(c.pid).net_connections("tcp")) for c in children)
    ages = {
        name: round((now - at).total_seconds(), 1) if at else 0.0 for name, at in (("message", message), ("look", look))
    }
    at = round(time.monotonic() - began, 1)
    return {"s": at, "sent": senders.sent, "late_s": round(senders.late, 2), "p95_ms": senders.p95_ms,
            "rss_mb": memory, "connections": sockets, "database_connections": opened, "database_mb": size,
            "rows": rows, "age_s": ages}  # fmt: skip


def _size(conn: sa.Connection) -> tuple[float, int | None]:
    """Megabytes of the whole database, and connections to it (SQLite has none to count)."""
    if conn.dialect.name == "sqlite":
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one() * 4096
        return round(pages / 2**20, 1), None
    size = conn.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    opened = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    return round(size / 2**20, 1), int(conn.exec_driver_sql(opened).scalar_one())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="a PostgreSQL URL that may be filled, or the word sqlite")
    parser.add_argument("--rate", type=float, help="events per second (100, on SQLite 20)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, help="the same in minutes: 60 is the form that a release is held to")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--burst", type=float, default=5.0, help="times the rate")
    parser.add_argument("--burst-seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.seconds = options.minutes * 60 if options.minutes else options.seconds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sla-load-")))
        url = options.database
        if url == "sqlite":
            url = f"sqlite:///{folder}/load.db"
        elif url is None:
            url = stack.enter_context(Postgres(durable=True)).url
        rate = options.rate or (20.0 if url.startswith("sqlite") else 100.0)
        found = run(url, stack.enter_context(Valkey()).url, folder, rate, options)
    print(json.dumps(found["summary"], ensure_ascii=False, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0 if found["summary"]["lost"] == 0 else 1


def run(url: str, broker: str, folder: Path, rate: float, options: argparse.Namespace) -> dict[str, Any]:
    migrate.upgrade(url)
    app = build(Settings(database_url=url, config_dir=ROOT / "config"))
    long_ago = datetime.now(UTC) - timedelta(days=30)
    with app.db.write() as conn:
        sources.add(conn, "load", hall="main", test=False, go_live=long_ago, now=long_ago)
        key = sources.new_key(conn, "load", now=long_ago)
    for begin in range(0, options.cases, 500):
        now = datetime.now(UTC)
        items = [intake.read(accepted(f"L{n}"), now=now) for n in range(begin, min(begin + 500, options.cases))]
        intake.receive(app, items, now=now, door="load")
    port = free_port()
    plain = {k: v for k, v in os.environ.items() if not k.startswith("SLA_")}
    ours = {"SLA_DATABASE_URL": url, "SLA_BROKER_URL": broker, "SLA_CONFIG_DIR": str(ROOT / "config")}
    children = parts({**plain, **ours, "PYTHONPATH": str(ROOT)}, folder, port)
    senders = Senders(port, key, options.cases)
    samples = []
    try:
        _until_ready(port, children)
        began = time.monotonic()
        senders.start(rate)
        while time.monotonic() - began < options.seconds:
            time.sleep(min(EVERY, options.seconds / 6))
            samples.append(sample(app.db.engine, children, began, senders))
        senders.rate = rate * options.burst
        time.sleep(options.burst_seconds)
        burst, senders.rate = sample(app.db.engine, children, began, senders), rate
        calm = time.monotonic()
        while senders.late > 1.0 and time.monotonic() - calm < PATIENCE:
            time.sleep(0.5)
        recovered = round(time.monotonic() - calm, 1)
        senders.join()
        last = sample(app.db.engine, children, began, senders)
    finally:
        for child in children:
            child.kill()
            child.wait()
    kept = last["rows"]["inbox"] - options.cases
    app.db.dispose()
    first, middle, end = samples[0], samples[len(samples) // 2], samples[-1]
    summary = {
        "database": url.partition("+")[0].partition(":")[0], "rate": rate, "seconds": options.seconds,
        "running_cases": options.cases, "sent": senders.sent, "kept": kept, "lost": senders.sent - kept,
        "answers": dict(senders.answers),
        **{name: [s[name] for s in (first, middle, end)] for name in FLAT},
        "kb_per_event": [_growth(first, middle), _growth(middle, end)], "age_s": end["age_s"],
        "burst": {k: burst[k] for k in ("late_s", "p95_ms", "age_s")}, "recovered_s": recovered,
    }  # fmt: skip
    return {"summary": summary, "samples": [*samples, burst, last]}


def _growth(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Kilobytes by which the database grew for each event between two looks."""
    events = max(1, after["sent"] - before["sent"])
    return round((after["database_mb"] - before["database_mb"]) * 1024 / events, 2)


def _until_ready(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            conn = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            conn.request("GET", "/readyz")
            if conn.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        if any(c.poll() is not None for c in children):
            break
    raise SystemExit("the service did not start")


if __name__ == "__main__":
    sys.exit(main())
