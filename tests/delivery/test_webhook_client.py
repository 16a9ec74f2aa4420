"""One POST to somebody else's address: where it goes, how long it takes, how little of the answer is kept."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
from certificates import make_certificate
from hypothesis import given
from hypothesis import strategies as st
from receiver import Receiver

from sla_service.delivery.addresses import ForbiddenError, Rules, addresses, allowed, read
from sla_service.delivery.webhook_client import KEPT, Poster

HERE = Rules(http=True, private=True)
BODY = b'{"id":"evt_1","subject":"A","type":"sla.closed"}'


class Names:
    """A name server: what each name says, one answer after the other, the last one for good."""

    def __init__(self, *answers: list[str]):
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def port_of(receiver: Receiver) -> int:
    return int(receiver.url.split(":")[2].split("/")[0])


def test_a_name_that_was_public_and_is_private_now_is_refused_at_the_next_try():
    with Receiver() as receiver:
        names = Names(["127.0.0.1"])
        url = f"http://hook.example:{port_of(receiver)}/told"
        assert Poster(HERE, resolve=names).post(url, BODY, {}).status == 200
        answer = Poster(Rules(http=True), resolve=names).post(url, BODY, {})
        assert (answer.status, len(receiver.got)) == (None, 1)
        assert "SLA_WEBHOOK_PRIVATE" in answer.text


def test_the_address_that_was_checked_is_the_one_that_is_connected_to():
    """What the name says a moment later plays no part: it is asked once per try."""
    with Receiver() as receiver:
        names = Names(["127.0.0.1"], ["203.0.113.1"])
        url = f"http://rebind.example:{port_of(receiver)}/told"
        assert Poster(HERE, resolve=names).post(url, BODY, {}).status == 200
        assert names.asked == 1
        assert receiver.got[0].headers["host"] == f"rebind.example:{port_of(receiver)}"


def test_one_forbidden_address_among_good_ones_forbids_all():
    target = read("https://mixed.example/", Rules())
    with pytest.raises(ForbiddenError):
        addresses(target, Rules(), Names(["8.8.8.8", "10.0.0.1"]))
    assert addresses(target, Rules(), Names(["8.8.8.8", "2400:3200::1"])) == ["8.8.8.8", "2400:3200::1"]


def test_an_address_that_does_not_answer_gives_way_to_the_next():
    with Receiver() as receiver:
        names = Names(["127.0.0.2", "127.0.0.1"])
        url = f"http://two.example:{port_of(receiver)}/told"
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", port_of(receiver)))  # not listening: refused
            assert Poster(HERE, resolve=names).post(url, BODY, {}).status == 200


PUBLIC = ("1.0.0.0/24", "8.8.8.0/24", "114.114.114.0/24", "223.5.5.0/24")


@given(st.ip_addresses(v=4).filter(lambda ip: int(ip) > 1))  # in IPv6 these two are addresses of their own
def test_of_ipv4_only_what_is_public_is_allowed_and_no_wrapping_changes_that(ip):
    strict = allowed(ip, Rules())
    assert strict <= ip.is_global
    for wrapped in (
        f"::ffff:{ip}",
        f"::{ip}",
        f"64:ff9b::{ip}",
        str(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80))),
    ):
        assert not allowed(ipaddress.ip_address(wrapped), Rules())
        assert allowed(ipaddress.ip_address(wrapped), Rules(private=True)) <= allowed(ip, Rules(private=True))


@given(st.ip_addresses(v=6))
def test_of_ipv6_nothing_that_is_not_global_is_allowed(ip):
    assert allowed(ip, Rules()) <= ip.is_global


@pytest.mark.parametrize("network", PUBLIC)
def test_public_addresses_are_allowed(network):
    assert all(allowed(ip, Rules()) for ip in ipaddress.ip_network(network))


def test_a_redirect_is_an_answer_and_is_not_followed():
    with Receiver() as elsewhere, Receiver(answer=(302, {"Location": elsewhere.url}, b"")) as receiver:
        answer = Poster(HERE).post(receiver.url, BODY, {})
        assert (answer.status, answer.taken, elsewhere.got) == (302, False, [])


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Receiver() as receiver:
        assert Poster(HERE).post(receiver.url, BODY, {}).status == 200


def test_no_more_than_a_kilobyte_of_the_answer_is_kept_and_control_characters_are_not():
    with Receiver(answer=(500, {}, b"a\r\nb\x00\x1b[31m" + b"x" * 100_000)) as receiver:
        answer = Poster(HERE).post(receiver.url, BODY, {})
    assert answer.status == 500
    assert len(answer.text) <= KEPT
    assert answer.text.startswith("a b [31m")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("999999999999", 86_400), ("0", 0), ("-5", None), ("soon", None), ("", None), ("١", None)],
)
def test_retry_after_is_read_in_seconds(header, seconds):
    with Receiver(answer=(503, {"Retry-After": header.encode().decode("latin-1")}, b"")) as receiver:
        assert Poster(HERE).post(receiver.url, BODY, {}).retry_after == seconds


def test_retry_after_as_a_date_is_read_by_the_receivers_clock():
    when = {"Retry-After": "Fri, 20 Nov 2026 10:05:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}

    def raw(connection: socket.socket) -> None:
        connection.recv(65_536)
        lines = "".join(f"{k}: {v}\r\n" for k, v in when.items())
        connection.sendall(f"HTTP/1.1 429 No\r\n{lines}Content-Length: 0\r\n\r\n".encode())

    with Raw(raw) as url:
        assert Poster(HERE).post(url, BODY, {}).retry_after == 300


class Raw:
    """A server that speaks as the test says; one connection."""

    def __init__(self, speak):
        self.speak, self.listener = speak, socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection, suppress(OSError):
            self.speak(connection)

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(5)


def drip(connection: socket.socket) -> None:
    """A byte now and then: no single read ever takes too long."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("speak", [drip, lambda c: time.sleep(3)], ids=["dripping", "silent"])
def test_the_whole_request_ends_in_time_however_the_other_side_dawdles(speak):
    with Raw(speak) as url:
        answer = Poster(HERE, total=0.5).post(url, BODY, {})
    assert (answer.status, answer.text) == (None, "0.5 秒内没有等到应答。")


@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 abc OK\r\n\r\n"])
def test_what_is_no_answer_is_a_failed_try(said):
    def speak(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(said)

    with Raw(speak) as url:
        answer = Poster(HERE).post(url, BODY, {})
    assert answer.status is None
    assert answer.text.startswith("没有收到完整的应答")


def test_nobody_there_and_no_such_name_are_said_so():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert "连接不上" in Poster(HERE).post(f"http://127.0.0.1:{port}/", BODY, {}).text
    assert "找不到主机" in Poster(HERE).post("https://no-such-host.invalid/", BODY, {}).text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder, "hook.example")
    return folder


def test_over_tls_the_name_is_verified_although_an_address_is_connected_to(certificate):
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate / "crt", certificate / "key")
    with Receiver() as receiver:
        receiver._server.socket = served.wrap_socket(receiver._server.socket, server_side=True)
        port, names = port_of(receiver), Names(["127.0.0.1"])
        trusting = ssl.create_default_context(cafile=str(certificate / "crt"))
        good = Poster(HERE, resolve=names, context=trusting)
        assert good.post(f"https://hook.example:{port}/", BODY, {}).status == 200
        assert "TLS" in good.post(f"https://other.example:{port}/", BODY, {}).text
        assert "TLS" in Poster(HERE, resolve=names).post(f"https://hook.example:{port}/", BODY, {}).text
