"""Gives every process below it one clock that a test can move: leases and waits of minutes pass in a moment.

Python imports this by itself when the folder is on PYTHONPATH, so the children of ``sla up`` get it too. Nothing else
about them is touched. ``SLA_TEST_CLOCK`` names a file with the seconds by which all of them are ahead.
"""

import os
from datetime import timedelta

if path := os.environ.get("SLA_TEST_CLOCK"):
    from sla_service import systime

    def _shift() -> timedelta:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 (read at every look at the clock: the short way)
            return timedelta(seconds=float(file.read() or 0))

    systime.shift = _shift
