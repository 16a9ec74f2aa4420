"""The folder that belongs to a database while it is served."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sla_service.errors import StoreError
from sla_service.supervisor.place import held, state_folder


def _silent(_text):
    raise AssertionError("nothing to wait for")


@pytest.mark.parametrize(
    ("path", "folder"),
    [("var/sla.db", "var/sla.db.up"), ("/data/a.sqlite", "/data/a.sqlite.up"), ("sla.db", "sla.db.up")],
)
def test_it_stands_beside_a_sqlite_file(path, folder):
    found = state_folder(sqlite_path=Path(path), database_url=f"sqlite:///{path}", var_dir=Path("elsewhere"))
    assert found == Path(folder)


def test_databases_on_a_server_have_one_each_and_a_new_password_changes_nothing():
    def of(url):
        return state_folder(sqlite_path=None, database_url=url, var_dir=Path("var"))

    first = of("postgresql+psycopg://sla:old@db/sla")
    assert first.parent == Path("var")
    assert of("postgresql+psycopg://sla:new@db/sla") == first
    assert of("postgresql+psycopg://sla:old@db/other") != first


def test_a_second_service_is_refused_at_once_and_told_who_has_it(tmp_path):
    with (
        held(tmp_path / "state", say=_silent),
        pytest.raises(StoreError, match=f"已经有一个 sla up 在运行（进程 {os.getpid()}）"),
        held(tmp_path / "state", say=_silent),
    ):
        pass


def test_it_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with held(tmp_path / "state", say=_silent):
            assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_what_a_killed_service_left_running_is_waited_for(tmp_path):
    with held(tmp_path / "state", say=_silent) as locks:
        orphan = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(locks.family,))

    def end_it(text):
        assert text == "上一次的进程还在退出，等待中"
        orphan.communicate(b"\n")

    with held(tmp_path / "state", say=end_it):
        assert orphan.returncode == 0


def test_one_that_never_ends_is_an_error_in_one_sentence(tmp_path):
    with held(tmp_path / "state", say=_silent) as locks:
        orphan = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(locks.family,))
    with (
        pytest.raises(StoreError, match="上一次 sla up 留下的进程还没有退出"),
        held(tmp_path / "state", say=_silent, patience=0),
    ):
        pass
    orphan.communicate(b"\n")
