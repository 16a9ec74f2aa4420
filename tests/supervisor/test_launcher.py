"""``./sla`` on a small project of its own whose two dependencies are wheels made here: no network, the real pip."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parent.parent.parent / "sla"

_PROJECT = """
[project]
name = "sla-service"
version = "9.9"
dependencies = ["needed"]
[project.optional-dependencies]
test = ["pytest"]
dev = []
[project.scripts]
sla = "sla_service:main"
"""
_MAIN = """
import importlib.metadata, sys, needed
def main():
    print("ran", importlib.metadata.version("sla-service"), *sys.argv[1:])
    return 7
"""


class Project:
    """A folder with the launcher in it. Its name has a space, as folders of people have."""

    def __init__(self, root: Path) -> None:
        self.root = root / "my project"
        self.wheels = root / "wheels"
        (self.root / "sla_service").mkdir(parents=True)
        self.wheels.mkdir()
        shutil.copy(LAUNCHER, self.root / "sla")
        (self.root / "pyproject.toml").write_text(_PROJECT)
        (self.root / "constraints.txt").write_text("needed==1.0\n")
        (self.root / "sla_service" / "__init__.py").write_text(_MAIN)
        self.wheel("needed", "1.0")
        self.wheel("needed", "2.0")
        self.wheel("pytest", "1.0", "__main__.py", "import os, sys; print('tests', *sys.argv[1:], os.getcwd())")

    def wheel(self, name: str, version: str, file: str = "__init__.py", code: str = "") -> None:
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(self.wheels / f"{name}-{version}-py3-none-any.whl", "w") as made:
            made.writestr(f"{name}/{file}", code)
            made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            made.writestr(f"{info}/RECORD", "")

    def start(self, *args: str, wheels: str | None = None, **env: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        env = {**clean, "SLA_WHEELS": wheels or str(self.wheels), **env}
        pipe = subprocess.PIPE
        argv = [sys.executable, str(self.root / "sla"), *args]
        return subprocess.Popen(argv, cwd=self.root.parent, env=env, stdout=pipe, stderr=pipe, text=True)

    def sla(self, *args: str, wheels: str | None = None, **env: str) -> tuple[int, str, str]:
        process = self.start(*args, wheels=wheels, **env)
        out, err = process.communicate()
        return process.returncode, out, err


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Set up once; what a test changes it puts back."""
    made = Project(tmp_path_factory.mktemp("launcher"))
    assert made.sla("setup")[0] == 0
    return made


@pytest.fixture
def fresh(tmp_path):
    return Project(tmp_path)


def test_without_a_command_it_explains_itself_and_makes_nothing(fresh):
    code, out, err = fresh.sla()
    assert (code, err) == (0, "")
    assert all(f"  {word} " in out for word in ("up", "test", "setup", "check"))
    assert fresh.sla("--help") == (code, out, err)
    assert not (fresh.root / ".venv").exists()


def test_the_first_start_says_what_it_does_and_then_runs_the_command(fresh):
    code, out, err = fresh.sla("due", "2026-11-20", "a b")
    assert (code, out) == (7, "ran 9.9 due 2026-11-20 a b\n")
    assert [line.split(" / ")[0] for line in err.splitlines()] == [
        "sla: 创建 .venv，仅首次，约 20 秒",
        "sla: 安装依赖",
    ]


def test_the_next_start_installs_nothing(project):
    assert project.sla("due", wheels="/nowhere") == (7, "ran 9.9 due\n", "")


def test_once_made_help_is_the_command_s_own(project):
    assert project.sla("--help") == (7, "ran 9.9 --help\n", "")


def test_the_command_can_be_called_by_its_own_path_too(project):
    ran = subprocess.run([project.root / ".venv" / "bin" / "sla", "x"], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (7, "ran 9.9 x\n")


def test_pinned_versions_are_what_is_installed(project):
    (site,) = project.root.glob(".venv/lib/python3*/site-packages")
    assert [path.name for path in site.glob("needed-*")] == ["needed-1.0.dist-info"]


def test_tests_run_from_the_project_folder_with_their_arguments(project):
    code, out, _ = project.sla("test", "-k", "word")
    assert (code, out) == (0, f"tests -k word {project.root}\n")
    assert project.sla("test", wheels="/nowhere")[2] == ""


def test_setup_of_something_unknown_is_wrong_use(project):
    assert project.sla("setup", "everything")[0] == 2


def test_changed_pins_are_installed_at_the_next_start(project):
    pins = project.root / "constraints.txt"
    pins.write_text("needed==2.0\n")
    try:
        code, _, err = project.sla("due")
        assert (code, err) == (7, "sla: 安装依赖 / installing dependencies\n")
        assert list(project.root.glob(".venv/lib/python3*/site-packages/needed-2.0.dist-info"))
    finally:
        pins.write_text("needed==1.0\n")
        project.sla("setup")


def test_an_install_that_fails_says_what_to_do_and_leaves_what_worked(project, tmp_path):
    pins = project.root / "constraints.txt"
    pins.write_text("needed==2.0\n")
    code, out, err = project.sla("due", wheels=str(tmp_path))
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("sla: 依赖安装失败，请检查网络，或用 SLA_WHEELS=离线包目录 重试 / ")
    pins.write_text("needed==1.0\n")
    assert project.sla("due", wheels="/nowhere")[:2] == (7, "ran 9.9 due\n")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["killed while installing", "moved", "interpreter gone"])
def test_an_environment_that_cannot_be_trusted_is_made_anew(project, damage):
    (project.root / ".venv" / "leftover").touch()
    if damage == "killed while installing":
        (project.root / ".venv" / ".sla-unfinished").touch()
    elif damage == "interpreter gone":
        (project.root / ".venv" / "bin" / "python").unlink()
    else:
        project.root = project.root.rename(project.root.with_name("elsewhere"))
    code, out, err = project.sla("due")
    assert (code, out) == (7, "ran 9.9 due\n")
    assert "创建 .venv" in err
    assert not (project.root / ".venv" / "leftover").exists()


@pytest.mark.slow
def test_of_two_first_starts_at_once_one_makes_it_and_the_other_waits(fresh):
    starts = [fresh.start("due") for _ in range(2)]
    ends = [start.communicate() for start in starts]
    assert [out for out, _ in ends] == ["ran 9.9 due\n"] * 2
    assert "".join(err for _, err in ends).count("创建 .venv") == 1


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="stands for a system whose Python has pip")
def test_without_ensurepip_the_system_s_pip_installs(fresh, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise SystemExit('not on Debian without python3-venv')")
    code, out, _ = fresh.sla("due", PYTHONPATH=str(tmp_path))
    assert (code, out) == (7, "ran 9.9 due\n")
    assert not list(fresh.root.glob(".venv/lib/python3*/site-packages/pip"))


def test_an_old_python_gets_one_sentence(fresh):
    launcher = fresh.root / "sla"
    launcher.write_text(launcher.read_text().replace("OLDEST = (3, 11)", "OLDEST = (3, 99)"))
    code, out, err = fresh.sla("up", PATH="/nowhere")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("sla: 需要 Python 3.11 或更高，当前是 3.")


def test_an_old_python_can_read_the_launcher_at_all():
    ast.parse(LAUNCHER.read_text("utf-8"), feature_version=(3, 6))
