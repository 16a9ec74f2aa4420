"""The parent and its children, as real processes."""

import os
import re
import signal

import pytest
from toys import Toys
from waiting import gone, until


@pytest.fixture
def toys(tmp_path):
    with Toys(tmp_path) as made:
        yield made


def test_a_child_that_is_killed_is_started_again(toys):
    toys.well_behaved("web").well_behaved("worker").start().wait_for("web start", "worker start")
    os.kill(toys.pids("web")[0], signal.SIGKILL)
    until(lambda: len(toys.pids("web")) == 2)
    assert len(toys.pids("worker")) == 1
    assert "web 意外退出（信号 9），0.5 秒后重启" in toys.said


def test_children_stop_one_after_the_other_in_the_reverse_order_of_starting(toys):
    names = ["broker", "worker", "beat", "web"]
    for name in names:
        toys.well_behaved(name)
    toys.start().wait_for(*(f"{name} start" for name in names))
    toys.send(signal.SIGTERM)
    assert toys.end() == 0
    assert toys.notes("stop") == ["web", "beat", "worker", "broker"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_cleanly_when_asked(toys, number):
    toys.well_behaved("web").start().wait_for("web start")
    toys.send(number)
    assert toys.end() == 0
    assert toys.notes("stop") == ["web"]
    assert toys.all_gone()


def test_under_nohup_a_hang_up_stops_nothing(toys):
    toys.well_behaved("web").start(prefix=("nohup",)).wait_for("web start")
    toys.send(signal.SIGHUP)
    os.kill(toys.pids("web")[0], signal.SIGKILL)
    until(lambda: len(toys.pids("web")) == 2)
    toys.send(signal.SIGTERM)
    assert toys.end() == 0


def test_a_child_that_does_not_stop_is_killed_after_its_grace(tmp_path):
    with Toys(tmp_path, patient=False) as toys:
        toys.well_behaved("broker").stubborn("web").start().wait_for("broker start", "web start")
        toys.send(signal.SIGTERM)
        assert toys.end() == 0
        assert toys.notes("stop") == ["broker"]
        assert "web 还没有停下，强制结束" in toys.said
        assert toys.all_gone()


def test_asked_a_second_time_it_waits_for_nobody(toys):
    toys.stubborn("web").start().wait_for("web start")
    toys.send(signal.SIGINT)
    toys.wait_for("web refused")
    toys.send(signal.SIGINT)
    assert toys.end() == 0
    assert toys.all_gone()


def test_a_killed_parent_leaves_no_orphan_not_even_a_stubborn_one(toys):
    toys.well_behaved("broker").stubborn("web").start().wait_for("broker start", "web start")
    toys.send(signal.SIGKILL)
    toys.end()
    until(toys.all_gone)


def test_what_a_killed_child_had_started_goes_with_it(toys):
    toys.parent_of_another("worker").start().wait_for("worker start")
    grandchild = int(until(lambda: re.search(r"grandchild (\d+)", toys.said))[1])
    os.kill(toys.pids("worker")[0], signal.SIGKILL)
    until(lambda: gone(grandchild))


def test_what_children_say_is_passed_on_with_their_name(toys):
    code = r"import sys, time; sys.stderr.write('开始\nhalf'); sys.stderr.flush(); time.sleep(600)"
    toys.program("web", code).well_behaved("worker").start().wait_for("worker start")
    until(lambda: "web    | 开始\n" in toys.said)
    assert "half" not in toys.said
    os.kill(toys.process.pid, signal.SIGTERM)
    toys.end()
    assert "web    | half\n" in toys.said


def test_a_child_that_closes_its_output_goes_on_running(toys):
    toys.program("web", "import os; os.close(1); os.close(2)\n" + "import time; time.sleep(600)")
    toys.well_behaved("worker").start().wait_for("worker start")
    os.kill(toys.pids("worker")[0], signal.SIGKILL)
    until(lambda: len(toys.pids("worker")) == 2)
    assert "web" not in toys.said


def test_readiness_is_announced_once_when_it_is_there(toys, tmp_path):
    sign = tmp_path / "sign"
    toys.well_behaved("web").start(ready_files=(sign,)).wait_for("web start")
    sign.touch()
    assert toys.process.stdout.readline() == "ready\n"
    toys.send(signal.SIGTERM)
    assert toys.process.communicate()[0] == ""


@pytest.mark.slow
def test_it_gives_up_on_a_service_that_never_comes_up(toys, tmp_path):
    toys.well_behaved("broker").program("web", "print('no such module'); raise SystemExit(3)")
    toys.start(ready_files=(tmp_path / "never",))
    assert toys.end() == 1
    assert toys.said.count("web    | no such module") == 5
    assert "web 意外退出（退出码 3），已连续 5 次，不再重试" in toys.said
    assert toys.all_gone()


@pytest.mark.slow
def test_a_program_that_is_not_there_is_a_failure_like_any_other(toys, tmp_path):
    toys.command("broker", ("/nowhere/valkey-server",)).start(ready_files=(tmp_path / "never",))
    assert toys.end() == 1
    assert "broker 无法启动（No such file or directory）" in toys.said


@pytest.mark.slow
def test_a_child_that_keeps_ending_is_not_ready_even_while_it_runs(toys, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    code = f"""
import pathlib, time
first, second = pathlib.Path({str(first)!r}), pathlib.Path({str(second)!r})
if first.exists(): second.touch(); time.sleep(0.2)
first.touch()
raise SystemExit(3)
"""
    toys.well_behaved("web").program("worker", code).start(ready_files=(second,))
    assert toys.end() == 1
    assert second.exists()


@pytest.mark.slow
def test_once_it_was_ready_it_never_gives_up(toys, tmp_path):
    sign = tmp_path / "sign"
    toys.program(
        "web", f"import os, time\nwhile not os.path.exists({str(sign)!r}): time.sleep(0.02)\nraise SystemExit(3)"
    )
    toys.start()
    assert toys.process.stdout.readline() == "ready\n"
    sign.touch()
    until(lambda: "，8 秒后重启" in toys.said)
    assert toys.process.poll() is None
