"""The outside world in one process: WeCom, its group robot and three SMS gateways, with faults on demand.

In a test: ``with StubProvider() as stub: stub.base, stub.shown(), stub.fault(...)``. From another process:
``python -m tests.stub_provider --port N`` and :class:`StubClient`. It checks what the providers check (tokens,
macs, signatures, duplicates, limits) with code of its own, and counts what the phones showed.
"""

from tests.stub_provider.client import StubClient
from tests.stub_provider.server import StubProvider

__all__ = ["StubClient", "StubProvider"]
