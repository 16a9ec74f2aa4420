"""Where the line runs between what certainly was not sent and what we cannot tell."""

from __future__ import annotations

import base64
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sla_service.delivery import pools
from sla_service.delivery.http import Client, NotSentError, Reply, TransportError, UnclearError, encode
from sla_service.delivery.outcome import Kind
from sla_service.delivery.plugins.answers import by_status, decode, shown
from sla_service.errors import ChannelError
from tests.stub_provider import StubProvider

PATH, SECRET = "/cgi-bin/gettoken", "s/e:c r%et"
QUERY = encode([("corpid", "ww1"), ("corpsecret", SECRET)])


@contextmanager
def client(base: str, **options: object) -> Iterator[Client]:
    made = Client(base, **options)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def listener(*answers: bytes, silent: bool = False) -> Iterator[str]:
    """A bare server: takes connections, reads a request, says these bytes and hangs up; or never says a word."""
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        for answer in answers or (b"",):
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                if silent:
                    done.wait(20)
                else:
                    connection.recv(65536)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        done.set()
        server.close()
        thread.join(5)


def failure(base: str, **options: object) -> TransportError:
    with client(base, **{"timeout": 0.5, **options}) as asking, pytest.raises(TransportError) as caught:
        asking.request("POST", PATH, query=QUERY, body=b"{}")
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_refused_connection_was_not_sent() -> None:
    error = failure(f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, NotSentError)
    assert (error.outcome.kind, error.outcome.code) == (Kind.UNAVAILABLE, "connect")


def test_an_unknown_host_was_not_sent() -> None:
    error = failure("http://nowhere.invalid")
    assert isinstance(error, NotSentError)
    assert error.outcome.code == "dns"


def test_a_connection_nobody_takes_was_not_sent() -> None:
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    with full, socket.create_connection(full.getsockname()), socket.socket() as second:
        second.setblocking(False)
        second.connect_ex(full.getsockname())
        # The queue is full now, so the handshake is never finished.
        error = failure(f"http://127.0.0.1:{full.getsockname()[1]}")
    assert isinstance(error, NotSentError)
    assert error.outcome.code == "connect_timeout"


def test_a_failed_tls_handshake_was_not_sent(stub: StubProvider) -> None:
    error = failure(stub.base.replace("http:", "https:"))
    assert isinstance(error, NotSentError)
    assert error.outcome.code == "tls"
    assert "ca=" in error.outcome.hint


def test_a_tls_handshake_without_an_answer_was_not_sent() -> None:
    with listener(silent=True) as base:
        error = failure(base.replace("http:", "https:"))
    assert isinstance(error, NotSentError)


def test_a_proxy_that_is_away_or_refuses_the_tunnel_saw_no_message() -> None:
    error = failure("https://qyapi.weixin.qq.com", proxy=f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, NotSentError)
    with listener(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        error = failure("https://qyapi.weixin.qq.com", proxy=proxy)
    assert isinstance(error, NotSentError)
    assert error.outcome.code == "proxy"


def test_silence_after_the_request_is_unclear(stub: StubProvider) -> None:
    stub.fault("timeout_after")
    error = failure(stub.base)
    assert isinstance(error, UnclearError)
    assert (error.outcome.kind, error.outcome.code) == (Kind.UNKNOWN, "read_timeout")


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_connection_lost_after_the_request_is_unclear_since_both_look_alike(stub: StubProvider, fault: str) -> None:
    stub.fault(fault)
    error = failure(stub.base)
    assert isinstance(error, UnclearError)
    assert error.outcome.code == "reset"


def test_half_an_answer_is_unclear() -> None:
    with listener(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"errcode":') as base:
        assert isinstance(failure(base), UnclearError)


def test_an_answer_that_drips_is_given_up_in_time(stub: StubProvider) -> None:
    stub.fault("drip", seconds=0.1)
    error = failure(stub.base, timeout=0.3)
    assert isinstance(error, UnclearError)
    assert error.outcome.code == "answer"


def test_an_answer_without_end_is_given_up() -> None:
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000) as base:
        error = failure(base)
    assert isinstance(error, UnclearError)


def test_a_chunked_answer_is_read_whole() -> None:
    body = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"errco\r\n8\r\nde": 0}\n\r\n0\r\n\r\n'
    with listener(body) as base, client(base) as asking:
        assert decode(asking.request("GET", PATH)) == {"errcode": 0}


def test_many_requests_share_a_connection(stub: StubProvider) -> None:
    with client(stub.base) as asking:
        for _ in range(20):
            asking.request("GET", PATH, query=QUERY)
    assert stub.stats["connections"] == 1


def test_many_threads_share_the_pool(stub: StubProvider) -> None:
    with client(stub.base) as asking, ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda _: asking.request("GET", PATH, query=QUERY), range(200)))
    assert {reply.status for reply in replies} == {200}
    assert stub.stats["connections"] <= 16


