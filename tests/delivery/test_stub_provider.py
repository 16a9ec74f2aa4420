"""The stub itself, where other tests rely on it: in a process of its own, and over TLS."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from certificates import make_certificate
from conftest import URLS, ZHANG, message

from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.registry import open_channel
from tests.stub_provider import StubClient, StubProvider

ROOT = Path(__file__).parents[2]


@contextmanager
def process(*arguments: str) -> Iterator[StubClient]:
    command = [sys.executable, "-m", "tests.stub_provider", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            yield StubClient(running.stdout.readline().strip())
        finally:
            running.terminate()
    assert running.returncode == 0


def test_it_runs_by_hand_and_keeps_its_memory_to_be_asked_for() -> None:
    with process("--port", "0") as stub:
        channel = open_channel("wecom", URLS["wecomapp"].format(base=stub.base), ports=Ports())
        assert channel.deliver(message()).ok
        stub.fault("half_invalid", provider="wecomapp")
        assert channel.deliver(message(id="m-2", body="二", url="https://sla.example/<1>")).kind is Kind.ACCEPTED
        channel.close()
        assert [shown["to"] for shown in stub.shown(to="ZhangSan")] == ["ZhangSan", "ZhangSan"]
        assert stub.stats["requests.wecomapp"] == 2
        assert len(stub.bodies) == 3  # with the token's
        page = urlopen(f"{stub.base}/", timeout=5).read().decode()
        assert "BBC-2026-0001" in page
        assert "<1>" not in page  # escaped
        stub.reset()
        assert stub.shown() == []


def test_a_fault_strikes_as_often_as_it_was_told(stub: StubProvider) -> None:
    stub.fault("status", provider="yunmas", status=503, times=2)
    channel = open_channel("sms", URLS["yunmas"].format(base=stub.base), ports=Ports())
    kinds = [channel.deliver(message(ZHANG)).kind for _ in range(3)]
    assert kinds == [Kind.UNAVAILABLE, Kind.UNAVAILABLE, Kind.ACCEPTED]
    stub.fault("status", provider="yunmas", status=503, every=3)
    kinds = [channel.deliver(message(ZHANG)).kind for _ in range(6)]
    assert [n for n, kind in enumerate(kinds, 1) if kind is Kind.UNAVAILABLE] == [3, 6]
    channel.close()


def test_an_unknown_fault_is_refused_by_name(stub: StubProvider) -> None:
    with pytest.raises(ValueError, match="timeout_after"):
        stub.fault("no_such_thing")


def test_a_private_certificate_is_trusted_once_named(tmp_path: Path) -> None:
    crt, key = make_certificate(tmp_path, "127.0.0.1")
    certificate = tmp_path / "stub.pem"
    certificate.write_text(crt.read_text() + key.read_text())
    with StubProvider(certificate=str(certificate)) as stub:
        url = URLS["wecomapp"].format(base=stub.base)
        strange = open_channel("wecom", url, ports=Ports())
        outcome = strange.deliver(message())
        assert (outcome.kind, outcome.code) == (Kind.UNAVAILABLE, "tls")
        assert "ca=" in outcome.hint
        named = open_channel("wecom", f"{url}&ca={tmp_path / 'crt'}", ports=Ports())
        assert named.deliver(message()).kind is Kind.ACCEPTED
        pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert((tmp_path / "crt").read_text())).hexdigest()
        # Reached by a name that is not in the certificate: the fingerprint is enough, the name is not asked.
        pinned = open_channel("wecom", f"{url.replace('127.0.0.1', 'localhost')}&pin={pin.upper()}", ports=Ports())
        assert pinned.deliver(message(id="m-2", body="二")).kind is Kind.ACCEPTED
        other = open_channel("wecom", f"{url}&pin={pin[::-1]}", ports=Ports())
        assert other.deliver(message()).code == "tls"
        for channel in (strange, named, pinned, other):
            channel.close()
