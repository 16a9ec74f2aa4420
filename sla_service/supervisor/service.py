"""The whole service as a plan: made by ``sla up``, written to a file, carried out by a process of its own.

Of its own, since preparing needs nearly all of the program (SQLAlchemy, channels: 60 MB) and watching over four
processes nearly nothing (15 MB). The change is an exec: same process number, same terminal, same locks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sla_service.supervisor import broker
from sla_service.supervisor.address import Address
from sla_service.supervisor.child import Child
from sla_service.supervisor.place import Locks
from sla_service.supervisor.supervisor import Supervisor


@dataclass(frozen=True)
class Plan:
    """``announcement`` is what standard output says when everything is up. ``broker_socket``: None without our own."""

    children: tuple[Child, ...]
    address: Address
    broker_socket: Path | None
    announcement: str
    locks: Locks

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), default=str, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        read: dict[str, Any] = json.loads(text)
        return cls(
            children=tuple(
                Child(**{**child, "argv": tuple(child["argv"]), "noise": tuple(child["noise"])})
                for child in read["children"]
            ),
            address=Address(**read["address"]),
            broker_socket=Path(read["broker_socket"]) if read["broker_socket"] else None,
            announcement=read["announcement"],
            locks=Locks(**read["locks"]),
        )

    def ready(self) -> bool:
        return (self.broker_socket is None or broker.answers(self.broker_socket)) and self.address.answers()

    def tidy(self) -> None:
        """Nothing stays in the folder for temporary files; what must stay is beside the database."""
        if self.broker_socket is not None:
            with contextlib.suppress(OSError):
                self.broker_socket.parent.rmdir()

    def announce(self) -> None:
        with contextlib.suppress(OSError):  # whoever started us may read no more
            os.write(sys.stdout.fileno(), f"{self.announcement}\n".encode())


def hand_over(plan: Plan, state: Path) -> NoReturn:
    """Turns the present process into the supervisor of the plan."""
    path = state / "plan.json"
    path.write_text(plan.to_json(), "utf-8")
    for descriptor in dataclasses.astuple(plan.locks):
        os.set_inheritable(descriptor, True)
    os.execv(sys.executable, [sys.executable, "-m", __name__, str(path)])  # noqa: S606  an exec on purpose


def carry_out(path: Path) -> int:
    """Returns when the service has stopped, with the exit code."""
    plan = Plan.from_json(path.read_text("utf-8"))
    for descriptor in dataclasses.astuple(plan.locks):
        os.set_inheritable(descriptor, False)  # children get theirs by name
    supervisor = Supervisor(plan.children, ready=plan.ready, on_ready=plan.announce, inherit=(plan.locks.family,))
    try:
        return supervisor.run()
    finally:
        plan.tidy()


if __name__ == "__main__":
    sys.exit(carry_out(Path(sys.argv[1])))
