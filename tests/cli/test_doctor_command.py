"""``sla doctor``, ``recompute`` and ``openapi`` as people and scripts call them."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from command_line import CONFIG, accepted

from sla_service import systime
from sla_service.cli import doctor as doctor_command
from sla_service.services import ticking
from sla_service.store import tables
from sla_service.store.engine import Database
from sla_service.store.facts import put


@contextmanager
def database(shell):
    found = Database(shell.env["SLA_DATABASE_URL"])
    try:
        with found.write() as conn:
            yield conn
    finally:
        found.dispose()


def beat(shell):
    """The service has just looked."""
    with database(shell) as conn:
        put(conn, ticking.LAST_TICK, "", now=systime.now() + shell.shift)


def checks(said):
    return {c["check"]: c for c in said.json["checks"]}


def test_all_is_well_with_exit_code_0(both, redis_url):
    both.env["SLA_BROKER_URL"] = redis_url
    both.clock("2026-09-08 10:00")
    both.ok("ingest", both.write("e.jsonl", [accepted("2026-09-08 09:00")]))
    beat(both)
    said = both.ok("doctor", "--json")
    assert said.json["ok"] is True
    assert {c["level"] for c in said.json["checks"] if c["check"] != "clock"} == {"ok"}
    # The tests' clock is a moved one, and the doctor says that of any.
    assert checks(said)["clock"]["text"].startswith("时钟被 SLA_CLOCK_SHIFT 移动了")
    people = both.ok("doctor")
    assert people.lines[-1] == "没有异常。"


def test_what_is_wrong_is_exit_code_1_with_the_command_that_mends_it(both):
    both.ok("ingest", both.write("e.jsonl", [accepted("2026-11-30 09:00")]))
    with database(both) as conn:
        conn.execute(tables.clocks.update().values(next_at=None))
    said = both("doctor", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    found = checks(said)
    assert found["clocks"]["fix"] == "sla recompute --dry-run 看差异，再 sla recompute"
    assert (found["tick"]["level"], found["broker"]["level"]) == ("error", "error")
    people = both("doctor")
    assert people.code == 1
    assert people.lines[-1].endswith("处异常。")
    assert any(line.split()[:2] == ["异常", "计时"] for line in people.lines)


def test_every_command_that_a_finding_names_exists(shell):
    """Read out of the program's own words, so that no finding escapes."""
    package = CONFIG.parent / "sla_service"
    text = "\n".join(p.read_text("utf-8") for p in (*package.glob("services/doctor*.py"), package / "cli/doctor.py"))
    named = set(re.findall(r"[\"；，或再 ]sla ((?:[a-z]+ ?)+)((?:[^；，\"（]*?--[a-z]+)?)", text)) - {("doctor", "")}
    assert len(named) > 10
    for words, more in sorted(named):
        command = shell.ok(*words.split(), "--help").out
        for option in re.findall(r"--[a-z]+", more):
            assert option in command, (words, option)


def test_every_check_has_a_name_for_people():
    text = "\n".join(p.read_text("utf-8") for p in (CONFIG.parent / "sla_service").glob("services/doctor*.py"))
    codes = set(re.findall(r"Check\(\s*\"([a-z_]+)\"", text))
    assert len(codes) > 15
    assert codes - set(doctor_command._NAMES) == set()


def test_all_cases_are_folded_when_that_is_asked_for(both):
    both.clock("2026-09-08 10:00")
    both.ok("ingest", both.write("e.jsonl", [accepted("2026-09-08 09:00"), accepted("2026-09-08 09:00", no="BBC-2")]))
    assert checks(both("doctor", "--all", "--json"))["clocks"]["text"].startswith("全部 2 件")
    assert checks(both("doctor", "--json"))["clocks"]["text"].startswith("抽查 2 件")


