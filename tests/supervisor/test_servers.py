"""The tests' own servers: what other tests rely on."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis
from servers import Postgres, Valkey
from waiting import gone, until

from sla_service.store.engine import HEAD


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_every_test_gets_a_migrated_postgresql_database_of_its_own(pg_url):
    with psycopg.connect(_plain(pg_url)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
        conn.execute("CREATE TABLE left_behind (n int)")


def test_what_a_test_left_in_its_database_is_gone_in_the_next(pg_url):
    with psycopg.connect(_plain(pg_url)) as conn:
        assert conn.execute("SELECT to_regclass('left_behind')").fetchone() == (None,)


def test_every_test_gets_a_migrated_sqlite_file_of_its_own(sqlite_url, tmp_path):
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    assert path.parent == tmp_path
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


def test_a_test_with_db_url_runs_on_both_kinds(db_url):
    assert db_url.startswith(("sqlite:///", "postgresql+psycopg://"))


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_redis_database_is_empty_at_the_start_of_each_test(redis_url, time):
    with closing(redis.Redis.from_url(redis_url)) as client:
        assert client.dbsize() == 0
        client.set("left", time)


def test_no_setting_of_the_developer_reaches_a_test():
    assert not [name for name in os.environ if name.startswith("SLA_") and not name.startswith("SLA_TEST_")]
    assert not Path(".env").exists()


def test_a_durable_valkey_keeps_what_it_has_answered_through_a_kill():
    with Valkey(durable=True) as server, closing(redis.Redis.from_url(server.url)) as client:
        client.xadd("stream", {"event": "1"})
        server.kill()
        server.start()
        assert client.xlen("stream") == 1


def test_a_durable_postgresql_keeps_what_it_has_committed_through_a_kill():
    with Postgres(durable=True) as server:
        with psycopg.connect(_plain(server.url)) as conn:
            conn.execute("CREATE TABLE kept (n int)")
        server.kill()
        server.start()
        with psycopg.connect(_plain(server.url)) as conn:
            assert conn.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_paused_server_holds_its_connections_and_answers_after_it_is_resumed():
    with Valkey() as server, closing(redis.Redis.from_url(server.url, socket_timeout=0.2)) as client:
        server.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        assert client.ping()


def test_servers_of_a_killed_test_run_die_with_it_and_its_folder_goes_at_the_next_run():
    start = "import servers; p = servers.Postgres(); print(p._process.pid, servers.run_folder(), flush=True); input()"
    here = str(Path(__file__).parent.parent)
    first = subprocess.Popen([sys.executable, "-c", start], cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid, folder = first.stdout.readline().decode().split()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    until(lambda: gone(int(pid)))
    subprocess.run([sys.executable, "-c", "import servers; servers.run_folder()"], cwd=here, check=True)
    assert not Path(folder).exists()
