"""A whole service under the supervisor, from taking the lock to the last child's end.

The broker is the real one; the other parts are toys, so that this is about starting, stopping and dying only.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Self

import psutil
import pytest
import redis
from servers import free_port
from waiting import gone, until

from sla_service.supervisor.service import Plan

ROOT = Path(__file__).parent.parent.parent

_UP = """
import sys
from pathlib import Path
from sla_service.errors import SlaError
from sla_service.supervisor.address import Address, free
from sla_service.supervisor.broker import embedded
from sla_service.supervisor.child import Child
from sla_service.supervisor.place import held
from sla_service.supervisor.service import Plan, hand_over
from sla_service.supervisor.supervisor import say

state, port, page = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
try:
    with held(state, say=say) as locks:
        address = free(Address("127.0.0.1", port), say=say, patience=0.5)
        broker = embedded(state)
        web = Child("web", (sys.executable, "-c", page, str(address.port)))
        hand_over(Plan((broker.child, web), address, broker.socket, f"up {broker.socket}", locks), state)
except SlaError as e:
    sys.exit(str(e))
"""

_PAGE = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


class Service:
    """One start of it; several may follow each other on the same state and port."""

    def __init__(self, state: Path, port: int) -> None:
        self.state, self.port = state, port

    def start(self) -> Self:
        argv = [sys.executable, "-c", _UP, str(self.state), str(self.port), _PAGE]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)
        return self

    def ready(self) -> Self:
        line = self.process.stdout.readline()
        assert line.startswith("up "), self.process.communicate()[1]
        self.socket = line.split()[1]
        self.children = [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]
        return self

    def end(self, number: signal.Signals) -> str:
        """Sends it, waits until it has ended, and gives what it said."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=120)[1]

    def broker(self) -> closing[redis.Redis]:
        return closing(redis.Redis(unix_socket_path=self.socket))


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path / "sla.db.up", free_port())
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGTERM)
    Path(made.socket).unlink(missing_ok=True)
    if Path(made.socket).parent.exists():
        Path(made.socket).parent.rmdir()


def test_it_says_one_line_when_all_is_up_and_leaves_nothing_when_it_stops(service):
    service.start().ready()
    assert len(service.children) == 2
    with service.broker() as broker:
        assert broker.ping()
    said = service.end(signal.SIGINT)
    assert service.process.returncode == 0
    assert said == "sla up: 正在停止（再按一次 Ctrl-C 立即结束）\n"
    assert all(gone(pid) for pid in service.children)
    assert not Path(service.socket).parent.exists()


def test_killed_it_leaves_no_orphan_and_the_next_start_goes_on_with_what_waited(service):
    service.start().ready()
    with service.broker() as broker:
        broker.xadd("sla:events", {"event": "{}"})
    service.end(signal.SIGKILL)
    before = service.children
    service.start().ready()  # without a pause: it waits for what has to go
    assert all(gone(pid) for pid in before)
    with service.broker() as broker:
        assert broker.xlen("sla:events") == 1


def test_a_second_one_on_the_same_database_is_refused_in_one_sentence(service):
    service.start().ready()
    second = Service(service.state, free_port()).start().process
    said = second.communicate()[1]
    assert second.returncode == 1
    assert re.fullmatch(rf"这个数据库已经有一个 sla up 在运行（进程 {service.process.pid}）：.*\n", said)
    with service.broker() as broker:
        assert broker.ping()


def test_two_databases_are_two_services(service, tmp_path):
    service.start().ready()
    other = Service(tmp_path / "other.db.up", free_port()).start().ready()
    assert other.socket != service.socket
    other.end(signal.SIGTERM)
    assert service.process.poll() is None


def test_a_taken_port_is_refused_in_one_sentence_and_starts_nothing(service):
    with socket.create_server(("127.0.0.1", service.port)):
        first = service.start().process
        said = first.communicate()[1]
    assert first.returncode == 1
    assert said.splitlines()[-1].startswith(f"127.0.0.1:{service.port} 已被别的程序占用：")
    assert not (service.state / "broker").exists()
    service.start().ready()


def test_a_killed_broker_comes_back_with_what_it_held(service):
    service.start().ready()
    with service.broker() as broker:
        broker.lpush("intake", "a task")
        pid = broker.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: _llen(service) == 1)
    assert "broker 意外退出（信号 9）" in service.end(signal.SIGTERM)


def _llen(service):
    try:
        with service.broker() as broker:
            return broker.info("server")["process_id"] and broker.llen("intake")
    except redis.ConnectionError:
        return None


def test_a_plan_comes_out_of_its_file_as_it_went_in(service):
    service.start().ready()
    text = (service.state / "plan.json").read_text("utf-8")
    plan = Plan.from_json(text)
    assert [child.name for child in plan.children] == ["broker", "web"]
    assert plan.to_json() == text
