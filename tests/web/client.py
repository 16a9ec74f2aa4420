"""A client of an ASGI application in this process: its event loop runs in a thread, its lifespan around the client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from fastapi import FastAPI

T = TypeVar("T")

HERE = ("127.0.0.1", 50000)


class Client:
    """``get``, ``post``, ``request`` as httpx has them. ``run`` has the loop run something, for many at once."""

    def __init__(self, api: FastAPI, *, address: tuple[str, int] = HERE) -> None:
        self.api = api
        transport = httpx.ASGITransport(api, raise_app_exceptions=True, client=address)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.start(work).result(60)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.run(self.http.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def __enter__(self) -> Self:
        self._thread.start()
        self._life = self.api.router.lifespan_context(self.api)
        self.run(self._life.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.http.aclose())
        self.run(self._life.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
