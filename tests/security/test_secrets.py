"""Secrets stay where they were put: not in ``sla settings``, not in errors, not in what a process list shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
