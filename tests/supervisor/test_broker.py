"""The embedded broker, as a real process."""

import shutil
import subprocess
from contextlib import closing, contextmanager

import pytest
import redis
from servers import free_port
from waiting import until

from sla_service.supervisor.broker import answers, embedded, socket_folder


@pytest.fixture
def make():
    """``embedded``, tidied up after: in /tmp no service would ever find these again."""
    made = []

    def build(state, **options):
        made.append(embedded(state, **options))
        return made[-1]

    yield build
    for folder in {broker.socket.parent for broker in made}:
        shutil.rmtree(folder)


@contextmanager
def running(broker):
    with subprocess.Popen(broker.child.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(broker.socket))
            yield process
        finally:
            process.kill()


@contextmanager
def connected(broker):
    with closing(redis.Redis(unix_socket_path=str(broker.socket))) as client:
        yield client


@pytest.mark.parametrize("end", [subprocess.Popen.terminate, subprocess.Popen.kill])
def test_what_waits_in_it_is_still_there_after_a_restart(make, tmp_path, end):
    broker = make(tmp_path)
    with running(broker) as process, connected(broker) as client:
        client.xadd("sla:events", {"event": "{}"})
        client.lpush("intake", "a task")
        end(process)
        process.wait()
    with running(make(tmp_path)), connected(broker) as client:
        assert (client.xlen("sla:events"), client.llen("intake")) == (1, 1)


def test_two_databases_have_two_brokers(make, tmp_path):
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    with running(one), running(two), connected(one) as first, connected(two) as second:
        first.set("whose", "one")
        assert second.get("whose") is None


def test_only_we_can_open_its_socket_and_it_has_no_port(make, tmp_path):
    broker = make(tmp_path)
    with running(broker), connected(broker) as client:
        assert broker.socket.parent.stat().st_mode & 0o777 == 0o700
        assert broker.url == f"redis+socket://{broker.socket}"
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_by_setting_it_opens_a_port_on_this_machine(make, tmp_path):
    port = free_port()
    broker = make(tmp_path, port=port)
    with running(broker), closing(redis.Redis(port=port)) as client:
        assert client.ping()
        assert client.config_get("bind")["bind"] == "127.0.0.1 -::1"


def test_nobody_there_is_no_answer(tmp_path):
    assert not answers(tmp_path / "nothing.sock")


def test_the_socket_has_a_short_path_however_long_the_data_folder_s_is(make, tmp_path):
    state = tmp_path.joinpath(*["很长的文件夹名字"] * 12)
    broker = make(state)
    assert len(bytes(broker.socket)) < 107
    with running(broker):
        assert (state / "broker" / "appendonlydir").is_dir()


def test_the_socket_folder_is_the_same_at_each_start(tmp_path):
    first = socket_folder(tmp_path)
    assert socket_folder(tmp_path) == first
    first.rmdir()


@pytest.mark.parametrize("how", ["open to others", "a link"])
def test_a_socket_folder_that_somebody_else_prepared_is_not_used(tmp_path, how):
    folder = socket_folder(tmp_path)
    folder.rmdir()
    if how == "a link":
        (tmp_path / "trap").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "trap")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    try:
        other = socket_folder(tmp_path)
        assert other != folder
        assert other.stat().st_mode & 0o777 == 0o700
        other.rmdir()
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()
