"""One process of the service: what to run, and that run as it stands."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sla_service.supervisor.leash import leash

_FIRST_DELAY = 0.5  # seconds
_LONGEST_DELAY = 30.0
_STEADY = 30.0  # a run this long makes the next failure a first one again
_SETTLED = 3.0  # a run this long after a failure is believed in: loading takes one or two
_LONGEST_LINE = 64 * 1024
_READS = 4


@dataclass(frozen=True)
class Child:
    """What to run.

    ``grace``: seconds between SIGTERM and SIGKILL. ``delay``: seconds that its first start comes after the others', for
    what can wait while they need the processor. Lines of output with one of ``noise`` in them are not shown.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10.0
    delay: float = 0.0
    noise: tuple[str, ...] = ()


class Run:
    """The process of a child, one after the other; ``now`` is a monotonic clock in seconds everywhere."""

    def __init__(self, child: Child, *, now: float) -> None:
        self.child = child
        self.failures = 0  # in a row
        self.start_at: float | None = now + child.delay  # when to start (again), None while it runs
        self.silent = False  # it has closed its output
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._rest = b""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def output(self) -> int | None:
        """File descriptor to read its output from."""
        return self._process.stdout.fileno() if self._process and self._process.stdout else None

    def start(self, *, now: float, inherit: tuple[int, ...]) -> None:
        """Raises OSError when there is nothing to execute."""
        self._started, self.start_at, self.silent = now, None, False
        self._process = subprocess.Popen(
            self.child.argv,
            env={**os.environ, **self.child.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only us, who stop the others in order
            pass_fds=inherit,
            # Killed, not asked: we are gone without a word, and whoever starts next must find the port free and
            # the broker's files at rest. Everything here survives kill -9.
            preexec_fn=leash(signal.SIGKILL),  # noqa: PLW1509  there are no threads here
        )
        if self.output is not None:
            os.set_blocking(self.output, False)

    def exited(self) -> bool:
        """Whether there is an ended process to ``bury``."""
        if self._process is None:
            return False
        # Left unreaped until its group is dealt with: till then nobody else can get its number.
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def bury(self) -> int:
        """Ends what the process may have left behind, and gives its return code (negative: the signal)."""
        process = self._process
        if process is None:
            return 0
        self.kill()
        code = process.wait()
        if process.stdout:
            process.stdout.close()
        self._process = None
        return code

    def up(self, *, now: float) -> bool:
        """Whether it runs, and not only until it ends once more for the same reason."""
        return self._process is not None and (self.failures == 0 or now - self._started >= _SETTLED)

    def failed(self, *, now: float) -> float:
        """Notes an end that nobody asked for and gives the seconds until the next start."""
        self.failures = 1 if now - self._started >= _STEADY else self.failures + 1
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (self.failures - 1))
        self.start_at = now + delay
        return delay

    def terminate(self) -> None:
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the process and all that it started."""
        if self._process:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # the latter is how macOS says that all have ended
                return

    def lines(self) -> Iterator[str]:
        """The complete lines that it has written since the last call, a pipe's fill at most."""
        for _ in range(_READS):
            try:
                chunk = os.read(self.output, _LONGEST_LINE) if self.output is not None else b""
            except BlockingIOError:
                return
            if not chunk:
                self.silent = True
                yield from self._cut(b"\n" if self._rest else b"")
                return
            yield from self._cut(chunk)

    def _cut(self, chunk: bytes) -> Iterator[str]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in (raw.decode("utf-8", "replace").rstrip() for raw in lines):
            if line and not any(word in line for word in self.child.noise):
                yield line
