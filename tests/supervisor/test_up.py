"""``sla up`` itself, with all its real parts, in an empty folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from servers import free_port
from waiting import gone, until

from sla_service.services.ticking import LAST_TICK
from sla_service.store import facts
from sla_service.store.engine import Database

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.slow


class Up:
    """``sla up`` in ``folder``, which may be started again and again."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "SLA_TICK_SECONDS": "1", **env}
        self.env.setdefault("SLA_HTTP", f"127.0.0.1:{free_port()}")

    def start(self) -> Up:
        argv = [sys.executable, "-c", "from sla_service.cli.main import main; main()", "up", "--json"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, cwd=self.folder, env=self.env, stdout=pipe, stderr=pipe, text=True)
        return self

    def ready(self) -> Up:
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.said = json.loads(line)
        self.children = psutil.Process(self.process.pid).children()
        return self

    def health(self) -> int:
        with urllib.request.urlopen(self.said["url"] + "/healthz", timeout=30) as answer:
            return answer.status

    def last_tick(self) -> datetime | None:
        database = Database(f"sqlite:///{self.folder}/var/sla.db")
        try:
            with database.read() as conn:
                fact = facts.get(conn, LAST_TICK)
        finally:
            database.dispose()
        return fact["at"] if fact else None

    def ticked_after(self, moment: datetime) -> None:
        """Beat, broker, worker and database have worked together."""
        until(lambda: (self.last_tick() or datetime.min.replace(tzinfo=UTC)) > moment, "a tick")

    def part(self, word: str) -> psutil.Process:
        (found,) = [child for child in self.children if word in child.cmdline()]
        return found

    def end(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=120)[1]


@pytest.fixture
def up(tmp_path):
    made = Up(tmp_path)
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGTERM)


def test_in_an_empty_folder_everything_comes_up_works_together_and_stops_without_a_word(up):
    up.start().ready()
    assert up.said | {"url": "", "broker": ""} == {
        "url": "",
        "pid": up.process.pid,
        "database": "var/sla.db",
        "broker": "",
    }
    assert up.health() == 200
    assert len(up.children) == 4
    up.ticked_after(datetime.min.replace(tzinfo=UTC))
    assert up.end(signal.SIGINT) == "sla up: 正在停止（再按一次 Ctrl-C 立即结束）\n"
    assert up.process.returncode == 0
    assert all(gone(child.pid) for child in up.children)


def test_after_kill_9_a_new_start_goes_on_at_once_with_nothing_left_of_the_old(up):
    up.start().ready()
    up.ticked_after(datetime.min.replace(tzinfo=UTC))
    up.end(signal.SIGKILL)
    before, last = up.children, up.last_tick()
    up.start().ready()
    assert all(gone(child.pid) for child in before)
    assert up.health() == 200
    up.ticked_after(last)


def test_each_part_that_is_killed_comes_back_and_the_work_goes_on(up):
    up.start().ready()
    up.ticked_after(datetime.min.replace(tzinfo=UTC))
    for child in up.children:
        child.kill()
    until(lambda: len(psutil.Process(up.process.pid).children()) == 4)
    up.ticked_after(up.last_tick())
    until(lambda: _answers(up))


def _answers(up):
    try:
        return up.health() == 200
    except OSError:
        return False


def test_with_a_broker_of_one_s_own_none_is_started(tmp_path, redis_url):
    up = Up(tmp_path, SLA_BROKER_URL=redis_url).start().ready()
    try:
        assert len(up.children) == 3
        assert up.said["broker"] == redis_url
        up.ticked_after(datetime.min.replace(tzinfo=UTC))
    finally:
        up.end(signal.SIGTERM)
    assert not (tmp_path / "var" / "sla.db.up" / "broker").exists()


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("SLA_HTTP", "8000", "SLA_HTTP：要写成 地址:端口"),
        ("SLA_VALKEY_PORT", "70000", "SLA_VALKEY_PORT：要写一个端口号"),
        ("SLA_CONFIG_DIR", "/nowhere", "/nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_before_anything_starts(tmp_path, setting, value, sentence):
    process = Up(tmp_path, **{setting: value}).start().process
    out, err = process.communicate()
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert sentence in err
    assert not list(tmp_path.glob("var/*/broker"))
