"""The border: exit codes, streams and encodings of the real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from command_line import CONFIG, accepted
from psycopg import sql

ROOT = CONFIG.parent
SLA = [sys.executable, "-m", "sla_service"]


@pytest.fixture
def process(tmp_path, sqlite_url):
    """Runs ``sla`` as its own process in an empty folder."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    base = clean | {"PYTHONPATH": str(ROOT), "SLA_DATABASE_URL": sqlite_url, "SLA_CONFIG_DIR": str(CONFIG)}

    def run(*args, env=None, **more):
        return subprocess.run(
            [*SLA, *args], env=base | (env or {}), cwd=tmp_path, capture_output=True, check=False, timeout=60, **more
        )

    run.env, run.folder = base, tmp_path
    return run


def imported(*args, env):
    """The modules that a command loads."""
    code = f"import sys; from sla_service.cli.main import main\ntry: main({list(args)!r})\nexcept SystemExit: pass\n"
    code += "print('|'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stderr.decode().splitlines()[-1].split("|")}


def test_due_loads_nothing_that_it_does_not_need_where_there_is_no_database(process):
    heavy = {"sqlalchemy", "celery", "kombu", "fastapi", "apprise", "rich", "openpyxl", "alembic", "holidays", "redis"}
    env = {**process.env, "SLA_DATABASE_URL": "sqlite:///absent.db"}
    assert imported("due", "2026-11-20", "--days", "3", env=env) & heavy == set()


def test_commands_about_cases_load_no_web_and_no_queue(process):
    assert imported("cases", env=process.env) & {"celery", "fastapi", "apprise", "openpyxl", "alembic"} == set()


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_chinese_comes_out_as_utf8_whatever_the_locale(process, locale):
    said = process("due", "2026-11-20", "--kind", "simple", env=locale)
    assert said.returncode == 0
    assert "到期 2026-11-25 周三 17:30" in said.stdout.decode("utf-8")
    wrong = process("due", "x", "--days", "3", env=locale)
    assert "要写日期" in wrong.stderr.decode("utf-8")


def test_results_go_to_standard_output_and_everything_else_beside_it(process):
    (process.folder / "e.jsonl").write_text(json.dumps(accepted()), "utf-8")
    said = process("ingest", "e.jsonl", "--json")
    assert json.loads(said.stdout)["counts"]["applied"] == 1
    assert "已自动登记" in said.stderr.decode()
    listed = process("cases", "--json")
    assert [case["no"] for case in json.loads(listed.stdout)] == ["BBC-1"]
    assert listed.stderr == b""


def test_an_error_is_one_sentence_without_a_traceback(process):
    said = process("show", "hall", "nothing")
    assert (said.returncode, said.stdout) == (1, b"")
    assert said.stderr.decode() == "sla：没有办件 hall/nothing：请核对来源和办件编号。\n"


def test_a_missing_file_is_named(process):
    said = process("ingest", "缺.jsonl")
    assert (said.returncode, said.stderr.decode()) == (1, "sla：缺.jsonl：没有这个文件。\n")
    assert process("policy", "check", "缺.yaml").returncode == 1


def test_a_reader_that_has_had_enough_is_no_error_to_talk_about(process):
    rows = [json.dumps(accepted(no=f"BBC-{n}", title="诊所名称核准" * 20)) for n in range(2000)]
    (process.folder / "e.jsonl").write_text("\n".join(rows), "utf-8")
    process("ingest", "e.jsonl", "--silent")
    for form in ("table", "jsonl", "csv"):
        with subprocess.Popen(
            [*SLA, "cases", "--format", form], env=process.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            running.stdout.readline()
            running.stdout.close()
            assert running.wait(60) == 1
            assert running.stderr.read() == b""


def test_control_c_is_one_line_and_130(process):
    with subprocess.Popen(
        [*SLA, "ingest", "-", "--source", "hall"],
        env=process.env,
        cwd=process.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not _opened(running.pid):
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, b"")
    assert err.decode().splitlines()[-1] == "已中断。"
    assert "Traceback" not in err.decode()


def _opened(pid: int) -> bool:
    """Has it come to reading standard input? Its copy of that is open then."""
    return any("sla-stdin-" in str(f.readlink()) for f in Path(f"/proc/{pid}/fd").iterdir() if f.is_symlink())


def test_an_unreachable_database_is_named_without_its_password(process):
    url = "postgresql://sla:geheim@127.0.0.1:1/sla"
    for args in (["cases"], ["show", "hall", "x"], ["source", "list"], ["db", "upgrade"]):
        said = process(*args, env={"SLA_DATABASE_URL": url})
        text = said.stderr.decode()
        assert (said.returncode, said.stdout) == (1, b"")
        assert text.startswith("sla：数据库不可用（")
        assert "SLA_DATABASE_URL（postgresql+psycopg://sla:***@127.0.0.1:1/sla）" in text
        assert "geheim" not in text
        assert len(text.splitlines()) == 1


def test_a_postgresql_that_is_not_migrated_says_what_to_run(process, pg_server):
    name = f"sla_test_empty_{os.getpid()}"
    plain = pg_server.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            env = {"SLA_DATABASE_URL": plain.rpartition("/")[0] + f"/{name}"}
            said = process("cases", env=env)
            assert (said.returncode, said.stdout) == (1, b"")
            assert said.stderr.decode().rstrip("\n。").endswith("还没有建表，请先运行 sla db upgrade")
            assert process("db", "upgrade", env=env).returncode == 0
            assert process("cases", env=env).returncode == 0
            assert "已经是最新版本" in process("db", "upgrade", env=env).stdout.decode()
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_missing_sqlite_file_is_made_by_any_command(process):
    said = process("cases", "--json", env={"SLA_DATABASE_URL": "sqlite:///neu/sla.db"})
    assert (said.returncode, json.loads(said.stdout)) == (0, [])
    assert (process.folder / "neu" / "sla.db").exists()


def test_a_file_that_is_no_database_is_one_sentence(process):
    (process.folder / "x.db").write_text("kein SQLite" * 100)
    said = process("cases", env={"SLA_DATABASE_URL": "sqlite:///x.db"})
    assert (said.returncode, said.stdout) == (1, b"")
    assert len(said.stderr.decode().splitlines()) == 1


def test_a_wrong_setting_is_named(process):
    said = process("cases", env={"SLA_TICK_SECONDS": "oft"})
    assert (said.returncode, said.stdout) == (1, b"")
    assert said.stderr.decode().startswith("sla：SLA_TICK_SECONDS：")


def test_a_full_disk_is_said(process):
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(
            [*SLA, "due", "2026-11-20", "--days", "3"],
            env=process.env,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert said.returncode == 1
    assert said.stderr.decode().startswith("sla：读写失败：")
