"""A supervisor in a process of its own, with toy children: small programs that write down what happens to them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from waiting import gone, until

from sla_service.supervisor.child import Child

ROOT = Path(__file__).parent.parent.parent

_PARENT = """
import json, sys
from sla_service.supervisor.child import Child
from sla_service.supervisor.supervisor import Supervisor
from pathlib import Path
children = [Child(**{**c, "argv": tuple(c["argv"])}) for c in json.loads(sys.argv[1])]
ready = lambda: all(Path(p).exists() for p in json.loads(sys.argv[2]))
sys.exit(Supervisor(children, ready=ready, on_ready=lambda: print("ready", flush=True)).run())
"""

# Writes "start PID" when it can be stopped, "stop" when it is asked to.
_WELL_BEHAVED = """
import os, pathlib, signal, sys, time
log = pathlib.Path(sys.argv[1])
def note(word):
    with log.open("a") as f: f.write(f"{os.path.basename(sys.argv[2])} {word}\\n")
def asked(*_): note("stop"); sys.exit(0)
signal.signal(signal.SIGTERM, asked)
note(f"start {os.getpid()}")
while True: time.sleep(60)
"""
_STUBBORN = _WELL_BEHAVED.replace('note("stop"); sys.exit(0)', 'note("refused")')
# Leaves a process behind in its group: what a crashed worker with a pool does.
_PARENT_OF = (
    """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("grandchild", child.pid, flush=True)
"""
    + _WELL_BEHAVED
)


class Toys:
    """The children's names are given in the order of starting. A context manager: nothing survives it."""

    def __init__(self, folder: Path, *, patient: bool = True) -> None:
        self.log = folder / "log"
        self.log.touch()
        self._err = folder / "stderr"
        self._grace = 60.0 if patient else 0.1
        self.children: list[Child] = []
        self.process: subprocess.Popen[str] | None = None

    def well_behaved(self, name: str) -> Self:
        return self.program(name, _WELL_BEHAVED)

    def stubborn(self, name: str) -> Self:
        return self.program(name, _STUBBORN)

    def parent_of_another(self, name: str) -> Self:
        return self.program(name, _PARENT_OF)

    def program(self, name: str, code: str) -> Self:
        return self.command(name, (sys.executable, "-c", code, str(self.log), name))

    def command(self, name: str, argv: tuple[str, ...]) -> Self:
        self.children.append(Child(name, argv, grace=self._grace))
        return self

    def start(self, *, ready_files: tuple[Path, ...] = (), prefix: tuple[str, ...] = ()) -> Self:
        what = json.dumps([asdict(child) for child in self.children])
        argv = [*prefix, sys.executable, "-c", _PARENT, what, json.dumps([str(path) for path in ready_files])]
        with self._err.open("w") as err:
            self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=err, text=True)
        return self

    def wait_for(self, *words: str) -> Self:
        """Until each of these, e.g. ``web start``, stands in the log."""
        for word in words:
            until(lambda word=word: word in self.log.read_text(), f"{word!r} in {self.log.read_text()!r}")
        return self

    def pids(self, name: str) -> list[int]:
        """Of its runs, the latest last."""
        words = [line.split() for line in self.log.read_text().splitlines()]
        return [int(line[2]) for line in words if line[:2] == [name, "start"]]

    def notes(self, word: str) -> list[str]:
        """Who noted it, in order."""
        return [line.split()[0] for line in self.log.read_text().splitlines() if line.split()[1] == word]

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def end(self) -> int:
        """Waits for it and gives its return code."""
        assert self.process
        self.process.communicate(timeout=120)
        return self.process.returncode

    @property
    def said(self) -> str:
        return self._err.read_text()

    def all_gone(self) -> bool:
        return all(gone(pid) for child in self.children for pid in self.pids(child.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
