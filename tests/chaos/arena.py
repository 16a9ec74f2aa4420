"""A hall under fire: real worker, beat and web processes, a provider in its own process, and one clock for all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from hall_files import PLAIN, person, phone, write_config
from servers import free_port
from story import make_app

from sla_service.services import intake, ticking
from sla_service.services.config import load_config
from sla_service.store import sources, tables
from sla_service.supervisor.leash import leash
from tests.stub_provider.client import StubClient

ROOT = Path(__file__).parent.parent.parent
WARP = Path(__file__).parent / "warp"
#: Longer than any live call takes here, so that a jump of the clock ends no lease but a dead worker's.
STILL = 2.0
JUMP = 100.0  # seconds; a lease is 90
PATIENCE = 90.0


class Arena:
    """``people`` handlers, told on WeCom and by SMS when a case of theirs has run out; nobody else is told."""

    def __init__(
        self,
        url: str,
        broker: str,
        folder: Path,
        *,
        people: int = 20,
        ladder: str = PLAIN,
        begin: datetime | None = None,
        **env: str,
    ) -> None:
        """``begin``: the instant at which the hall's clock starts, now unless it is said."""
        self.url, self.folder, self.people = url, folder, people
        self.children: list[subprocess.Popen[bytes]] = []
        self.kills = 0
        self.clock = folder / "clock"
        self._set(0.0)
        self.stub = self._provider()
        if begin is not None:
            self.jump((begin - self.now).total_seconds())
        self.config = folder / "config"
        write_config(self.config, people, ladder, self.stub.base)
        plain = {k: v for k, v in os.environ.items() if not k.startswith("SLA_")}
        ours = {
            "SLA_DATABASE_URL": url,
            "SLA_BROKER_URL": broker,
            "SLA_CONFIG_DIR": str(self.config),
            "SLA_TICK_SECONDS": "1",
            "SLA_TEST_CLOCK": str(self.clock),
            "PYTHONPATH": f"{WARP}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.env = {k: v for k, v in {**plain, **ours, **env}.items() if v}
        self.app = make_app(url, config=load_config(self.config))
        long_ago = self.now - timedelta(days=365)
        with self.app.db.write() as conn:
            sources.add(conn, "hall", hall="main", test=False, go_live=long_ago, now=long_ago)
            self.key = sources.new_key(conn, "hall", now=long_ago)

    # -- the clock ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.shift)

    def _set(self, shift: float) -> None:
        self.shift = shift
        new = self.clock.with_suffix(".new")
        new.write_text(repr(shift), "ascii")
        new.replace(self.clock)  # in one step: nobody reads half of it

    def jump(self, seconds: float) -> None:
        """Moves the clock of every process, the provider's too."""
        self._set(self.shift + seconds)
        self.stub.control(shift=seconds)

    # -- what there is ------------------------------------------------------------------------------------------

    def _provider(self) -> StubClient:
        port = free_port()
        argv = [sys.executable, "-m", "tests.stub_provider", "--port", str(port)]
        self.provider = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=leash(signal.SIGKILL))  # noqa: PLW1509
        assert self.provider.stdout is not None
        return StubClient(self.provider.stdout.readline().decode().strip())

    def overdue(self, begin: int, end: int) -> list[tuple[str, str, str]]:
        """Cases ``begin`` to ``end``, each of another handler and run out long ago: who is to be told of it now."""
        opened = (self.now - timedelta(days=30)).isoformat()
        events = [self.event("case.accepted", f"C{n:05}", opened, handler=person(n)) for n in range(begin, end)]
        for at in range(0, len(events), 500):
            self.take(*events[at : at + 500])
        return self.due(begin, end)

    def take(self, *events: dict[str, Any]) -> None:
        read = [intake.read(e, now=self.now) for e in events]
        results = intake.receive(self.app, read, now=self.now, door="test")
        assert {r.status for r in results} == {"applied"}, results

    def due(self, begin: int, end: int) -> list[tuple[str, str, str]]:
        wecom = [("wecomapp", person(n), f"C{n:05}") for n in range(begin, end)]
        return wecom + [("yunmas", phone(n), f"C{n:05}") for n in range(begin, end)]

    def event(self, type_: str, no: str, time_: str | None = None, **data: Any) -> dict[str, Any]:
        if type_ == "case.accepted":
            data = {"kind": "simple", "department": "一科", **data}
        when = time_ or self.now.isoformat()
        head = {"specversion": "1.0", "id": f"{no}/{type_}/{when}", "source": "hall", "subject": no}
        return {**head, "type": type_, "time": when, "data": data}

    def look(self) -> int:
        """One tick in this process, as one more worker: what is due is queued now."""
        return ticking.fire_due(self.app, now=self.now).messages

    def rows(self, statement: Any) -> list[dict[str, Any]]:
        with self.app.db.read() as conn:
            return [dict(r) for r in conn.execute(statement).mappings()]

    # -- processes ----------------------------------------------------------------------------------------------

    def start(self, name: str, *argv: str, **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}{len(self.children)}.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", *argv],
                cwd=self.folder,
                env={**self.env, **env},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=leash(signal.SIGKILL),  # noqa: PLW1509  a killed run leaves nobody behind
            )
        self.children.append(child)
        return child

    def worker(self) -> subprocess.Popen[bytes]:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return self.start(
            "worker", "celery", "-A", "tasks.app", "worker", "-P", "threads", "-c", "4", "-l", "INFO", *quiet
        )

    def beat(self) -> subprocess.Popen[bytes]:
        schedule = self.folder / f"schedule{len(self.children)}"
        return self.start("beat", "celery", "-A", "tasks.app", "beat", "-l", "INFO", "--pidfile=", "-s", str(schedule))

    def web(self, port: int | None = None) -> subprocess.Popen[bytes]:
        self.port = port or free_port()
        where = ("--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning")
        child = self.start("web", "uvicorn", "sla_service.web.app:create_app", "--factory", *where)
        self.wait(lambda: self.get("/healthz")[0] == 200)
        return child

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """SIGKILL to one process; what hangs on it goes the way it goes in earnest."""
        self.kills += 1
        child.kill()
        child.wait()

    def kill_all(self) -> None:
        """A power cut for everything but the servers and the provider."""
        living = [c for c in self.children if c.poll() is None]
        for child in living:
            child.send_signal(signal.SIGKILL)
        for child in living:
            child.wait()
        self.kills += len(living)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self._call(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def post(self, events: Any) -> tuple[int, dict[str, str], bytes]:
        batch = "-batch" if isinstance(events, list) else ""
        return self._send("/v1/events", events, f"application/cloudevents{batch}+json")

    def ack(self, no: str, who: str) -> tuple[int, dict[str, str], bytes]:
        """``who`` has seen what he was told about a case, or is about to be told."""
        return self._send(f"/v1/cases/hall/{no}/ack", {"by": who}, "application/json")

    def _send(self, path: str, body: Any, kind: str) -> tuple[int, dict[str, str], bytes]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        url = f"http://127.0.0.1:{self.port}{path}"
        return self._call(urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST"))

    def _call(self, request: urllib.request.Request) -> tuple[int, dict[str, str], bytes]:
        """Status 0: nobody answered."""
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, dict(e.headers), e.read()
        except OSError:
            return 0, {}, b""

    # -- waiting ------------------------------------------------------------------------------------------------

    def wait(self, done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.logs()[-1500:]
            time.sleep(0.05)

    def settle(self, *, seconds: float = PATIENCE * 2, until: Callable[[], bool] = lambda: False) -> bool:
        """Until nothing is left to do (False) or ``until`` (True).

        When all is still, the clock jumps past leases and waits.
        """
        end, last, since = time.monotonic() + seconds, None, time.monotonic()
        while True:
            if until():
                return True
            pulse, open_work = self._pulse()
            if not open_work:
                return False
            if pulse != last:
                last, since = pulse, time.monotonic()
            elif time.monotonic() - since > STILL:
                self.jump(JUMP)
                since = time.monotonic()
            assert time.monotonic() < end, f"{open_work} left\n{self.logs()[-1500:]}"
            time.sleep(0.05)

    def _pulse(self) -> tuple[Any, int]:
        m, d, k = tables.messages.c, tables.deliveries.c, tables.clocks.c
        counts = [
            sa.select(sa.func.count()).where(m.state.in_(("queued", "claimed"))),
            sa.select(sa.func.count()).where(d.state.in_(("queued", "claimed", "sending"))),
            sa.select(sa.func.count()).where(k.next_at <= self.now),
        ]
        try:
            with self.app.db.read() as conn:
                left = [int(conn.execute(q).scalar_one()) for q in counts]
                tries = conn.execute(sa.select(sa.func.count()).select_from(tables.attempts)).scalar_one()
        except sa.exc.DBAPIError:  # the database is what is being killed
            return ("away", time.monotonic()), 1
        return (tuple(left), tries, self.heard()), sum(left)

    def open_work(self) -> int:
        return self._pulse()[1]

    def heard(self) -> int:
        """Calls that reached the provider."""
        stats = self.stub.stats
        return stats.get("requests.wecomapp", 0) + stats.get("requests.yunmas", 0)

    def logs(self, name: str = "") -> str:
        return "\n".join(p.read_text("utf-8", "replace") for p in sorted(self.folder.glob(f"{name}*.log")))

    def close(self) -> None:
        for child in [*self.children, self.provider]:
            if child.poll() is None:
                for grandchild in psutil.Process(child.pid).children(recursive=True):
                    grandchild.kill()
                child.kill()
            child.wait()
        if self.provider.stdout is not None:
            self.provider.stdout.close()
        self.app.channels.close()
        self.app.db.dispose()


@contextmanager
def arena(url: str, broker: str, folder: Path, **how: Any) -> Iterator[Arena]:
    made = Arena(url, broker, folder, **how)
    try:
        yield made
    finally:
        made.close()
