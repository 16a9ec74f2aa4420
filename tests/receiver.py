"""A case system that is told: an HTTP server in a thread, which verifies each signature by itself and remembers.

``answer`` says what it answers: a status, or a function of the event that gives one (or a tuple of status, headers and
body). What it was told stands in ``got`` (every try) and ``taken`` (those it answered with 2xx, each id once).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Answer = int | tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Told:
    """One try as it came."""

    event: dict[str, Any]
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return str(self.event["id"])

    def signed_by(self, secret: str) -> bool:
        """The scheme as its specification has it, written here once more on purpose."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        said = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        mine = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        return mine in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    answer: Answer | Callable[[Told], Answer] = 200
    got: list[Told] = field(default_factory=list)
    taken: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        receiver, self._lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = Told(json.loads(body), {k.lower(): v for k, v in self.headers.items()}, body)
                given = receiver._take(told)
                status, headers, content = (given, {}, b"") if isinstance(given, int) else given
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Whoever is killed hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)

    def _take(self, told: Told) -> Answer:
        with self._lock:
            self.got.append(told)
        given = self.answer(told) if callable(self.answer) else self.answer
        status = given if isinstance(given, int) else given[0]
        with self._lock:
            if 200 <= status < 300 and told.id not in {t.id for t in self.taken}:
                self.taken.append(told)
        return given

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/told?x=1"

    def types(self, no: str | None = None) -> list[str]:
        """What was taken, in order: ``breached``, ``closed`` …"""
        mine = [t.event for t in self.taken if no in (None, t.event["subject"])]
        return [e["type"].removeprefix("sla.") for e in mine]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
