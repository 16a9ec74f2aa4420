"""The files for containers, as far as they can be checked without an engine."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import check_jsonschema
import click
import pytest
import yaml

from sla_service.cli.main import cli
from sla_service.settings import FIELDS, variable

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text("utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def _ours(services):
    return {name: service for name, service in services.items() if service["image"].startswith("sla-service:")}


def test_it_fits_the_schema_of_compose_files():
    with pytest.raises(SystemExit) as end:
        check_jsonschema.main(["--builtin-schema", "vendor.compose-spec", str(COMPOSE)])
    assert end.value.code in (0, None)


def test_every_part_that_another_waits_for_exists_and_can_reach_that_state(services):
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
            if wait["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no", f"{name} waits for the end of {other}"


def test_no_part_starts_before_the_database_is_migrated(services):
    for name in _ours(services).keys() - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_all_parts_of_the_service_are_there(services):
    assert _ours(services).keys() == {"migrate", "web", "worker", "beat"}


def test_the_commands_exist(services):
    def run(name, *words):
        assert services[name]["command"][: len(words)] == list(words)
        return services[name]["command"][len(words) :]

    group = cli.get_command(click.Context(cli), run("migrate", "sla")[0])
    assert isinstance(group, click.Group)
    assert group.get_command(click.Context(group), run("migrate", "sla", "db")[0]) is not None

    module, function = run("web", "uvicorn")[0].split(":")
    assert callable(getattr(importlib.import_module(module), function))

    for name in ("worker", "beat"):
        module, part = run(name, "celery", "-A")[:2]
        assert importlib.util.find_spec(module), module
        assert part == name


def test_settings_are_spelt_as_the_program_reads_them(services):
    known = set(map(variable, FIELDS))
    assert {name for service in _ours(services).values() for name in service["environment"]} <= known
    assert set(re.findall(r"SLA_[A-Z_]+", DOCKERFILE)) <= known


def test_volumes_are_declared(compose, services):
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])


def test_no_password_stands_in_the_file():
    for line in COMPOSE.read_text("utf-8").splitlines():
        if "PASSWORD" in line and not line.lstrip().startswith("#"):
            assert "${POSTGRES_PASSWORD:?" in line


def test_what_the_image_copies_exists_and_is_let_through():
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_has_every_package_that_is_installed_elsewhere():
    found = re.search(r"include = \[(.+)\]", (ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {word.strip(' "*') for word in found[1].split(",")}
    assert packages <= set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))


def test_the_image_does_not_run_as_root():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
