"""Where the web part listens."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sla_service.errors import PortTakenError, SettingError
from sla_service.supervisor.address import Address, free


def _silent(_text):
    raise AssertionError("nothing to wait for")


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _address(server):
    return Address("127.0.0.1", server.getsockname()[1])


def test_a_free_address_is_given_back(taken):
    address = _address(taken)
    taken.close()
    assert free(address, say=_silent) == address


def test_port_0_becomes_a_free_one():
    assert free(Address("127.0.0.1", 0), say=_silent).port > 0


def test_a_taken_port_is_waited_for(taken):
    address = _address(taken)

    def release(text):
        assert text == f"{address} 被占用，最多等 10 秒"
        taken.close()

    assert free(address, say=release) == address


def test_one_that_stays_taken_is_an_error_that_names_address_and_setting(taken):
    address = _address(taken)
    with pytest.raises(PortTakenError, match=rf"^{address} 已被别的程序占用：.*SLA_HTTP") as caught:
        free(address, say=_silent, patience=0)
    assert "\n" not in str(caught.value)


def test_all_addresses_are_not_free_when_one_is_taken(taken):
    with pytest.raises(PortTakenError):
        free(Address("0.0.0.0", _address(taken).port), say=_silent, patience=0)


def test_an_address_that_is_not_ours_is_refused_at_once():
    with pytest.raises(SettingError, match=r"^SLA_HTTP：不能在 203\.0\.113\.7:8000 上提供网页"):
        free(Address("203.0.113.7", 8000), say=_silent)


@pytest.mark.parametrize(
    ("host", "shown", "url"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("::1", "[::1]:8000", "http://[::1]:8000"),
        ("::", "[::]:8000", "http://[::1]:8000"),
    ],
)
def test_it_is_shown_as_set_and_opened_as_a_browser_must(host, shown, url):
    assert (str(Address(host, 8000)), Address(host, 8000).url) == (shown, url)


@pytest.mark.parametrize(("status", "up"), [(200, True), (503, False)])
def test_it_answers_when_the_health_page_says_200(status, up):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_words):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        asked = threading.Thread(target=server.handle_request)
        asked.start()
        assert Address("127.0.0.1", server.server_port).answers() is up
        asked.join()


def test_nobody_there_is_no_answer(taken):
    address = _address(taken)
    taken.close()
    assert not address.answers()
