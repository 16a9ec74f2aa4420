"""One parent for the processes of the service: starts them all at once, restarts what ends, stops them in order."""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sla_service.supervisor.child import Child, Run

_LOOK = 0.05  # seconds between two looks whether the service is ready
_REST = 5.0  # longest sleep; signals, output and ended children wake us at once
_SLOW = 30.0  # seconds without being ready after which that is said
_TRIES = 5  # ends in a row of one child, before the service was ever ready, that make it give up
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs ``children``, given in the order of starting; they are stopped in the reverse one.

    ``ready`` is asked until it first says yes, then ``on_ready`` is called, once. The descriptors in ``inherit`` go
    down to every child. Single-threaded throughout, which is what makes the fork and the leash of a child safe.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        ready: Callable[[], bool],
        on_ready: Callable[[], None],
        inherit: tuple[int, ...] = (),
    ) -> None:
        self._runs = [Run(child, now=time.monotonic()) for child in children]
        self._ready, self._on_ready, self._inherit = ready, on_ready, inherit
        self._selector = selectors.DefaultSelector()
        self._width = max((len(child.name) for child in children), default=0)
        self._was_ready = False
        self._slow_at = 0.0
        self._requests = 0  # how often we were asked to stop
        self._gave_up = False

    def run(self) -> int:
        """Returns when everything has stopped: 0 if we were asked to, 1 if a child would not start."""
        with self._signals_caught():
            try:
                self._slow_at = time.monotonic() + _SLOW
                while not self._requests and not self._gave_up:
                    self._tend()
                    self._look()
                    self._turn(self._pause())
            finally:
                self._stop_all()
        return 1 if self._gave_up else 0

    # -- while it runs ---------------------------------------------------------------------------------------

    def _tend(self) -> None:
        for run in self._runs:
            if run.exited():
                self._bury(run, asked=False)
            if run.start_at is not None and run.start_at <= time.monotonic():
                self._start(run)

    def _start(self, run: Run) -> None:
        try:
            run.start(now=time.monotonic(), inherit=self._inherit)
        except OSError as e:
            self._failed(run, f"无法启动（{e.strerror}）")
            return
        if run.output is not None:
            self._selector.register(run.output, selectors.EVENT_READ, run)

    def _bury(self, run: Run, *, asked: bool) -> None:
        self._show(run)
        self._forget_output(run)
        code = run.bury()
        if not asked:
            self._failed(run, f"意外退出（{_ending(code)}）")

    def _failed(self, run: Run, what: str) -> None:
        delay = run.failed(now=time.monotonic())
        if not self._was_ready and run.failures >= _TRIES:
            self._gave_up = True
            say(f"{run.child.name} {what}，已连续 {run.failures} 次，不再重试：原因见上面 {run.child.name} 的输出")
        else:
            say(f"{run.child.name} {what}，{delay:g} 秒后重启")

    def _look(self) -> None:
        if self._was_ready or not all(run.up(now=time.monotonic()) for run in self._runs):
            return
        if self._ready():
            self._was_ready = True
            self._on_ready()
        elif 0 < self._slow_at <= time.monotonic():
            self._slow_at = 0.0
            say(f"{_SLOW:g} 秒了仍未就绪，继续等待；按 Ctrl-C 停止")

    def _pause(self) -> float:
        waits = [run.start_at - time.monotonic() for run in self._runs if run.start_at is not None]
        return max(0.0, min([*waits, _REST if self._was_ready else _LOOK]))

    def _turn(self, seconds: float) -> None:
        """Sleeps until something happens, and passes on what the children say."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Run):
                self._show(key.data)
            elif isinstance(key.fileobj, socket.socket):
                key.fileobj.recv(4096)

    def _show(self, run: Run) -> None:
        for line in run.lines():
            _write(f"{run.child.name:<{self._width}} | {line}")
        if run.silent:
            self._forget_output(run)

    def _forget_output(self, run: Run) -> None:
        if run.output is not None and run.output in self._selector.get_map():
            self._selector.unregister(run.output)

    # -- at the end ------------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        if self._requests:
            say("正在停止（再按一次 Ctrl-C 立即结束）")
        for run in reversed(self._runs):
            self._stop(run)
        self._selector.close()

    def _stop(self, run: Run) -> None:
        run.start_at = None
        run.terminate()
        deadline, killed = time.monotonic() + run.child.grace, False
        while run.pid is not None and not run.exited():
            left = deadline - time.monotonic()
            if not killed and (left <= 0 or self._requests > 1):
                say(f"{run.child.name} 还没有停下，强制结束")
                run.kill()
                killed = True
            self._turn(min(max(left, _LOOK), _REST))
        if run.pid is not None:
            self._bury(run, asked=True)

    @contextmanager
    def _signals_caught(self) -> Iterator[None]:
        """Signals to stop are counted; every one, and the end of a child, wakes the selector."""

        def asked(_number: int, _frame: object) -> None:
            self._requests += 1

        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        self._selector.register(reading, selectors.EVENT_READ)
        # Under nohup a hang-up is ignored and stays so.
        stops = [n for n in _SIGNALS if n != signal.SIGHUP or signal.getsignal(n) is not signal.SIG_IGN]
        before = {number: signal.signal(number, asked) for number in stops}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        waker = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(waker)
            for number, handler in before.items():
                signal.signal(number, handler)
            reading.close()
            writing.close()


def say(text: str) -> None:
    """One line of ours, for people."""
    _write(f"sla up: {text}")


def _write(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:  # the terminal is gone; the service is not
        return


def _ending(code: int) -> str:
    return f"退出码 {code}" if code >= 0 else f"信号 {-code}"