def test_a_connection_idle_for_long_is_not_trusted(stub: StubProvider) -> None:
    kept = pools.Tracked("127.0.0.1", stub.port)
    kept.request("GET", PATH)
    kept.getresponse().data  # noqa: B018 — reads it to the end
    assert kept.is_connected
    kept._used_at -= 30.0
    assert not kept.is_connected
    kept.close()


def test_a_proxy_carries_the_request_and_gets_its_login(stub: StubProvider) -> None:
    with client("http://wecom.internal", proxy=stub.base.replace("://", "://us%40er:pa%2Fss@")) as asking:
        assert asking.request("GET", PATH, query=QUERY).status == 200  # the stub stands in for the proxy
    assert stub.stats["requests.gettoken"] == 1
    assert stub.state.headers["proxy-authorization"] == "Basic " + base64.b64encode(b"us@er:pa/ss").decode()


def test_redirects_are_not_followed() -> None:
    found = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with listener(found) as base, client(base) as asking:
        reply = asking.request("GET", PATH, query=QUERY)
    assert reply.status == 302
    assert by_status(reply).kind is Kind.REFUSED


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.UNKNOWN),  # but not in the provider's words: a portal, a gateway, a broken server
        (204, Kind.UNKNOWN),
        (301, Kind.REFUSED),
        (400, Kind.REFUSED),
        (403, Kind.REFUSED),
        (404, Kind.REFUSED),
        (407, Kind.REFUSED),
        (408, Kind.UNAVAILABLE),  # it did not get the whole request
        (429, Kind.RATE_LIMITED),
        (500, Kind.UNAVAILABLE),  # the server itself says it did not do it
        (501, Kind.UNKNOWN),
        (502, Kind.UNKNOWN),  # a gateway lost sight of the server
        (503, Kind.UNAVAILABLE),
        (504, Kind.UNKNOWN),
    ],
)
def test_what_a_bare_status_means(status: int, kind: Kind) -> None:
    outcome = by_status(Reply(status, b"<html>", {}))
    assert (outcome.kind, outcome.code) == (kind, f"http_{status}")


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120.0), ("9999999", 86400.0), ("soon", None), ("-5", None), ("", None)]
)
def test_the_servers_wait_is_taken_from_its_answer(header: str, seconds: float | None) -> None:
    assert by_status(Reply(503, b"", {"Retry-After": header})).retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"ok"', b"\xff", b"[" * 100_000, b"NaN"])
def test_what_is_no_json_object_is_none(body: bytes) -> None:
    assert decode(Reply(200, body, {})) is None


def test_no_secret_gets_into_errors_or_logs(stub: StubProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stub.fault("timeout_after", times=1)
    login = "http://user:pr0xy%2Fpass@127.0.0.1:1"
    errors = [
        failure(stub.base),
        failure(f"http://127.0.0.1:{free_port()}"),
        failure(stub.base.replace("http:", "https:")),
        failure(stub.base, proxy=login),
    ]
    with client(stub.base) as asking:
        asking.request("GET", PATH, query=QUERY)
    told = "".join(f"{error!s}{error!r}{error.outcome!r}{error.__cause__!r}" for error in errors) + caplog.text
    for hidden in (SECRET, QUERY, "corpsecret", "pr0xy"):
        assert hidden not in told
    assert all(error.__suppress_context__ for error in errors)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"base": "qyapi.weixin.qq.com"}, "base="),
        ({"base": "ftp://qyapi.weixin.qq.com"}, "base="),
        ({"base": "https://"}, "base="),
        ({"base": "https://host:99999"}, "base="),
        ({"base": "https://host/?key=1"}, "base="),
        ({"base": "https://user:pass@host"}, "base="),
        ({"proxy": "10.0.0.1:3128"}, "proxy="),
        ({"timeout": "soon"}, "timeout="),
        ({"timeout": "0"}, "timeout="),
        ({"timeout": "nan"}, "timeout="),
        ({"timeout": "1e9"}, "timeout="),
        ({"pin": "12:34"}, "pin="),
        ({"proxy": "http://用户:pass@10.0.0.1"}, "proxy="),
        ({"ca": "/nowhere/ca.pem"}, "ca="),
        ({"ca": __file__}, "ca="),  # a file without a certificate
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict, word: str) -> None:
    with pytest.raises(ChannelError, match=word) as caught:
        Client(**{"base": "https://qyapi.weixin.qq.com", **options})
    assert "pass" not in str(caught.value)


def test_a_base_may_have_a_path_before_the_providers(stub: StubProvider) -> None:
    with client(f"{stub.base}/cgi-bin/") as asking:
        assert decode(
            asking.request("GET", "/gettoken", query=encode([("corpid", "ww1"), ("corpsecret", "stub-secret")]))
        )


def test_queries_are_encoded_as_signatures_want_them() -> None:
    assert encode([("a b", "政*~/+='")]) == "a%20b=%E6%94%BF%2A~%2F%2B%3D%27"


def test_a_providers_text_is_shown_without_secrets_and_phone_numbers() -> None:
    assert shown("invalid secret abc for +8613800001234", "abc") == "invalid secret **** for +86138****1234"
    assert shown(None) == ""
    assert len(shown("字" * 1000)) == 300