def test_reminders_that_were_never_written_are_listed_and_made_up_for(both):
    both.ok("ingest", both.write("e.jsonl", [accepted("2026-11-30 09:00")]))
    said = both.ok("recompute", "--missing", "--json").json
    assert said == {"cases": 1, "dry_run": False, "missing": []}
    with database(both) as conn:  # as if a look at the first step had written nothing
        planned = conn.execute(sa.select(tables.clocks.c.next_at)).scalar_one()
        conn.execute(tables.cases.update().values(updated_at=planned - timedelta(days=1)))
        looked = {"watermark": planned + timedelta(hours=1), "next_at": planned + timedelta(days=1)}
        conn.execute(tables.clocks.update().values(**looked))
    assert checks(both("doctor", "--json"))["missing"]["fix"].startswith("sla recompute --missing")
    trial = both.ok("recompute", "--missing", "--dry-run")
    assert trial.lines[-1] == "查看 1 件，1 个提醒漏写了（只看，没有改）。"
    (row,) = both.ok("recompute", "--missing", "--json").json["missing"]
    assert (row["no"], row["step"]) == ("BBC-1", "due-1wd")
    with database(both) as conn:
        assert conn.execute(sa.select(tables.clocks.c.watermark)).scalar_one() < planned


def test_a_broker_that_is_away_is_named_without_its_password(shell):
    shell.env["SLA_BROKER_URL"] = "redis://:geheim@127.0.0.1:1/0"
    said = shell("doctor", "--json")
    assert checks(said)["broker"]["text"].startswith("连不上消息队列 redis://:***@127.0.0.1:1/0：")
    assert "geheim" not in said.out + said.err


@pytest.mark.parametrize(
    ("env", "check", "words"),
    [
        ({"SLA_DATABASE_URL": "postgresql://u:geheim@127.0.0.1:1/x"}, "database", "数据库不可用（"),
        ({"SLA_CONFIG_DIR": "fehlt"}, "config", "没有配置文件夹 fehlt"),
    ],
)
def test_what_cannot_even_be_opened_is_a_finding_too(shell, env, check, words):
    shell.env |= env
    said = shell("doctor", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    assert checks(said)[check]["text"].startswith(words)
    assert "geheim" not in said.out + said.err


def test_a_wrong_config_file_is_a_finding_with_its_line(shell):
    folder = shell.folder / "conf"
    shutil.copytree(CONFIG, folder)
    (folder / "directory.yaml").write_text("people: 5\n", "utf-8")
    shell.env["SLA_CONFIG_DIR"] = str(folder)
    said = shell("doctor", "--json")
    assert said.code == 1
    assert "directory.yaml:1:" in checks(said)["config"]["text"]


# -- recompute -----------------------------------------------------------------------------------------------


@pytest.fixture
def wrong(both):
    """Two cases, the due date of the second one spoilt."""
    both.ok("ingest", both.write("e.jsonl", [accepted("2026-11-30 09:00"), accepted("2026-11-30 09:00", no="BBC-2")]))
    with database(both) as conn:
        for table in (tables.cases, tables.clocks):
            day = (
                sa.literal("2026-01-05", sa.Text())
                if conn.dialect.name == "sqlite"
                else sa.func.to_date("2026-01-05", "YYYY-MM-DD")
            )
            conn.execute(table.update().where(table.c.no == "BBC-2").values(due_on=day))
    return both


def test_differences_are_listed_before_anything_is_changed(wrong):
    before = wrong.ok("cases", "--json").json
    trial = wrong.ok("recompute", "--dry-run", "--json").json
    (found,) = trial["differences"]
    assert (trial["cases"], trial["dry_run"], found["no"]) == (2, True, "BBC-2")
    assert (found["before"]["due_on"], found["after"]["due_on"]) == ("2026-01-05", "2026-12-03")
    assert wrong.ok("cases", "--json").json == before
    said = wrong.ok("recompute")
    assert said.lines[2].split() == ["hall", "BBC-2", "到期日", "2026-01-05", "→", "2026-12-03"]
    assert said.lines[-1] == "重算 2 件，1 件有差异。"
    assert wrong.ok("recompute").out == "重算 2 件，0 件有差异。\n"


def test_single_cases_can_be_named(wrong):
    assert wrong.ok("recompute", "--case", "hall", "BBC-1").out == "重算 1 件，0 件有差异。\n"
    said = wrong("recompute", "--case", "hall", "nie")
    assert (said.code, said.out, said.err) == (1, "", "sla：没有办件 hall/nie：请核对来源和办件编号。\n")


def test_the_http_contract_is_printed_and_written(shell):
    found = shell.ok("openapi").json
    assert found["openapi"].startswith("3.1")
    assert "/v1/events" in found["paths"]
    shell.ok("openapi", "-o", "o.json")
    assert '"/v1/events"' in (shell.folder / "o.json").read_text("utf-8")
