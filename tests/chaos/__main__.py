"""``python -m tests.chaos [--short] [--json FILE] [pytest's own options]``: the failure matrix as a table."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form that runs within the ordinary suite")
    parser.add_argument("--json", metavar="FILE", nargs="?", const="/dev/stdout", help="the table as JSON, too")
    options, rest = parser.parse_known_args()
    env = dict(os.environ)
    if not options.short:
        env["SLA_TEST_CHAOS"] = "long"
    if options.json:
        env["SLA_TEST_CHAOS_JSON"] = (
            str(Path(options.json).resolve()) if options.json != "/dev/stdout" else options.json
        )
    return subprocess.run(
        [sys.executable, "-m", "pytest", str(HERE), "-n", "0", *rest], env=env, cwd=HERE.parent.parent, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
