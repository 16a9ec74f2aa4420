"""Accounts and browsers for the tests of the pages."""

from __future__ import annotations

import re
from contextlib import contextmanager

from client import Client

from sla_service.services import accounts
from sla_service.web.app import create_app

BROWSER = {"Accept": "text/html"}
PASSWORD = "ein langes Kennwort"
OUTSIDE = ("10.0.0.7", 1)


def add(door, name, role, **more):
    accounts.add(
        door.hall.app, name, role=role, hall=None, person=more.get("person"), password=PASSWORD, now=door.hall.now
    )


@contextmanager
def browser(door, address=OUTSIDE):
    with Client(create_app(door.hall.app, clock=lambda: door.hall.now), address=address) as client:
        yield client


def log_in(client, name, password=PASSWORD, **more):
    fields = {"name": name, "password": password} | more.pop("fields", {})
    return client.post("/login", data=fields, headers=BROWSER | more)


def open_(client, path):
    return client.get(path, headers=BROWSER)


def token(client, path="/"):
    return re.search(r'name="csrf" value="([^"]+)"', open_(client, path).text)[1]
