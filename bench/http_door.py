"""The HTTP door on loopback: what a commit costs beside reading, checking and answering alone.

    python bench/http_door.py [--seconds 3] [--rounds 3] [--connections 32] [--batch 100] [--json]

Servers, each one uvicorn process as it is started in earnest: on SQLite, on PostgreSQL (both durable); one that reads
the body, looks at the key, checks the event and answers as always, but commits nothing (validate only); and, for
batches, one per database that does all that and writes the same rows by a hand-written loop, one transaction per
request, looking at nothing (raw loop). Every event is a new case. The client shares the machine with the servers;
ratios are taken inside one run. The processor time of the server process per event says more than its rate when the
machine has other work to do.

Afterwards single events come at half the rate that was reached, by the clock: a request's time runs from when it was
to be sent, so that a queue is not hidden by a client that waits. Targets: single events on PostgreSQL at least 25 % of
validate only, p99 under 100 ms at half load; batches at least 50 % of the raw loop.
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
from functools import partial
from pathlib import Path

import psutil
import uvloop
from common import Line, databases, dump, rounds, show, table  # first: it finds the tests' servers

from builders import at  # isort: skip
from door_servers import DATA  # isort: skip
from servers import free_port  # isort: skip

from sla_service import systime
from sla_service.store import sources
from sla_service.store.engine import Database

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
LONG_AGO = at("2020-01-01 00:00")  # so that each event is just an event, not part of an opening list
SINGLE, BATCHES, HALF_LOAD_MS = 0.25, 0.5, 100
SERVICE, VALIDATING, LOOPING = "sla_service.web.app:create_app", "door_servers:validating", "door_servers:looping"
_NUMBERS = itertools.count()


# -- servers --------------------------------------------------------------------------------------------------------


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
    shape = {"specversion": "1.0", "source": "hall", "type": "case.accepted", "time": when, "data": DATA}
    frame = json.dumps(shape, ensure_ascii=False)[:-1]

    def event() -> str:
        n = next(_NUMBERS)
        return f'{frame},"id":"accepted/{n}","subject":"BBC-{n:09}"}}'

    def made() -> bytes:
        body = (f"[{','.join(event() for _ in range(batch))}]" if batch else event()).encode()
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return made


class Connection(asyncio.Protocol):
    """Keeps one request on its way until the time is up; ``took`` are the seconds of each.

    With a ``pace`` one request is to be sent every ``pace`` seconds from ``first`` on, and its time runs from then.
    """

    def __init__(self, make: Callable[[], bytes], until: float, first: float = 0, pace: float = 0) -> None:
        self.make, self.until, self.begun, self.pace = make, until, first - pace, pace
        self.took: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer, self.missing = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._next()

    def _next(self) -> None:
        self.begun = self.begun + self.pace if self.pace else time.perf_counter()
        early = self.begun - time.perf_counter()
        if early > 0 and self.begun < self.until:
            asyncio.get_running_loop().call_later(early, self._send)
        else:
            self._send()

    def _send(self) -> None:
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


async def load(
    port: int, make: Callable[[], bytes], *, connections: int, seconds: float, rate: float = 0
) -> tuple[list[float], float]:
    """Seconds of every request, and how long it all took. With a ``rate`` so many a second, else all there can be."""
    loop, begin = asyncio.get_running_loop(), time.perf_counter()
    pace, made = (connections / rate if rate else 0), []
    for i in range(connections):
        first = begin + i * pace / connections
        protocol = partial(Connection, make, begin + seconds, first, pace)
        made.append(await loop.create_connection(protocol, HOST, port))
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

    lines: list[Line] = []
    with databases() as urls, ExitStack() as stack:
        keys = {name: new_key(url) for name, url in urls.items()}
        served = {n: (*stack.enter_context(serving(u, SERVICE)), keys[n]) for n, u in urls.items()}
        checks = (*stack.enter_context(serving(urls["sqlite"], VALIDATING)), keys["sqlite"])
        loops = {f"raw loop, {n}": (*stack.enter_context(serving(u, LOOPING)), keys[n]) for n, u in urls.items()}
        for title, batch in (("single events", 0), (f"batches of {args.batch}", args.batch)):
            servers = {"validate only": checks} | (loops if batch else {}) | served
            runs = {name: run(f"{title}, {name}", *server, batch) for name, server in servers.items()}
            for warm in runs.values():
                warm()
            latency.clear()
            busy.clear()
            rates = rounds(runs, count=args.rounds)
            if not args.json:
                show(f"HTTP, {title}", rates, "validate only", unit="events/s")
                for name, took in latency.items():
                    print(_times(name, took, statistics.median(busy[name])))
            for name, server in served.items():
                base, target = (f"raw loop, {name}", BATCHES) if batch else ("validate only", SINGLE)
                share = rates[name] / rates[base]
                wanted = target if batch or name == "postgresql" else None
                lines.append(
                    Line(f"{title}, {name}", rates[name], rates[base], "events/s", share, wanted, against=base)
                )
                if not batch:
                    lines.append(_half(name, server, rates[name] / 2, args))
    (dump if args.json else table)(lines)


def _half(name: str, server: tuple[int, psutil.Process, str], rate: float, args: argparse.Namespace) -> Line:
    """Single events at half the rate that was reached: how long the slowest hundredth takes."""
    port, _, key = server
    seconds = args.seconds * args.rounds
    work = load(port, request(port, key, 0), connections=args.connections, seconds=seconds, rate=rate)
    took, _ = uvloop.run(work)
    p99 = statistics.quantiles(took, n=100)[98] * 1000
    words = f"{len(took) / seconds:,.0f} events/s"
    return Line(f"p99 at half load, {name}", p99, HALF_LOAD_MS, "ms", p99 / HALF_LOAD_MS, 1.0, most=True, against=words)


def _times(name: str, took: list[float], cpu: float) -> str:
    p50, p99 = (statistics.quantiles(took, n=100)[i - 1] * 1000 for i in (50, 99))
    return f"  {name:<42} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   {cpu:7.0f} µs of processor per event"


if __name__ == "__main__":
    main()
