"""The App for one command, and its settings; closed when the command is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sla_service.bootstrap import build
from sla_service.cli.reading import read_settings
from sla_service.services.app import App


@contextmanager
def opened() -> Iterator[App]:
    """Builds the App; a missing or empty SQLite database is made on the way."""
    app = build(read_settings())
    try:
        yield app
    finally:
        app.channels.close()
        app.db.dispose()
