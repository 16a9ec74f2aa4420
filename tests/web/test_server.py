"""The whole thing as it is started: a real uvicorn process, real sockets, settings from the environment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from builders import at
from door import STRUCTURED, problem
from servers import free_port

from sla_service import systime
from sla_service.store import sources
from sla_service.store.engine import Database

ROOT = Path(__file__).parent.parent.parent
START = [sys.executable, "-m", "uvicorn", "sla_service.web.app:create_app", "--factory", "--log-level", "warning"]


def environment(url: str, **more: str) -> dict[str, str]:
    shown = {"SLA_DATABASE_URL": url, "SLA_CONFIG_DIR": str(ROOT / "config"), "PYTHONPATH": str(ROOT)}
    return {**os.environ, **shown, **more}


@contextmanager
def serving(url: str, **settings: str) -> Iterator[httpx.Client]:
    port = free_port()
    env = environment(url, **settings)
    server = subprocess.Popen([*START, "--port", str(port)], env=env, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            deadline = time.monotonic() + 30
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    assert server.poll() is None, server.stderr and server.stderr.read()
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            yield client
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=20)
        assert server.returncode in (0, -signal.SIGTERM)
        assert "Traceback" not in log
    finally:
        if server.poll() is None:
            server.kill()
        server.communicate()


def new_key(url: str) -> str:
    database = Database(url)
    with database.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=at("2026-11-01 08:00"), now=systime.now())
        key = sources.new_key(conn, "hall", now=systime.now())
    database.dispose()
    return key


def event(no: str) -> dict[str, object]:
    when = systime.now().isoformat(timespec="seconds")
    shape = {"specversion": "1.0", "source": "hall", "type": "case.accepted", "time": when, "data": {"kind": "simple"}}
    return {**shape, "id": f"accepted/{no}", "subject": no}


@pytest.mark.slow
def test_a_real_server_takes_events_together_and_shows_them(db_url):
    key = new_key(db_url)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": STRUCTURED}
    with serving(db_url) as client:
        problem(client.post("/v1/events", json=event("X")), 401)
        problem(client.post("/v1/events", content=b"{", headers=headers), 400)
        problem(client.post("/v1/events", content=b" " * (17 << 20), headers=headers), 413)

        async def everything() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=32)
            async with httpx.AsyncClient(base_url=client.base_url, limits=limits, timeout=60) as many:
                bodies = [json.dumps(event(f"〔2026〕{i}号/甲")) for i in range(200)]
                return await asyncio.gather(*(many.post("/v1/events", content=b, headers=headers) for b in bodies))

        responses = asyncio.run(everything())
        assert {r.status_code for r in responses} == {200}
        assert {r.json()["results"][0]["status"] for r in responses} == {"applied"}
        found = client.get("/v1/cases", params={"limit": 500}, headers=headers).json()["cases"]
        assert len(found) == 200
        one = client.get("/v1/cases/hall/%E3%80%942026%E3%80%957%E5%8F%B7%2F%E7%94%B2", headers=headers)
        assert one.json()["no"] == "〔2026〕7号/甲"
        assert client.get("/").status_code == 200
        assert client.head("/healthz").content == b""


def test_a_wrong_setting_ends_the_start_with_its_sentence(sqlite_url):
    done = subprocess.run(
        START,
        env=environment(sqlite_url, SLA_TICK_SECONDS="soon"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "SLA_TICK_SECONDS" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_web_starts_without_loading_what_it_does_not_need():
    check = "import sys, sla_service.web.app; print(*{'celery', 'apprise', 'alembic', 'openpyxl'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""
