"""One HTTP server for all providers, its control and its page. Standard library only."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.stub_provider import click, sms, wecom
from tests.stub_provider.page import page
from tests.stub_provider.state import Fault, State

GARBAGE = b"<html>upstream said nothing we understand"


class StubProvider:
    """The server in a thread of this process. ``certificate`` is a PEM file with key: then it speaks TLS."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, certificate: str | None = None) -> None:
        self.state = State()
        self._server = _Server((host, port), _Handler)
        self._server.state = self.state
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.tls = context
            self.scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base(self) -> str:
        return f"{self.scheme}://{self._server.server_address[0]!s}:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.state.closing.set()  # wakes whoever stalls on purpose
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def shown(self, provider: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        return self.state.listed(provider, to)

    def fault(self, fault: str, **how: Any) -> None:
        self.state.control({"fault": fault, **how})

    def control(self, **order: Any) -> None:
        self.state.control(order)

    def click(self, task: str) -> int:
        """A finger on a card's button; gives the HTTP status with which the callback answered."""
        return int(click.click(self.state, task)["status"])

    @property
    def stats(self) -> dict[str, int]:
        return dict(self.state.stats)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return list(self.state.bodies)


def _hook(state: State, raw: bytes) -> dict[str, Any]:
    """Any webhook, for services of Apprise's own (``json://``)."""
    with state.lock:
        asked = json.loads(raw)
        state.received("hook", **asked)
        state.show("hook", "hook", f"{asked.get('title', '')}\n{asked.get('message', '')}", "")
    return {}


_ASKED: dict[str, Callable[[State, dict[str, str]], Any]] = {
    "/__click": lambda state, query: click.click(state, query.get("task", "")),
    "/__reset": lambda state, _: state.reset(),
    "/__shown": lambda state, query: state.listed(query.get("provider"), query.get("to")),
    "/__stats": lambda state, _: dict(state.stats),
    "/__bodies": lambda state, _: list(state.bodies),
    "/__faults": lambda state, _: [asdict(fault) for fault in state.faults],
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    state: State
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.state.stats["connections"] += 1
        if self.tls:  # in the connection's own thread: a handshake that hangs holds up nobody
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._route(b"")

    def do_POST(self) -> None:
        self._route(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def do_DELETE(self) -> None:
        self.do_POST()

    def _route(self, raw: bytes) -> None:
        state, parts = self.server.state, urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path.startswith("/__") or parts.path == "/":
            if parts.path == "/" and self.command == "POST":
                self._gateway(raw, parts.query)
            else:
                self._own(state, parts.path, query, raw)
        elif parts.path == "/cgi-bin/gettoken":
            self._provider("gettoken", lambda fault: wecom.gettoken(state, query, fault))
        elif parts.path == "/cgi-bin/message/send":
            self._provider("wecomapp", lambda fault: wecom.send(state, query, raw, fault))
        elif parts.path == "/cgi-bin/message/update_template_card":
            self._provider("update_card", lambda fault: wecom.update_card(state, query, raw, fault))
        elif parts.path == "/cgi-bin/webhook/send":
            self._provider("wecomgroup", lambda fault: wecom.robot(state, query, raw, fault))
        elif parts.path in {"/sms/tmpsubmit", "/sms/norsubmit", "/sms/submit"}:
            self._provider("yunmas", lambda fault: sms.yunmas(state, parts.path, raw, fault))
        elif parts.path == "/hook":
            self._provider("hook", lambda _fault: _hook(state, raw))
        else:
            self._answer(404, b"not found", "text/plain")

    def _gateway(self, raw: bytes, query: str) -> None:
        state = self.server.state
        if "x-acs-action" in self.headers:
            self._provider("alisms", lambda fault: sms.aliyun(state, query, self.headers, raw, fault))
        elif "x-tc-action" in self.headers:
            self._provider("tencentsms", lambda fault: sms.tencent(state, self.headers, raw, fault))
        else:
            self._answer(400, b"neither Aliyun nor Tencent", "text/plain")

    def _provider(self, name: str, handle: Any) -> None:
        state = self.server.state
        state.headers = {name.lower(): value for name, value in self.headers.items()}
        fault = state.taken_fault(name)
        kind = fault.fault if fault else ""
        wait = state.closing.wait
        if state.latency:
            wait(state.latency)
        if kind == "stall":
            wait(fault.seconds or 30)
        if kind == "drop_before":
            return self._hang_up()
        if kind == "status" and not fault.accept:
            return self._page(fault)
        answer = handle(fault)
        status, answer = answer if isinstance(answer, tuple) else (200, answer)
        state.stats[f"answered.{name}"] += 1
        if kind == "timeout_after":
            wait(fault.seconds or 60)
        if kind in {"timeout_after", "drop_after"}:
            return self._hang_up()
        if kind == "status":
            return self._page(fault)
        if kind == "garbage":
            return self._answer(200, GARBAGE, "text/html")
        body = json.dumps(answer, ensure_ascii=False).encode()
        if kind == "drip":
            return self._drip(body, fault.seconds or 1.0)
        return self._answer(status, body)

    def _own(self, state: State, path: str, query: dict[str, str], raw: bytes) -> None:
        if path == "/":
            return self._answer(200, page(state.listed()).encode(), "text/html; charset=utf-8")
        if path == "/__control":
            try:
                found: Any = state.control({"clear": True} if self.command == "DELETE" else json.loads(raw or b"{}"))
            except (ValueError, TypeError, KeyError) as error:
                return self._answer(400, str(error).encode(), "text/plain; charset=utf-8")
        elif path in _ASKED:
            found = _ASKED[path](state, query)
            if query.get("back"):  # a finger on the page
                return self._seen_again()
        else:
            return self._answer(404, b"not found", "text/plain")
        return self._answer(200, json.dumps(found, ensure_ascii=False).encode())

    def _seen_again(self) -> None:
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _page(self, fault: Fault) -> None:
        self.send_response(fault.status)
        if fault.retry_after is not None:
            self.send_header("Retry-After", str(fault.retry_after))
        body = f"<html><h1>{fault.status}</h1></html>".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, status: int, body: bytes, kind: str = "application/json; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, body: bytes, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(len(body)):
            self.wfile.write(body[at : at + 1])
            self.wfile.flush()
            if self.server.state.closing.wait(seconds):
                return

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
