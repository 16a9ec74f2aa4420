"""The HTTP door on loopback: what a commit costs beside reading, checking and answering alone.

    python bench/http_door.py [--seconds 3] [--rounds 3] [--connections 32] [--batch 100] [--json]

Three servers, each one uvicorn process as it is started in earnest: on SQLite, on PostgreSQL (both durable), and one
that reads the body, looks at the key, checks the event and answers as always, but commits nothing (validate only).
Every event is a new case. The client shares the machine with the servers; ratios are taken inside one run. The
processor time of the server process per event says more than its rate when the machine has other work to do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import uvloop
from common import databases, rounds, show  # first: it finds the tests' servers
from fastapi import FastAPI

from builders import at  # isort: skip
from servers import free_port  # isort: skip

from sla_service import systime
from sla_service.services.intake import Incoming, Result
from sla_service.store import sources
from sla_service.store.engine import Database
from sla_service.web.app import create_app

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
LONG_AGO = at("2020-01-01 00:00")  # so that each event is just an event, not part of an opening list
_NUMBERS = itertools.count()


# -- servers --------------------------------------------------------------------------------------------------------


def validating() -> FastAPI:
    """The service with a committer that commits nothing and says what it would have said."""
    api = create_app()
    api.state.web.committer.commit = _nothing
    return api


async def _nothing(items: list[Incoming], *, dry_run: bool = False) -> list[Result]:  # noqa: ARG001
    case = {
        "source": "hall",
        "hall": "main",
        "title": "诊所名称核准",
        "kind": "simple",
        "matter": "登记",
        "handler": "x",
    }
    more = {"state": "running", "light": "green", "due_on": "2026-11-25", "due_at": "2026-11-25T17:30:00+08:00"}
    rest = dict.fromkeys(("department", "remaining_days", "verdict", "late_days", "closed_at"))
    return [Result(i.id, "applied", "", {**case, **more, **rest, "no": i.id, "findings": []}) for i in items]


@contextmanager
def serving(url: str, factory: str) -> Iterator[tuple[int, psutil.Process]]:
    """A server on a free port of the loopback, gone afterwards: its port and process."""
    port = free_port()
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "bench")))
    env = {**os.environ, "SLA_DATABASE_URL": url, "SLA_CONFIG_DIR": str(ROOT / "config"), "PYTHONPATH": paths}
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--host", HOST, "--port", str(port)]
    server = subprocess.Popen([*command, "--log-level", "warning", "--no-access-log"], env=env)
    try:
        _wait(server, f"http://{HOST}:{port}/readyz")
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


def new_key(url: str) -> str:
    database = Database(url)
    with database.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=LONG_AGO, now=systime.now())
        key = sources.new_key(conn, "hall", now=systime.now())
    database.dispose()
    return key


# -- client ---------------------------------------------------------------------------------------------------------


def request(port: int, key: str, batch: int) -> Callable[[], bytes]:
    """Makes the bytes of one request, each with new cases; ``batch`` 0 means a single event."""
    media = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {key}\r\nContent-Type: {media}\r\n"
    )
    when = systime.now().isoformat(timespec="seconds")
    data = {
        "kind": "simple",
        "title": "诊所名称核准",
        "matter": "登记",
        "department": "社会事务科",
        "handler": "zhangsan",
    }
    shape = {"specversion": "1.0", "source": "hall", "type": "case.accepted", "time": when, "data": data}
    frame = json.dumps(shape, ensure_ascii=False)[:-1]

    def event() -> str:
        n = next(_NUMBERS)
        return f'{frame},"id":"accepted/{n}","subject":"BBC-{n:09}"}}'

    def made() -> bytes:
        body = (f"[{','.join(event() for _ in range(batch))}]" if batch else event()).encode()
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return made


class Connection(asyncio.Protocol):
    """Keeps one request on its way until the time is up; ``took`` are the seconds of each."""

    def __init__(self, make: Callable[[], bytes], until: float) -> None:
        self.make, self.until = make, until
        self.took: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer, self.missing = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._next()

    def _next(self) -> None:
        self.begun = time.perf_counter()
        if self.begun >= self.until:
            self.done.set_result(None)
            self.transport.close()
        else:
            self.transport.write(self.make())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.missing:
            head, found, _ = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(self.buffer.decode()))
                return
            length = head.lower().split(b"content-length:", 1)[1].split(b"\r", 1)[0]
            self.missing = len(head) + 4 + int(length)
        if len(self.buffer) >= self.missing:
            self.took.append(time.perf_counter() - self.begun)
            self.buffer, self.missing = b"", 0
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


async def load(port: int, make: Callable[[], bytes], *, connections: int, seconds: float) -> tuple[list[float], float]:
    """Seconds of every request, and how long it all took."""
    loop, begin = asyncio.get_running_loop(), time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(make, begin + seconds), HOST, port) for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    return [t for _, protocol in made for t in protocol.took], time.perf_counter() - begin


# -- the comparison -------------------------------------------------------------------------------------------------


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seconds", type=float, default=3, help="per run")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--connections", type=int, default=32, help="for single events; batches use an eighth")
    ask.add_argument("--batch", type=int, default=100, help="events per batch, at most 1000")
    ask.add_argument("--json", action="store_true")
    args = ask.parse_args()
    latency: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}

    def run(name: str, port: int, process: psutil.Process, key: str, batch: int) -> Callable[[], tuple[int, float]]:
        connections = max(1, args.connections // 8) if batch else args.connections

        def once() -> tuple[int, float]:
            before = sum(process.cpu_times()[:2])
            work = load(port, request(port, key, batch), connections=connections, seconds=args.seconds)
            took, seconds = uvloop.run(work)
            events = len(took) * max(1, batch)
            latency.setdefault(name, []).extend(took)
            busy.setdefault(name, []).append((sum(process.cpu_times()[:2]) - before) / events * 1e6)
            return events, seconds

        return once

    with databases() as urls, ExitStack() as stack:
        keys = {name: new_key(url) for name, url in urls.items()}
        served = {n: stack.enter_context(serving(url, "sla_service.web.app:create_app")) for n, url in urls.items()}
        checks = stack.enter_context(serving(urls["sqlite"], "http_door:validating"))
        servers = {"validate only": (*checks, keys["sqlite"])} | {n: (*served[n], keys[n]) for n in urls}
        for title, batch in (("single events", 0), (f"batches of {args.batch}", args.batch)):
            runs = {name: run(f"{title}, {name}", *server, batch) for name, server in servers.items()}
            for warm in runs.values():
                warm()
            latency.clear()
            busy.clear()
            rates = rounds(runs, count=args.rounds)
            show(f"HTTP, {title}", rates, "validate only", unit="events/s", as_json=args.json)
            for name, took in latency.items():
                _show_more(name, took, statistics.median(busy[name]), as_json=args.json)


def _show_more(name: str, took: list[float], cpu: float, *, as_json: bool) -> None:
    p50, p99 = (statistics.quantiles(took, n=100)[i - 1] * 1000 for i in (50, 99))
    if as_json:
        print(json.dumps({"title": name, "p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "cpu_us": round(cpu, 1)}))
    else:
        print(f"  {name:<42} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   {cpu:7.0f} µs of processor per event")


if __name__ == "__main__":
    main()
