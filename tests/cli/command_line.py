"""``sla`` as people and scripts call it, within this process: arguments in, streams and exit code out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import at
from click.testing import CliRunner

from sla_service import systime
from sla_service.cli.main import cli

CONFIG = Path(__file__).parents[2] / "config"


@dataclass
class Said:
    """What a call left behind."""

    code: int
    out: str
    err: str
    raw: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Shell:
    """``shell("due", "2026-11-20", "--days", 3)``; ``env`` are its variables."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *args: object, stdin: str | bytes | None = None) -> Said:
        result = CliRunner().invoke(cli, [str(a) for a in args], input=stdin, env=self.env, prog_name="sla")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)

    def ok(self, *args: object, stdin: str | bytes | None = None) -> Said:
        """A call that has to succeed."""
        said = self(*args, stdin=stdin)
        assert said.code == 0, said
        return said

    def clock(self, text: str) -> None:
        """From now on it is ``text``, Beijing time."""
        self.env["SLA_CLOCK_SHIFT"] = str((at(text) - systime.now() + systime.shift()).total_seconds())

    @property
    def shift(self) -> timedelta:
        """How far its clock is from the true one."""
        return timedelta(seconds=float(self.env.get("SLA_CLOCK_SHIFT", 0)))

    def write(self, name: str, content: str | bytes | list[Any]) -> Path:
        """A file in the folder; a list becomes JSON Lines."""
        path = self.folder / name
        if isinstance(content, list):
            content = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def event(type_: str, time: str, *, no: str = "BBC-1", id: str = "", source: str | None = "hall", **data: Any) -> Any:  # noqa: A002
    """A CloudEvent; ``type_`` without its ``case.``."""
    moment: datetime = at(time)
    plain = {
        "specversion": "1.0",
        "id": id or f"{no}/{type_}",
        "source": source,
        "type": type_ if "." in type_ else f"case.{type_}",
        "subject": no,
        "time": moment.isoformat(),
        "data": data,
    }
    return {k: v for k, v in plain.items() if v is not None}


def accepted(time: str = "2026-11-20 10:12", no: str = "BBC-1", **data: Any) -> Any:
    given = {"kind": "simple", "title": "诊所名称核准", "department": "社会事务科", "handler": "zhangsan"}
    more = {k: data.pop(k) for k in ("id", "source") if k in data}
    return event("accepted", time, no=no, **more, **{**given, **data})


def closed(time: str = "2026-11-24 10:00", no: str = "BBC-1", **data: Any) -> Any:
    return event("closed", time, no=no, **{"outcome": "resolved", "replied_at": time[:10], **data})
