"""Sending windows are kept by all workers together, exactly: counted by the provider, with real processes."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from processes import hall

from sla_service.services import intake
from sla_service.store import tables

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.stub_provider, whatever folder pytest starts in

from tests.stub_provider import StubProvider

pytestmark = pytest.mark.slow

PEOPLE, PLACES = 24, 7
CHANNELS = """\
channels:
  wecom: {{url: "sandbox://"}}
  sms:
    url: "yunmas://ap1:stub-secret@EC/?sign=S&template=T1&base={base}"
    limits: [{{per: channel, max: {places}, in: 1h}}, {{per: recipient, max: 1, in: 24h}}]
    templates: {{reminder: {{id: T1, values: [case, due]}}, breach: {{id: T2, values: [case, days]}}}}
"""


def test_two_workers_fill_one_window_to_its_last_place_and_no_further(pg_url, redis_url, tmp_path):
    with StubProvider() as stub, hall(pg_url, redis_url, tmp_path) as service:
        stub.control(latency=0.05)
        config = tmp_path / "config"
        (config / "channels.yaml").write_text(CHANNELS.format(base=stub.base, places=PLACES), "utf-8")
        staff = "".join(
            f'  - {{id: p{n}, name: 员工{n}, phone: "138001{n:05}", wecom: p{n}, department: 社会事务科}}\n'
            for n in range(PEOPLE)
        )
        directory = (config / "directory.yaml").read_text("utf-8")
        (config / "directory.yaml").write_text(directory.replace("people:\n", f"people:\n{staff}", 1), "utf-8")
        opened = (service.began - timedelta(days=6)).isoformat()
        for n in range(PEOPLE):
            event = {
                "specversion": "1.0",
                "source": "hall",
                "type": "case.accepted",
                "time": opened,
                "id": f"{n}/1",
                "subject": f"C{n}",
                "data": {"kind": "simple", "department": "社会事务科", "handler": f"p{n}"},
            }
            intake.receive(service.app, [intake.read(event, now=service.began)], now=service.began, door="test")
        service.worker()
        service.worker()
        service.beat()

        def settled() -> bool:
            """Everything on the channel has been sent, or put off until a window opens."""
            m = tables.messages.c
            query = sa.select(m.state, m.reason).where(m.channel == "sms")
            with service.app.db.read() as conn:
                rows = [tuple(r) for r in conn.execute(query)]
            done = [state == "accepted" or (state == "queued" and reason.startswith("limit")) for state, reason in rows]
            return len(done) > PEOPLE and all(done)

        service.wait(settled)
        shown = [s["to"] for s in stub.shown("yunmas")]
        assert len(shown) == PLACES
        assert len(set(shown)) == PLACES
