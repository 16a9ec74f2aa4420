"""What people see: on a real terminal of eighty and of a hundred and twenty columns nothing runs over the edge."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

import pytest
from command_line import CONFIG, accepted, event

from sla_service.cli.wide import width

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(shell):
    """Runs ``sla`` on a terminal of so many columns; gives the lines as they stand there, and whether in colour."""
    rows = [
        accepted(
            "2026-11-20 10:12", title="选煤厂技改项目用地预审与环境影响评价并联办理的跨部门协调事宜", handler="诸葛亮"
        ),
        event(
            "paused",
            "2026-11-23 10:00",
            reason="hearing",
            note="听证会改期，等待省厅批复意见，已电话告知当事人并记录在案",
        ),
        event("resumed", "2026-11-24 10:00"),
        event("resumed", "2026-11-24 12:00", id="noch einmal"),
        accepted("2026-11-20 10:12", no="〔2026〕3号", kind=None),
    ]
    shell.ok("ingest", shell.write("e.jsonl", rows))
    env = {**os.environ, **shell.env, "PYTHONPATH": str(CONFIG.parent), "TERM": "xterm-256color"}

    def run(columns, *args):
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        command = [sys.executable, "-m", "sla_service", *args]
        with subprocess.Popen(command, env=env, cwd=shell.folder, stdout=slave, stderr=slave) as running:
            os.close(slave)
            seen = b""
            while True:
                try:
                    piece = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                if not piece:
                    break
                seen += piece
            running.wait()
        os.close(master)
        text = seen.decode()
        # A progress bar writes its line again and again: what stands there in the end is what counts.
        lines = [line.rstrip("\r").rpartition("\r")[2] for line in _ESCAPES.sub("", text).split("\n")]
        return lines, "\x1b[" in text

    return run


COMMANDS = [
    ("cases",),
    ("show", "hall", "BBC-1"),
    ("due", "2026-12-25", "--kind", "complex"),
    ("policy", "show"),
    ("directory", "show"),
    ("calendar", "show", "2026"),
    ("settings",),
    ("source", "list"),
    ("channel", "list"),
    ("doctor",),
    ("ingest", "e.jsonl"),
    ("recompute", "--dry-run"),
    ("--help",),
    ("ingest", "--help"),
]


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", [80, 120])
def test_nothing_runs_over_the_edge(terminal, columns, args):
    lines, _ = terminal(columns, *args)
    assert len(lines) > 1
    assert [line for line in lines if width(line) > columns and not line.startswith("  拒收清单")] == []


def test_lights_are_in_colour_on_a_terminal_alone(terminal, shell):
    lines, colored = terminal(120, "cases")
    assert colored
    assert any(line.startswith("红  hall  BBC-1") for line in lines)
    assert "\x1b" not in shell.ok("cases").out
