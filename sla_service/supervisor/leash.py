"""A process that does not outlive the one that started it, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def leash(how: signal.Signals) -> Callable[[], None]:
    """What a new process does first (``preexec_fn``) so that the kernel sends it ``how`` when its parent is gone.

    The kernel watches the starting thread, so start from the main one. It forgets the order when the process changes
    its user; ``preexec_fn`` runs after that. Only Linux can do this; elsewhere nothing happens.
    """
    # Loaded here and not in the child: after a change of user the child may not be able to read our files.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    parent = os.getpid()

    def obey() -> None:
        if libc is None:
            return
        libc.prctl(_PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:  # gone before we could ask
            os.kill(os.getpid(), how)

    return obey
