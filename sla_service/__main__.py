"""``python -m sla_service`` is ``sla``."""

from __future__ import annotations

import sys

from sla_service.cli.main import main

sys.exit(main())
