"""Secrets stay where they were put: not in ``sla settings``, not in errors, not in what a process list shows."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from sla_service.supervisor.address import Address
from sla_service.supervisor.parts import all_parts

ROOT = Path(__file__).parent.parent.parent
SECRET = "S3CRET-that-nobody-may-see-0123456789"


@pytest.fixture
def env(tmp_path):
    return {
        "PYTHONPATH": str(ROOT),
        "SLA_DATABASE_URL": f"postgresql://sla:{SECRET}@127.0.0.1:9/sla",
        "SLA_BROKER_URL": f"redis://:{SECRET}@127.0.0.1:9/0",
        "SLA_DATA_KEY": SECRET,
        "SLA_DATA_KEY_OLD": SECRET + "-old",
        "SLA_WECOM_SECRET": SECRET,
        "SLA_METRICS_TOKEN": SECRET,
        "SLA_HEARTBEAT_URL": f"https://127.0.0.1:9/ping/{SECRET}",
    }


@pytest.mark.parametrize(
    "command",
    [
        ["settings"],
        ["settings", "--json"],
        ["cases"],
        ["doctor"],
        ["doctor", "--json"],
        ["db", "upgrade"],
        ["audit", "verify"],
        ["data", "reseal"],
        ["channel", "list"],
    ],
    ids=" ".join,
)
def test_no_command_shows_a_secret_when_it_works_or_when_it_fails(command, env, tmp_path):
    argv = [sys.executable, "-m", "sla_service", *command]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SLA_DATABASE_URL", "SLA_BROKER_URL"])
def test_a_wrong_setting_is_named_without_its_secret(name, env, tmp_path):
    wrong = env | {name: f"mysql://u:{SECRET}@h/d"}
    argv = [sys.executable, "-m", "sla_service", "settings"]
    done = subprocess.run(argv, env=wrong, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert name in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_the_process_list_of_the_service_holds_no_secret(env, monkeypatch, tmp_path):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for part in all_parts(Address("127.0.0.1", 8000), tmp_path, None):
        assert SECRET not in " ".join(part.argv)
        assert SECRET not in str(part.env)  # which is written into the plan's file


@contextlib.contextmanager
def running(env, folder):
    """The whole service on its embedded defaults, every secret set; gives its address and its log."""
    ours = {**env, "SLA_DATABASE_URL": f"sqlite:///{folder}/sla.db", "SLA_HTTP": "127.0.0.1:0", "SLA_TICK_SECONDS": "1"}
    ours.pop("SLA_BROKER_URL")
    log = folder / "up.log"
    argv = [sys.executable, "-m", "sla_service", "up"]
    with log.open("wb") as out, subprocess.Popen(argv, env=ours, cwd=folder, stdout=out, stderr=out) as service:
        try:
            end = time.monotonic() + 60
            while "就绪" not in log.read_text("utf-8"):
                assert time.monotonic() < end, log.read_text("utf-8")
                time.sleep(0.1)
            yield service, log.read_text("utf-8").partition("就绪 ")[2].split()[0], log
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(60)


def answer(url: str, **headers: str) -> str:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as found:
            return str(found.headers) + found.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return str(e.headers) + e.read().decode()


@pytest.mark.slow
def test_no_page_answer_log_or_process_list_of_the_running_service_shows_a_secret(env, tmp_path):
    with running(env, tmp_path) as (service, base, log):
        pages = ["/", "/sandbox", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz", "/v1/cases", "/nothing"]
        for path in pages:
            assert SECRET not in answer(base + path)
            assert SECRET not in answer(base + path, Accept="text/html", Authorization=f"Bearer {SECRET}")
        parts = [psutil.Process(service.pid), *psutil.Process(service.pid).children(recursive=True)]
        assert len(parts) >= 5  # supervisor, broker, worker, beat, web
        for part in parts:
            assert SECRET not in " ".join(part.cmdline())
        time.sleep(2)  # some ticks
    assert SECRET not in log.read_text("utf-8")
    written = [p for p in tmp_path.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]
    assert written == []
