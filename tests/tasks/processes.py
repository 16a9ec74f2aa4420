"""Real worker and beat processes on a database and a broker of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from story import make_app

from sla_service.services import intake
from sla_service.services.app import App
from sla_service.store import sources, tables

ROOT = Path(__file__).parent.parent.parent
ALWAYS = "send_window: always"  # real processes run on the real clock, at whatever hour


class Hall:
    """A database with one source, live for a year, and the processes that serve it."""

    def __init__(self, url: str, broker: str, folder: Path, **env: str) -> None:
        config = folder / "config"
        config.mkdir()
        for name in ("policy", "directory", "channels"):
            text = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")
            (config / f"{name}.yaml").write_text(text.replace("send_window: working_hours", ALWAYS), encoding="utf-8")
        self.folder, self.children = folder, list[subprocess.Popen[bytes]]()
        plain = {k: v for k, v in os.environ.items() if not k.startswith("SLA_")}
        settings = {"SLA_DATABASE_URL": url, "SLA_BROKER_URL": broker, "SLA_CONFIG_DIR": str(config), **env}
        self.env = plain | {"SLA_TICK_SECONDS": "1", "PYTHONPATH": str(ROOT), **settings}
        self.app: App = make_app(url)
        self.began = datetime.now(UTC)
        with self.app.db.write() as conn:
            long_ago = self.began - timedelta(days=365)
            sources.add(conn, "hall", hall="main", test=False, go_live=long_ago, now=long_ago)

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{argv[0]}{len(self.children)}.log").open("wb") as log:
            command = [sys.executable, "-m", "celery", "-A", "tasks.app", *argv]
            child = subprocess.Popen(
                command, cwd=self.folder, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        self.children.append(child)
        return child

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker", "-P", "threads", "-c", "4", "-l", "INFO", "--without-gossip", "--without-mingle")

    def beat(self) -> subprocess.Popen[bytes]:
        schedule = self.folder / f"schedule{len(self.children)}"
        return self.start("beat", "-l", "INFO", "--pidfile=", "-s", str(schedule))

    def overdue(self, *numbers: str) -> None:
        """Cases whose breach is already a few days old: handler and section head are to be told now."""
        opened = (self.began - timedelta(days=6)).isoformat()
        data = {"kind": "simple", "department": "社会事务科", "handler": "zhangsan"}
        head = {"specversion": "1.0", "source": "hall", "type": "case.accepted", "time": opened, "data": data}
        read = [intake.read({**head, "id": f"{no}/1", "subject": no}, now=self.began) for no in numbers]
        results = intake.receive(self.app, read, now=self.began, door="test")
        assert {r.status for r in results} == {"applied"}

    def closed_long_ago(self, no: str, *, since: timedelta, **data: object) -> None:
        """A case that was accepted and closed within a day, so long ago."""
        then = self.began - since
        later = then + timedelta(hours=1)
        done = {"outcome": "resolved", "replied_at": later.isoformat()}
        head = {"specversion": "1.0", "source": "hall", "subject": no}
        for type_, at, more in (("case.accepted", then, {"kind": "simple", **data}), ("case.closed", later, done)):
            event = {**head, "id": f"{no}/{type_}", "type": type_, "time": at.isoformat(), "data": more}
            (result,) = intake.receive(self.app, [intake.read(event, now=at)], now=at, door="test")
            assert result.status == "applied"

    def closed_without_acceptance(self, no: str, *, since: timedelta) -> None:
        """An event that has waited for its case for so long."""
        then = self.began - since
        head = {"specversion": "1.0", "source": "hall", "type": "case.closed", "time": then.isoformat(), "subject": no}
        read = [intake.read({**head, "id": no, "data": {"outcome": "resolved"}}, now=then)]
        (result,) = intake.receive(self.app, read, now=then, door="test")
        assert result.status == "waiting"

    def sent(self) -> list[str]:
        with self.app.db.read() as conn:
            rows = conn.execute(sa.select(tables.mailbox)).mappings()
            return sorted(f"{r['channel']} {r['name']}" for r in rows)

    def waiting(self) -> int:
        due = tables.messages.c.not_before <= datetime.now(UTC)
        query = sa.select(sa.func.count()).where(tables.messages.c.state.in_(("queued", "claimed")), due)
        with self.app.db.read() as conn:
            return int(conn.execute(query).scalar_one())

    def logs(self) -> str:
        return "\n".join(p.read_text(encoding="utf-8", errors="replace") for p in sorted(self.folder.glob("*.log")))

    def wait(self, done: Callable[[], bool], seconds: float = 60) -> None:
        """Waits for something to come true; the children's logs tell why it did not."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.logs()[-4000:]
            time.sleep(0.1)

    def stop(self) -> None:
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self.app.db.dispose()


@contextmanager
def hall(url: str, broker: str, folder: Path, **env: str) -> Iterator[Hall]:
    made = Hall(url, broker, folder, **env)
    try:
        yield made
    finally:
        made.stop()
