"""The door of the web tests, borrowed: attacks go through the same client as everything else."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parent.parent / "web"))
