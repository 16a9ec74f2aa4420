"""A later policy reaches running cases only when that is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from sla_service.cli.main import cli

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def sla(tmp_path, monkeypatch, sqlite_url):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLA_DATABASE_URL", sqlite_url)

    def run(*args: str) -> str:
        done = CliRunner().invoke(cli, args, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    data = {"kind": "simple", "department": "社会事务科", "handler": "zhangsan"}
    event = {"specversion": "1.0", "id": "1", "source": "hall", "type": "case.accepted", "subject": "A", "data": data}
    (tmp_path / "e.jsonl").write_text(json.dumps({**event, "time": "2026-11-02T09:00:00+08:00"}), encoding="utf-8")
    run("ingest", "e.jsonl")
    text = (tmp_path / "config" / "policy.yaml").read_text(encoding="utf-8")
    (tmp_path / "new.yaml").write_text(text.replace("simple: 3wd", "simple: 5wd"), encoding="utf-8")
    return run


def due(sla) -> str:
    found = json.loads(sla("cases", "--json"))
    rows = found["cases"] if isinstance(found, dict) else found
    return rows[0]["due_on"]


def test_a_running_case_keeps_the_policy_it_was_opened_under(sla):
    answer = json.loads(sla("policy", "apply", "new.yaml", "--json"))
    assert answer["recomputed"] == 0
    assert due(sla) == "2026-11-05"
    assert Path(answer["kept"]).exists()
    assert "simple: 5wd" in Path("config/policy.yaml").read_text(encoding="utf-8")


def test_recompute_takes_running_cases_along_and_lists_them(sla):
    answer = json.loads(sla("policy", "apply", "new.yaml", "--recompute", "--json"))
    assert [d["after"]["due_on"] for d in answer["differences"]] == ["2026-11-09"]
    assert due(sla) == "2026-11-09"


def test_a_wrong_policy_is_refused_and_nothing_is_changed(sla, tmp_path):
    before = Path("config/policy.yaml").read_bytes()
    (tmp_path / "bad.yaml").write_text("targets: {resolve: {limit: 3}}\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["policy", "apply", "bad.yaml"])
    assert done.exit_code == 1
    assert "bad.yaml:1" in done.stderr
    assert Path("config/policy.yaml").read_bytes() == before
