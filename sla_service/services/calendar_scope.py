"""Which cases count by a calendar: those of the halls and departments that name it."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from sla_service.services.app import App
from sla_service.store import layers
from sla_service.store.layers import Scope


def scope_of(app: App, conn: Connection, calendar: str) -> Scope:
    """The open cases of that calendar.

    Only where departments of one hall go by different calendars are they told apart, by the departments that there
    are now; a case that comes later is counted by the calendar in force as it comes.
    """
    mixed = app.config.directory.mixed_halls()
    held = layers.halls(conn)
    whole = tuple(hall for hall in held if hall not in mixed and app.calendar_name(hall) == calendar)
    found = layers.departments(conn, mixed.intersection(held)) if mixed else []
    return Scope(whole, tuple(pair for pair in found if app.calendar_name(*pair) == calendar))
