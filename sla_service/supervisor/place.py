"""The folder beside a database that holds what belongs to it while it is served, and the lock on it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sla_service.errors import StoreError

#: How long what a killed ``sla up`` left behind (its processes, its port) may take to go.
PATIENCE = 10.0
_STEP = 0.05


def state_folder(*, sqlite_path: Path | None, database_url: str, var_dir: Path) -> Path:
    """``var/sla.db`` -> ``var/sla.db.up``; on a server a folder in ``var_dir`` that is this database's own.

    So two services never share a broker by accident, and a moved or restored database takes its queue along.
    """
    if sqlite_path is not None:
        return sqlite_path.with_name(sqlite_path.name + ".up")
    where = database_url.rpartition("@")[2]  # a new password is not a new database
    return var_dir / f"{hashlib.sha256(where.encode()).hexdigest()[:12]}.up"


@dataclass(frozen=True)
class Locks:
    """Descriptors of locked files: ``own`` to keep open, ``family`` to hand down to every child."""

    own: int
    family: int


@contextmanager
def held(folder: Path, *, say: Callable[[str], None], patience: float = PATIENCE) -> Iterator[Locks]:
    """Holds the folder for this service alone.

    There are two locks. ``lock`` is ours: taken means that another ``sla up`` lives, and is refused (StoreError).
    ``family`` lasts until the last child is gone, also when we were killed: a broker never finds another still at
    work on its files. Those left behind go by themselves, so that one is waited for, ``patience`` seconds.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(folder / "lock") as own, _opened(folder / "family") as family:
        if not _taken(own):
            holder = os.pread(own, 32, 0).strip().decode("ascii", "replace")
            raise StoreError(
                f"这个数据库已经有一个 sla up 在运行（进程 {holder or '未知'}）："
                "请先停止它，或用 SLA_DATABASE_URL 指定另一个数据库。"
            )
        os.ftruncate(own, 0)
        os.pwrite(own, b"%d\n" % os.getpid(), 0)
        _wait_for(family, folder / "family", say, patience)
        yield Locks(own, family)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(family: int, path: Path, say: Callable[[str], None], patience: float) -> None:
    deadline = time.monotonic() + patience
    waiting = False
    while not _taken(family):
        if time.monotonic() >= deadline:
            raise StoreError(f"上一次 sla up 留下的进程还没有退出：请稍后再试，或结束仍打开 {path} 的进程。")
        if not waiting:
            say("上一次的进程还在退出，等待中")
            waiting = True
        time.sleep(_STEP)
