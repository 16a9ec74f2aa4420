"""Known vulnerabilities of the pinned versions, as the last part of ``make check``.

    python .ci/audit.py

Asks an index on the network by pip-audit. Where no index answers, that is said in a sentence and is no failure: most
machines that this runs on have no network. A vulnerability that is known fails the check at a developer's desk. With
``CI=true`` (``.ci/run``) it is told and fails nothing: whether a change is good must not depend on the day's news, nor
on a network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PINS = Path(__file__).resolve().parent.parent / "constraints.txt"
SECONDS = 120
COMMAND = ("-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off", "--timeout", "5", "-f", "json")


def report() -> Mapping[str, Any] | None:
    """What pip-audit found; None if it could not ask anybody."""
    argv = [sys.executable, *COMMAND, "-r", str(PINS)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found if isinstance(found, dict) else None


def verdict(found: Mapping[str, Any] | None, *, in_ci: bool) -> tuple[int, list[str]]:
    """Exit code and what to say. An index that knows none of the versions has audited nothing, whatever it says."""
    rows = [] if found is None else found["dependencies"]
    asked = [row for row in rows if "skip_reason" not in row]
    if not asked:
        return 0, ["audit: 跳过，没有能问的索引（需要网络） / skipped, no index answered (needs the network)"]
    bad = [row for row in asked if row["vulns"]]
    lines = [f"audit: {row['name']} {row['version']}: {', '.join(v['id'] for v in row['vulns'])}" for row in bad]
    left = (
        f"，{len(rows) - len(asked)} 个问不到 / {len(rows) - len(asked)} not known there"
        if len(asked) < len(rows)
        else ""
    )
    lines.append(
        f"audit: 查了 {len(asked)} 个版本，{len(bad)} 个有已知漏洞 / {len(bad)} of {len(asked)} vulnerable{left}"
    )
    return (1 if bad and not in_ci else 0), lines


def main() -> int:
    code, lines = verdict(report(), in_ci=os.environ.get("CI") == "true")
    sys.stderr.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
