"""The audit of pinned versions: fails for what is known, says so when it could ask nobody, is no gate in CI."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_spec = importlib.util.spec_from_file_location("ci_audit", ROOT / ".ci" / "audit.py")
assert _spec is not None
assert _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

GOOD = {"name": "alembic", "version": "1.20.1", "vulns": []}
BAD = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]}
UNKNOWN = {"name": "amqp", "skip_reason": "Dependency not found"}


def test_a_known_vulnerability_fails_the_check_and_is_named():
    code, lines = audit.verdict({"dependencies": [GOOD, BAD]}, in_ci=False)
    assert code == 1
    assert lines[0] == "audit: jinja2 2.0: PYSEC-1, GHSA-2"


def test_in_ci_it_is_told_and_fails_nothing():
    code, lines = audit.verdict({"dependencies": [GOOD, BAD]}, in_ci=True)
    assert code == 0
    assert "PYSEC-1" in lines[0]


@pytest.mark.parametrize("found", [None, {"dependencies": []}, {"dependencies": [UNKNOWN, UNKNOWN]}])
def test_an_index_that_does_not_answer_or_knows_nothing_is_no_all_clear(found):
    code, (line,) = audit.verdict(found, in_ci=False)
    assert code == 0
    assert "跳过" in line


def test_how_much_could_not_be_asked_is_said():
    code, (line,) = audit.verdict({"dependencies": [GOOD, UNKNOWN]}, in_ci=False)
    assert code == 0
    assert "查了 1 个版本" in line
    assert "1 not known" in line
