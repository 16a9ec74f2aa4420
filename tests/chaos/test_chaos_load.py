"""The load in its smallest form: a steady rate, then five times as much; nothing lost, nothing refused."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from arena import ROOT
from ledger import Row

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long_form)])
def test_five_times_the_rate_is_slower_and_loses_nothing(kind, url, tmp_path, book):
    where = "sqlite" if kind == "sqlite" else url
    sizes = ["--cases", "200", "--seconds", "6", "--burst-seconds", "4", "--json", str(tmp_path / "load.json")]
    argv = [sys.executable, str(ROOT / "bench" / "load.py"), "--database", where, *sizes]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "load.json").read_text("utf-8"))["summary"]
    assert (found["lost"], set(found["answers"])) == (0, {"applied"})
    assert found["sent"] == found["kept"] == found["answers"]["applied"]
    book(Row("load, then five times", kind, 0, found["sent"], found["kept"], found["lost"], 0, 0, 0))
