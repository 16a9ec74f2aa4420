"""``constraints.txt`` in step with ``pyproject.toml``."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LINES = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
PINS = {canonicalize_name(pin.name): pin for pin in map(Requirement, LINES)}


@pytest.mark.parametrize("wanted", [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())])
def test_every_dependency_is_pinned_to_a_version_that_is_allowed(wanted):
    requirement = Requirement(wanted)
    (exact,) = PINS[canonicalize_name(requirement.name)].specifier
    assert exact.operator == "=="
    assert requirement.specifier.contains(exact.version)


def test_pins_are_versions_only_and_name_no_host():
    assert not [line for line in LINES if re.search(r"://|@|--|\\", line)]
