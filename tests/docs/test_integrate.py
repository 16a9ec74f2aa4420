"""The examples of docs/integrate.md, run from top to bottom as they stand, against a real service."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import at
from servers import free_port

from sla_service.store import tables
from sla_service.store.engine import Database
from sla_service.supervisor.leash import leash

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "integrate.md"
WARP = ROOT / "tests" / "chaos" / "warp"
NOW = at("2026-11-24 16:00")  # what time it is for whoever follows the page
#: ``<!-- 运行，回答里有：WORDS | WORDS -->``, or 之后有 for cases that are there a moment later; then the example.
MARK = "<!-- 运行"
_TOLD = r"(?:，(?P<where>回答里有|之后有)：(?P<words>[^\n]*?))? -->"
EXAMPLE = re.compile(MARK + _TOLD + r"\n```(?P<lang>\w+)\n(?P<code>.*?)\n```", re.DOTALL)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Example:
    line: int
    lang: str
    code: str
    where: str
    words: tuple[str, ...]


def examples() -> list[Example]:
    text = PAGE.read_text("utf-8")
    found = []
    for m in EXAMPLE.finditer(text):
        words = tuple((m["words"] or "").split(" | "))
        found.append(Example(text.count("\n", 0, m.start()) + 1, m["lang"], m["code"], m["where"] or "", words))
    return found


@dataclass
class Service:
    """Web and worker on a clock of their own, and the environment in which the page is followed."""

    folder: Path
    env: dict[str, str]
    url: str
    children: list[subprocess.Popen[bytes]]

    def start(self, *argv: str) -> None:
        with (self.folder / f"{argv[0]}.log").open("wb") as log:
            self.children.append(
                subprocess.Popen(
                    [sys.executable, "-m", *argv],
                    cwd=self.folder,
                    env=self.env,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=leash(signal.SIGKILL),  # noqa: PLW1509
                )
            )

    def run(self, example: Example) -> str:
        """Each example is a process of its own; ``KEY`` is carried from one to the next as in a shell."""
        kept = self.folder / "key"
        self.env["KEY"] = kept.read_text("utf-8").strip() if kept.exists() else ""
        if example.lang == "python":
            argv = [sys.executable, "-c", example.code]
        else:
            argv = ["bash", "-euo", "pipefail", "-c", f'{example.code}\nprintf "%s" "$KEY" > key']
        done = subprocess.run(
            argv, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 0, f"{PAGE.name}:{example.line}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def cases(self) -> set[str]:
        with Database(self.url).read() as conn:
            return set(conn.execute(sa.select(tables.cases.c.no)).scalars())


@pytest.fixture
def service(sqlite_url: str, redis_url: str, tmp_path: Path) -> Iterator[Service]:
    clock = tmp_path / "clock"
    clock.write_text(repr((NOW - datetime.now(UTC)).total_seconds()), "ascii")
    port = free_port()
    plain = {k: v for k, v in os.environ.items() if not k.startswith("SLA_")}
    env = plain | {
        "SLA_DATABASE_URL": sqlite_url,
        "SLA_BROKER_URL": redis_url,
        "SLA_CONFIG_DIR": str(ROOT / "config"),
        "SLA_TEST_CLOCK": str(clock),
        "PYTHONPATH": f"{WARP}:{ROOT}",
        "PATH": f"{_sla(tmp_path)}:{plain['PATH']}",
        "URL": f"http://127.0.0.1:{port}",
        "BROKER": redis_url,
    }
    made = Service(tmp_path, env, sqlite_url, [])
    try:
        made.start("uvicorn", "sla_service.web.app:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port))
        made.start("celery", "-A", "tasks.app", "worker", "-P", "threads", "-c", "2", "--without-gossip")
        _wait(lambda: _answers(env["URL"] + "/readyz"), made)
        yield made
    finally:
        for child in made.children:
            child.kill()
            child.wait()


def _sla(folder: Path) -> Path:
    """The command, in a folder for the PATH."""
    (folder / "bin").mkdir()
    (folder / "bin" / "sla").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sla_service "$@"\n', "utf-8")
    (folder / "bin" / "sla").chmod(0o755)
    (folder / "bin" / "python3").symlink_to(sys.executable)
    return folder / "bin"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def _wait(done: object, service: Service) -> None:
    end = time.monotonic() + 90
    while not done():  # type: ignore[operator]
        logs = "\n".join(p.read_text("utf-8", "replace")[-1500:] for p in service.folder.glob("*.log"))
        assert time.monotonic() < end, logs
        time.sleep(0.2)


def test_the_page_can_be_followed_from_top_to_bottom(service: Service) -> None:
    found = examples()
    assert len(found) == PAGE.read_text("utf-8").count(MARK)
    for example in found:
        said = service.run(example)
        for words in example.words if example.where == "回答里有" else ():
            assert words in said, f"{PAGE.name}:{example.line}: {words!r} not in {said}"
        if example.where == "之后有":
            _wait(lambda wanted=example.words[0]: wanted in service.cases(), service)
    assert service.cases() >= {f"BBC-2026-{n:04}" for n in (1, 2, 6, 8, 9, 10)} | {"〔2026〕4号", "T-1", "T-2", "T-3"}
    assert not {"BBC-2026-0005", "演练-1"} & service.cases()


def test_the_page_names_every_event_type_status_and_contract() -> None:
    from typing import get_args

    from schemas.event_data import DATA
    from schemas.replies import StatusName
    from schemas.version import CONTRACT

    text = PAGE.read_text("utf-8")
    assert all(f"`{type_}`" in text for type_ in DATA)
    assert all(f"`{status}`" in text for status in get_args(StatusName))
    assert f"现在是 {CONTRACT}）" in text
    for link in re.findall(r"\]\((?!http|#)([^)]+)\)", text):
        assert (PAGE.parent / link).exists(), link
    anchors = {re.sub(r"[^\w-]", "", h.lower().replace(" ", "-")) for h in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
